// SPDX-License-Identifier: Apache-2.0
// Url: where an uplink goes, taken apart and checked before anything is opened. The subset of RFC
// 3986 that an endpoint needs: scheme://host[:port][/path[?query]], ASCII; no user or password
// (those are references to files), no fragment. Also `host:port` as servers listen on. Pure; any
// thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "hal/base/result.hpp"

namespace berm::control {

struct Url {
  std::string text;  // as written
  std::string scheme;
  std::string host;  // without brackets
  int port = 0;      // the scheme's own where none is written
  std::string path;  // with the query; may be empty
  bool operator==(const Url&) const = default;
};

// `schemes`: those allowed here. Error invalid: what is wrong, for the person who wrote it.
Result<Url> parse_url(std::string_view text, std::span<const std::string_view> schemes);

struct Endpoint {
  std::string host;
  int port = 0;
  bool operator==(const Endpoint&) const = default;
};

// "127.0.0.1:9180", "[::1]:9180"; port 0 (any free one) is allowed here.
Result<Endpoint> parse_endpoint(std::string_view text);

// localhost, 127.0.0.0/8, ::1. No name is looked up.
bool is_loopback(std::string_view host);

}  // namespace berm::control
