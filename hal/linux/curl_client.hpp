// SPDX-License-Identifier: Apache-2.0
// The HttpClient of the real machine: libcurl's multi-socket interface on the epoll loop, without a
// thread of ours (libcurl resolves names in short-lived threads of its own). This is what the
// module berm-http.so holds; the agent loads it with http_client.hpp, tests link it directly.
//
// Promises: HTTP/1.1, keep-alive (at most kMaxIdleConnections kept), no redirect, no `Expect`, only
// http and https, a proxy only where the request names one; certificates and names are verified;
// connecting takes at most a third of `timeout`. `on_body` gets the body of 2xx answers only; any
// other answer's body is kept. Headers over kMaxHeaderBytes and bodies over `max_body_bytes` (after
// decoding) end in `full`. An answer cut short is `closed`, never a success. A request with a line
// break in its method, URL or headers is `invalid`. A failed write to a kept connection that the
// server had closed is sent once more by libcurl, on a new one.
//
// Callbacks may call send and cancel; `done` may also destroy the client (`on_body` may not).
// Limits: kMaxHttpRequests at a time; one more ends in `full`. Thread: the loop's.
// Process-wide: SIGPIPE is ignored from the first client on. Source: libcurl 7.88,
// curl_multi_socket(3).
#pragma once

#include <cstddef>
#include <memory>

#include "hal/base/result.hpp"
#include "hal/http_client.hpp"
#include "hal/linux/loop.hpp"

namespace berm::hal {

inline constexpr std::size_t kMaxHttpRequests = 64;
inline constexpr long kMaxIdleConnections = 8;
// Handed to one `on_body` in a turn of the loop, and a piece of libcurl (16 kB) more.
inline constexpr std::size_t kBodyBytesPerTurn = 65536;
inline constexpr long kPackedReadBytes = 4096;
inline constexpr std::size_t kMaxHeaderBytes = 65536;

Result<std::unique_ptr<HttpClient>> make_curl_client(EpollLoop& loop);

}  // namespace berm::hal
