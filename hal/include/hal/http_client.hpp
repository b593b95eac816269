// SPDX-License-Identifier: Apache-2.0
// HttpClient: requests that never block the loop. linux/: libcurl multi on the loop, a module
// loaded when the configuration names HTTP; sim/: scripted servers. Redirects are never followed;
// keep-alive; no `Expect`. The answer's body is kept up to `max_body_bytes` (more: Error `full`),
// or handed over in pieces by `on_body`, which may refuse (false) and so end the request. Loop
// thread only. `done` is called exactly once per request unless cancelled; never inside `send`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hal/base/result.hpp"
#include "hal/base/status.hpp"
#include "hal/base/time.hpp"

namespace berm::hal {

struct TlsOptions {
  std::string ca_file;    // empty: the system's
  std::string cert_file;  // client certificate, PEM; empty: none
  std::string key_file;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;  // http:// or https://
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Milliseconds timeout{10000};  // whole request; connecting takes at most a third of it
  std::size_t max_body_bytes = 65536;
  bool accept_gzip = false;    // send Accept-Encoding and decode
  std::string user, password;  // basic authentication where not empty
  std::string proxy;           // empty: none (the environment is ignored)
  TlsOptions tls;
  std::function<bool(std::string_view)> on_body;  // optional; gets the body of 2xx answers only
};

struct HttpAnswer {
  int status = 0;                                            // 100…599
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  Microseconds elapsed{0};
  std::string_view header(std::string_view lower_case_name) const {
    for (const auto& [name, value] : headers) {
      if (name == lower_case_name) return value;
    }
    return {};
  }
};

using HttpRequestId = std::uint64_t;

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // Error: no answer (unavailable, timeout, permission for TLS, full, closed), text says why.
  using Done = std::function<void(Result<HttpAnswer>)>;
  virtual HttpRequestId send(HttpRequest request, Done done) = 0;
  virtual void cancel(HttpRequestId id) = 0;
  // bytes_sent, bytes_received (at the socket), requests, open_connections.
  virtual Status status() const = 0;
};

}  // namespace berm::hal
