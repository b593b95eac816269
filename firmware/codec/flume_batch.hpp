// SPDX-License-Identifier: Apache-2.0
// The body of one request to Flume's HTTP source with its JSONHandler (Flume 1.11):
//   [{"headers":{"topic":"…","key":"…",…},"body":"<the event's line>"},…]
// All header values are strings, as JSONHandler wants them. The text is valid UTF-8 and belongs
// under `Content-Type: application/json; charset=utf-8`; under any other type Flume reads it as
// Latin-1. Appends to the caller's buffer: no allocation of its own per event. Pure; any thread.
#pragma once

#include <span>
#include <string>

#include "firmware/codec/event_headers.hpp"

namespace berm::codec {

inline constexpr std::string_view kFlumeContentType = "application/json; charset=utf-8";

void append_flume_batch(std::span<const Outgoing> batch, const EventHeaders& headers,
                        std::string& out);

}  // namespace berm::codec
