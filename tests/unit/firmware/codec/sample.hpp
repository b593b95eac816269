// SPDX-License-Identifier: Apache-2.0
// Events and headers that the codec's tests share.
#pragma once

#include <string>

#include "firmware/codec/event_headers.hpp"

namespace berm::codec {

inline event::Event sample_event(std::int64_t seq, std::string line = "{\"id\":\"é\\n\"}") {
  event::Event event;
  event.schema = event::find_schema("traffic.lane");
  event.epoch = "k3v9x2m8q1";
  event.seq = seq;
  event.line = std::move(line);
  event.key = "92301";
  event.made_ms = 1'800'000'000'123;
  return event;
}

inline EventHeaders sample_headers() {
  return EventHeaders("e19-km31", {});
}

}  // namespace berm::codec
