// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <regex>

#include "firmware/control/configuration_sections.hpp"
#include "firmware/control/limits.hpp"
#include "firmware/control/options.hpp"
#include "hal/base/text.hpp"

namespace berm::control {
namespace {

constexpr std::array<std::string_view, 2> kHttpSchemes = {"http", "https"};
constexpr std::array<std::string_view, 2> kMqttSchemes = {"mqtt", "mqtts"};
constexpr std::array<std::string_view, 3> kProxySchemes = {"http", "socks5", "socks5h"};
// Set by the uplink itself; a second one would make the request ambiguous.
constexpr std::array<std::string_view, 8> kOwnHeaders = {
    "content-type", "content-length", "transfer-encoding", "content-encoding", "host", "connection",
    "expect",       "upgrade"};

class UplinkReader {
 public:
  UplinkReader(const Options& options, const std::string& path, std::string_view folder,
               Faults& faults)
      : options_(options), path_(path), folder_(folder), faults_(faults) {}

  void common(UplinkConfiguration& uplink) {
    uplink.streams = options_.text_list("streams");
    uplink.hold = options_.boolean("hold");
    uplink.order =
        options_.text("order") == "newest" ? BackfillOrder::newest : BackfillOrder::oldest;
    uplink.live = Seconds{options_.integer("live_s")};
    uplink.backfill_min_share = options_.number("backfill_min_share");
    uplink.budget_day_bytes = optional_integer("budget_day_bytes");
    uplink.budget_month_bytes = optional_integer("budget_month_bytes");
    uplink.batch_events = static_cast<std::size_t>(options_.integer("batch_events"));
    uplink.linger = Milliseconds{options_.integer("linger_ms")};
  }

  HttpUplinkConfiguration http() {
    HttpUplinkConfiguration way;
    way.url = url("url", kHttpSchemes);
    way.format = options_.text("format");
    way.timeout = Milliseconds{options_.integer("timeout_ms")};
    way.headers = headers();
    if (options_.has("proxy")) way.proxy = url("proxy", kProxySchemes);
    way.credentials = credentials();
    way.tls = tls(way.url, "https");
    return way;
  }

  MqttUplinkConfiguration mqtt() {
    MqttUplinkConfiguration way;
    way.url = url("url", kMqttSchemes);
    if (!way.url.path.empty() && way.url.path != "/") {
      refuse("url", "an MQTT URL has no path; topics follow from the node's name");
    }
    way.payload = options_.text("payload") == "event" ? MqttPayload::event : MqttPayload::lines;
    way.max_message_bytes = static_cast<std::size_t>(options_.integer("max_message_bytes"));
    way.keepalive = Seconds{options_.integer("keepalive_s")};
    way.timeout = Milliseconds{options_.integer("timeout_ms")};
    way.no_subscriber =
        options_.text("no_subscriber") == "pass" ? NoSubscriber::pass : NoSubscriber::hold;
    way.credentials = credentials();
    way.tls = tls(way.url, "mqtts");
    return way;
  }

  FileUplinkConfiguration file() {
    FileUplinkConfiguration way;
    way.directory = file_name("directory");
    way.require_mount = options_.boolean("require_mount");
    if (way.directory.empty()) refuse("directory", "must not be empty");
    return way;
  }

 private:
  void refuse(std::string_view key, std::string text) {
    faults_.push_back({option_path(path_, key), std::move(text)});
  }

  std::optional<std::int64_t> optional_integer(std::string_view key) const {
    if (!options_.has(key)) return std::nullopt;
    return options_.integer(key);
  }

  std::string optional_text(std::string_view key) const {
    return options_.has(key) ? options_.text(key) : std::string();
  }

  std::string file_name(std::string_view key) const {
    return resolved(folder_, optional_text(key));
  }

  Url url(std::string_view key, std::span<const std::string_view> schemes) {
    auto parsed = parse_url(options_.text(key), schemes);
    if (parsed) return std::move(*parsed);
    refuse(key, parsed.error().text);
    return {};
  }

  Credentials credentials() {
    Credentials given{optional_text("user"), file_name("password_file")};
    if (given.user.empty() && !given.password_file.empty()) {
      refuse("password_file", "needs a user");
    }
    return given;
  }

  TlsFiles tls(const Url& url, std::string_view scheme) {
    TlsFiles given{file_name("ca_file"), file_name("cert_file"), file_name("key_file")};
    if (given.cert_file.empty() != given.key_file.empty()) {
      refuse(given.cert_file.empty() ? "key_file" : "cert_file",
             given.cert_file.empty() ? "needs a cert_file" : "needs a key_file");
    }
    for (const std::string_view key : {"ca_file", "cert_file", "key_file"}) {
      if (url.scheme.empty() || url.scheme == scheme || !options_.has(key)) continue;
      refuse(key, "has no effect: the URL is " + url.scheme + ", not " + std::string(scheme));
    }
    return given;
  }

