// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/url.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "firmware/control/limits.hpp"
#include "hal/base/text.hpp"

namespace berm::control {
namespace {

struct SchemePort {
  std::string_view scheme;
  int port;
};
constexpr std::array<SchemePort, 6> kPorts = {{{"http", 80},
                                               {"https", 443},
                                               {"mqtt", 1883},
                                               {"mqtts", 8883},
                                               {"socks5", 1080},
                                               {"socks5h", 1080}}};

bool is_ipv4(const std::string& host) {
  in_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// RFC 1123, and the underscore that local networks use.
bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  if (host.back() == '.') host.remove_suffix(1);
  for (const std::string_view label : split(host, '.')) {
    if (label.empty() || label.size() > 63) return false;
    if (!is_letter_or_digit(label.front()) || !is_letter_or_digit(label.back())) return false;
    const bool plain = std::all_of(label.begin(), label.end(), [](char c) {
      return is_letter_or_digit(c) || c == '-' || c == '_';
    });
    if (!plain) return false;
  }
  return true;
}

bool is_host(const std::string& host) {
  const bool numeric = host.find_first_not_of("0123456789.") == std::string::npos;
  return numeric ? is_ipv4(host) : is_host_name(host);
}

struct Authority {
  std::string host;
  std::string_view port;
  bool has_port = false;
};

Result<Authority> split_authority(std::string_view text) {
  Authority authority;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return fail(ErrorCode::invalid, "\"[\" without \"]\"");
    authority.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    if (!is_ipv6(authority.host)) {
      return fail(ErrorCode::invalid, "\"" + authority.host + "\" is not an IPv6 address");
    }
    if (!rest.empty() && !rest.starts_with(':')) {
      return fail(ErrorCode::invalid, "text between the address and the port");
    }
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    authority.host = text.substr(0, colon);
    rest = text.substr(colon);
    if (authority.host.empty()) return fail(ErrorCode::invalid, "has no host");
    if (!is_host(authority.host)) {
      return fail(ErrorCode::invalid,
                  "\"" + authority.host + "\" is neither a host name nor an address");
    }
  }
  authority.has_port = !rest.empty();
  authority.port = rest.empty() ? rest : rest.substr(1);
  return authority;
}

Result<int> parse_port(std::string_view text, int min) {
  const auto port = parse_integer(text);
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  if (!digits || !port || *port < min || *port > 65535) {
    return fail(ErrorCode::invalid,
                text_of("port must be %d…65535, is \"", min) + std::string(text) + "\"");
  }
  return static_cast<int>(*port);
}

std::string listed(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

Error scheme_error(const std::string& scheme, std::span<const std::string_view> schemes) {
  if (scheme == "ws" || scheme == "wss") {
    return {ErrorCode::unsupported, scheme + ": MQTT over WebSockets is not supported (" +
                                        "the client library has no WebSocket transport); use " +
                                        (scheme == "ws" ? "mqtt" : "mqtts")};
  }
  return {ErrorCode::invalid,
          "scheme must be one of " + listed(schemes) + ", is \"" + scheme + "\""};
}

}  // namespace

Result<Url> parse_url(std::string_view text, std::span<const std::string_view> schemes) {
  if (text.size() > kMaxUrlBytes) {
    return fail(ErrorCode::invalid, text_of("longer than %zu bytes", kMaxUrlBytes));
  }
  const bool printable =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!printable) return fail(ErrorCode::invalid, "blank or special character in the URL");
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) {
    return fail(ErrorCode::invalid, "must be SCHEME://HOST[:PORT], with one of " + listed(schemes));
  }
  Url url;
  url.text = text;
  url.scheme = text.substr(0, colon);
  if (std::find(schemes.begin(), schemes.end(), url.scheme) == schemes.end()) {
    return fail(scheme_error(url.scheme, schemes));
  }
  const std::string_view rest = text.substr(colon + 3);
  const std::size_t slash = std::min(rest.find_first_of("/?#"), rest.size());
  url.path = rest.substr(slash);
  if (url.path.find('#') != std::string::npos) {
    return fail(ErrorCode::invalid, "a URL to send to has no fragment (#)");
  }
  if (rest.substr(0, slash).find('@') != std::string_view::npos) {
    return fail(ErrorCode::invalid, "must not hold a user or password: use user and password_file");
  }
  BERM_TRY(const Authority authority, split_authority(rest.substr(0, slash)));
  url.host = authority.host;
  for (const SchemePort& known : kPorts) {
    if (known.scheme == url.scheme) url.port = known.port;
  }
  if (authority.has_port) {
    BERM_TRY(url.port, parse_port(authority.port, 1));
  }
  return url;
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  BERM_TRY(const Authority authority, split_authority(text));
  if (!authority.has_port) return fail(ErrorCode::invalid, "must be HOST:PORT");
  BERM_TRY(const int port, parse_port(authority.port, 0));
  return Endpoint{authority.host, port};
}

bool is_loopback(std::string_view host) {
  if (host == "localhost") return true;
  const std::string text(host);
  if (is_ipv4(text)) return host.starts_with("127.");
  in6_addr address{};
  if (::inet_pton(AF_INET6, text.c_str(), &address) != 1) return false;
  return IN6_IS_ADDR_LOOPBACK(&address);
}

}  // namespace berm::control
