// SPDX-License-Identifier: Apache-2.0
// `berm fleet`: what an operator does with many nodes, as a plain MQTT client.
//   berm fleet list
//   berm fleet set-config --group G|--node N FILE [--percent P --salt S --spread T --stop-share X]
//   berm fleet cmd NODE|--all COMMAND [ARG…]
//   berm fleet reconcile AUDIT.json       holes of `berm audit --json` become resends
// Everywhere: --broker URL [--user U --password-file F --ca F --cert F --key-file F] [--sign KEY]
// [--json].
#include <algorithm>
#include <array>
#include <cstdio>

#include "firmware/agent/arguments.hpp"
#include "firmware/agent/configuration_file.hpp"
#include "firmware/agent/fleet.hpp"
#include "firmware/agent/verbs.hpp"
#include "firmware/control/limits.hpp"
#include "firmware/control/remote_state.hpp"
#include "firmware/control/url.hpp"
#include "hal/base/text.hpp"
#include "hal/linux/disk.hpp"

namespace berm::agent {
namespace {

constexpr ArgumentSpec kSpecs[] = {
    {"--broker", true},   {"--user", true},       {"--password-file", true}, {"--ca", true},
    {"--cert", true},     {"--key-file", true},   {"--sign", true},          {"--json", false},
    {"--group", true},    {"--node", true},       {"--percent", true},       {"--salt", true},
    {"--spread", true},   {"--stop-share", true}, {"--silent-after", true},  {"--within", true},
    {"--sequence", true}, {"--who", true},        {"--why", true},           {"--all", false},
    {"--timeout", true},  {"--client-id", true}};
constexpr std::size_t kMaxWords = 64;
constexpr std::size_t kMaxAuditBytes = 16u << 20;

int wrong(std::string_view text) {
  return complain("fleet", text, kBadUsage);
}

Result<double> number_of(const Arguments& arguments, std::string_view name, double fallback,
                         double most) {
  const auto text = arguments.value(name);
  if (!text) return fallback;
  const auto number = parse_number(*text);
  if (!number || !(*number >= 0.0 && *number <= most)) {
    return fail(ErrorCode::invalid, std::string(name) + text_of(" must be 0…%g", most));
  }
  return *number;
}

Result<FleetOptions> options_of(const Arguments& arguments) {
  FleetOptions options;
  options.json = arguments.has("--json");
  const hal::SystemDisk disk;
  constexpr std::array<std::string_view, 2> kSchemes = {"mqtt", "mqtts"};
  const auto url = control::parse_url(
      arguments.value("--broker", "BERM_BROKER", "mqtt://127.0.0.1:1883"), kSchemes);
  if (!url) return fail(Error(url.error()).with_context("--broker"));
  options.broker.host = url->host;
  options.broker.port = url->port;
  options.broker.tls = url->scheme == "mqtts";
  options.broker.max_in_flight = hal::kMaxMqttWindow;
  options.broker.client_id = arguments.value("--client-id").value_or("");
  options.broker.user = arguments.value("--user").value_or("");
  if (const auto path = arguments.value("--password-file")) {
    BERM_TRY(const std::string password, disk.read(absolute_path(*path), 4096));
    options.broker.password = std::string(trim(password));
  }
  options.broker.tls_options = {arguments.value("--ca").value_or(""),
                                arguments.value("--cert").value_or(""),
                                arguments.value("--key-file").value_or("")};
  if (const auto path = arguments.value("--sign")) {
    BERM_TRY(const std::string pem, disk.read(absolute_path(*path), kMaxKeyPemBytes));
    BERM_TRY(options.key, PrivateKey::from_pem(pem));
  }
  return options;
}

Result<Json> read_json(const std::string& path, std::size_t most) {
  const hal::SystemDisk disk;
  BERM_TRY(const std::string text, disk.read(absolute_path(path), most));
  Json::Limits limits;
  limits.max_bytes = most;
  limits.comments = true;
  auto json = Json::parse(text, limits);
  if (!json) return fail(std::move(json.error()).with_context(path));
  return std::move(*json);
}

Result<RolloutErrand> rollout_of(const Arguments& arguments) {
  RolloutErrand errand;
  const auto group = arguments.value("--group");
  const auto node = arguments.value("--node");
  if (group.has_value() == node.has_value() || arguments.plain().size() != 2) {
    return fail(ErrorCode::invalid, "usage: berm fleet set-config --group G|--node N FILE");
  }
  errand.goal.layer = group ? "group/" + *group : std::string(control::kNodeLayer);
  errand.goal.node = node.value_or("");
  BERM_TRY(errand.document, read_json(arguments.plain()[1], control::kMaxRemoteDocumentBytes));
  if (!errand.document.is_object()) return fail(ErrorCode::invalid, "FILE must hold an object");
  BERM_TRY(const double percent, number_of(arguments, "--percent", 100.0, 100.0));
  BERM_TRY(const double spread, number_of(arguments, "--spread", 0.0, 604800.0));
  BERM_TRY(errand.goal.stop_share, number_of(arguments, "--stop-share", 0.1, 1.0));
  BERM_TRY(const double silent, number_of(arguments, "--silent-after", 180.0, 86400.0));
  BERM_TRY(const double within, number_of(arguments, "--within", 3600.0, 604800.0));
  BERM_TRY(const double sequence, number_of(arguments, "--sequence", 0.0, 9007199254740991.0));
  if (group) {
    errand.goal.rollout = control::Rollout{percent, arguments.value("--salt").value_or(*group),
                                           static_cast<std::int64_t>(spread)};
  }
  errand.goal.silent_after = Seconds{static_cast<std::int64_t>(silent)};
  errand.within = Seconds{static_cast<std::int64_t>(within)};
  errand.sequence = static_cast<std::int64_t>(sequence);
  errand.who = arguments.value("--who").value_or("");
  errand.why = arguments.value("--why").value_or("");
  return errand;
}

Result<CommandErrand> command_of(const Arguments& arguments) {
  CommandErrand errand;
  errand.all = arguments.has("--all");
  const auto& words = arguments.plain();
  const std::size_t at = errand.all ? 1 : 2;
  if (words.size() <= at) {
    return fail(ErrorCode::invalid, "usage: berm fleet cmd NODE|--all COMMAND [ARG…]");
  }
  BERM_TRY(const double timeout, number_of(arguments, "--timeout", 60.0, 86400.0));
  errand.timeout = Seconds{std::max<std::int64_t>(1, static_cast<std::int64_t>(timeout))};
  Json message;
  message.set("command", words[at]);
  Json::Array rest;
  for (std::size_t i = at + 1; i < words.size(); ++i) rest.emplace_back(words[i]);
  if (!rest.empty()) message.set("args", Json(std::move(rest)));
  errand.messages.push_back({errand.all ? "" : words[1], std::move(message)});
  return errand;
}

// One resend per stream of an epoch with holes.
Result<CommandErrand> reconcile_of(const Arguments& arguments) {
  if (arguments.plain().size() != 2) {
    return fail(ErrorCode::invalid, "usage: berm fleet reconcile AUDIT.json");
  }
  BERM_TRY(const Json audit, read_json(arguments.plain()[1], kMaxAuditBytes));
  const Json* const streams = audit.find("streams");
  if (streams == nullptr || !streams->is_array()) {
    return fail(ErrorCode::invalid, "that is no answer of berm audit --json");
  }
  CommandErrand errand;
  for (const Json& stream : streams->array()) {
    const auto text = [&](std::string_view key) {
      const Json* const value = stream.find(key);
      return value != nullptr && value->is_string() ? value->string() : std::string();
    };
    if (text("missing_ranges").empty()) continue;
    Json::Array words{Json(text("epoch") + "/" + text("stream"))};
    for (const std::string_view range : split(text("missing_ranges"), ' ')) {
      if (!range.empty() && words.size() < kMaxWords) words.emplace_back(range);
    }
    Json message;
    message.set("command", "resend");
    message.set("args", Json(std::move(words)));
    errand.messages.push_back({text("node"), std::move(message)});
  }
  return errand;
}

int with_errand(Fleet& fleet, const Arguments& arguments) {
  const std::string& what = arguments.plain()[0];
  if (what == "list") return fleet.list();
  if (what == "set-config") {
    auto errand = rollout_of(arguments);
    return errand ? fleet.roll_out(std::move(*errand)) : wrong(errand.error().text);
  }
  if (what == "cmd" || what == "reconcile") {
    auto errand = what == "cmd" ? command_of(arguments) : reconcile_of(arguments);
    if (!errand) return wrong(errand.error().text);
    if (errand->messages.empty()) {
      std::puts("nothing is missing");
      return kDone;
    }
    return fleet.command(std::move(*errand));
  }
  return wrong("list, set-config, cmd or reconcile; not " + what);
}

}  // namespace

int fleet_verb(Words words) {
  const auto arguments = Arguments::parse(words, kSpecs, kMaxWords);
  if (!arguments) return wrong(arguments.error().text);
  if (arguments->plain().empty()) return wrong("list, set-config, cmd or reconcile?");
  auto options = options_of(*arguments);
  if (!options) return wrong(options.error().text);
  Fleet fleet(std::move(*options));
  return with_errand(fleet, *arguments);
}

}  // namespace berm::agent