  std::vector<std::pair<std::string, std::string>> headers() {
    const Options::Values& given = options_.value_map("headers");
    if (given.size() > kMaxHeaders) {
      refuse("headers", text_of("must be at most %zu, are %zu", kMaxHeaders, given.size()));
    }
    for (const auto& [name, value] : given) check_header(name, value);
    return given;
  }

  void check_header(const std::string& name, const std::string& value) {
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    const std::string at = option_path(option_path(path_, "headers"), name);
    if (std::find(kOwnHeaders.begin(), kOwnHeaders.end(), lower) != kOwnHeaders.end()) {
      faults_.push_back({at, "is set by the uplink itself"});
    }
    const bool breaks = std::any_of(value.begin(), value.end(), [](char c) {
      return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7f';
    });
    if (breaks) faults_.push_back({at, "must be one line without control characters"});
  }

  const Options& options_;
  const std::string& path_;
  const std::string_view folder_;
  Faults& faults_;
};

void check_globs(const std::vector<std::string>& globs, const std::string& path,
                 const ConfigurationSources& sources, Faults& faults) {
  const std::string at = option_path(path, "streams");
  if (globs.empty()) faults.push_back({at, "names no stream"});
  std::vector<std::string_view> known;
  for (const KnownStream& stream : sources.streams) known.push_back(stream.name);
  for (std::size_t i = 0; i < globs.size(); ++i) {
    const bool matches = std::any_of(known.begin(), known.end(), [&](std::string_view stream) {
      return matches_glob(stream, globs[i]);
    });
    if (matches) continue;
    std::string text = "\"" + globs[i] + "\" matches no stream";
    const std::string_view near = nearest(globs[i], known);
    if (!near.empty()) text += "; did you mean \"" + std::string(near) + "\"?";
    faults.push_back({option_path(at, std::to_string(i)), std::move(text)});
  }
}

UplinkConfiguration read_uplink(const std::string& name, const OptionTable& table,
                                const Options& options, std::string_view folder,
                                const ConfigurationSources& sources, Faults& faults) {
  const std::string path = option_path("/uplinks", name);
  UplinkReader reader(options, path, folder, faults);
  UplinkConfiguration uplink;
  uplink.name = name;
  reader.common(uplink);
  if (table.name == "http") {
    uplink.way = reader.http();
  } else if (table.name == "mqtt") {
    uplink.way = reader.mqtt();
  } else {
    uplink.way = reader.file();
  }
  check_globs(uplink.streams, path, sources, faults);
  return uplink;
}

}  // namespace

std::string folder_of(std::string_view file_name) {
  const std::size_t slash = file_name.rfind('/');
  if (slash == std::string_view::npos) return {};
  return std::string(file_name.substr(0, std::max<std::size_t>(slash, 1)));
}

std::string resolved(std::string_view folder, std::string_view path) {
  if (path.empty() || path.starts_with('/') || folder.empty()) return std::string(path);
  const std::string_view joint = folder.ends_with('/') ? "" : "/";
  return std::string(folder).append(joint).append(path);
}

const OptionTable* find_uplink_table(const Json& entry, std::string_view path, Faults& faults) {
  if (!entry.is_object()) {
    faults.push_back({std::string(path), "must be an object, is " + shown(entry)});
    return nullptr;
  }
  const Json* const kind = entry.find("uplink");
  const std::string at = option_path(path, "uplink");
  if (kind == nullptr) {
    faults.push_back({at, "is missing: http, mqtt or file"});
    return nullptr;
  }
  for (const OptionTable* table : uplink_tables()) {
    if (kind->is_string() && kind->string() == table->name) return table;
  }
  faults.push_back({at, "must be one of http, mqtt, file, is " + shown(*kind)});
  return nullptr;
}

std::vector<UplinkConfiguration> read_uplinks(const Json& uplinks, std::string_view folder,
                                              const ConfigurationSources& sources, Faults& faults) {
  static const std::regex kName{std::string(kNamePattern)};
  std::vector<UplinkConfiguration> read;
  if (!uplinks.is_object()) {
    faults.push_back({"/uplinks", "must be an object, is " + shown(uplinks)});
    return read;
  }
  if (uplinks.object().size() > kMaxUplinks) {
    faults.push_back({"/uplinks", text_of("must be at most %zu, are %zu", kMaxUplinks,
                                          uplinks.object().size())});
    return read;
  }
  for (const auto& [name, entry] : uplinks.object()) {
    const std::string path = option_path("/uplinks", name);
    if (name.size() > kMaxPatternText || !std::regex_match(name, kName)) {
      faults.push_back({path, "the name must have the form " + std::string(kNamePattern)});
    }
    const OptionTable* const table = find_uplink_table(entry, path, faults);
    if (table == nullptr) continue;
    const Options options = parse_options(*table, entry, path, faults);
    read.push_back(read_uplink(name, *table, options, folder, sources, faults));
  }
  return read;
}

}  // namespace berm::control
