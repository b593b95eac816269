// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/configuration_document.hpp"

#include <algorithm>

#include "firmware/control/configuration_sections.hpp"
#include "firmware/control/limits.hpp"
#include "firmware/control/options.hpp"
#include "hal/base/digest.hpp"
#include "hal/base/text.hpp"

namespace berm::control {
namespace {

std::optional<std::string> optional_text(const Options& options, std::string_view key) {
  if (!options.has(key)) return std::nullopt;
  return options.text(key);
}

std::optional<double> optional_number(const Options& options, std::string_view key) {
  if (!options.has(key)) return std::nullopt;
  return options.number(key);
}

// Builds every section, where the option tables found faults with stand-ins, so that the checks
// beyond them are made in the same pass.
class DocumentReader {
 public:
  DocumentReader(const Json& document, std::string_view folder, const ConfigurationSources& sources)
      : document_(document), folder_(folder), sources_(sources) {}

  NodeConfiguration read() {
    top_ = parse_options(document_table(), document_, "", faults_);
    node();
    buses();
    signals();
    outbox();
    made_.streams = read_streams(top_.object_map("streams"), sources_, faults_);
    made_.drivers = read_drivers(top_.json("drivers"), sources_, faults_);
    made_.uplinks = read_uplinks(top_.json("uplinks"), folder_, sources_, faults_);
    local_http();
    simulation();
    allowed_topics();
    check_between_sections(made_, faults_);
    remote();
    return std::move(made_);
  }

  Faults take_faults() { return without_consequences(std::move(faults_)); }

 private:
  void refuse(std::string path, std::string text) {
    faults_.push_back({std::move(path), std::move(text)});
  }

  void node() {
    if (top_.has("node")) made_.node = top_.text("node");
    if (made_.node == "group") refuse("/node", "must not be \"group\": MQTT topics use that word");
    if (top_.has("board")) made_.board = top_.text("board");
    made_.site.node = made_.node;
    if (top_.has("timezone")) made_.site.timezone = top_.text("timezone");
    const Options& site = top_.object("site");
    drivers::Place& place = made_.site.place;
    place.name = optional_text(site, "name");
    place.road = optional_text(site, "road");
    place.direction = optional_text(site, "direction");
    place.km = optional_number(site, "km");
    place.lat = optional_number(site, "lat");
    place.lon = optional_number(site, "lon");
    if (place.lat.has_value() != place.lon.has_value()) {
      refuse("/site", "lat and lon are given together or not at all");
    }
  }

  void buses() {
    for (const auto& [name, bus] : top_.object_map("buses")) {
      made_.buses.push_back({name, bus.text("device"), bus.text("mode"), bus.integer("baud")});
    }
  }

  void signals() {
    for (const auto& [name, options] : top_.object_map("signals")) {
      std::string fault = wire_fault(options);
      if (fault.empty()) {
        made_.signals.push_back({name, wire(options)});
      } else {
        refuse(option_path("/signals", name), std::move(fault));
        made_.signals.push_back({name, GpioSignal{}});
      }
    }
  }

  static std::string wire_fault(const Options& options) {
    const bool is_gpio = options.has("gpio");
    const bool has_unit = options.has("unit");
    const bool has_input = options.has("input");
    if (is_gpio == options.has("modbus")) return "must name either a gpio or a modbus input";
    if (is_gpio && (has_unit || has_input)) return "unit and input belong to modbus, not to gpio";
    if (!is_gpio && !(has_unit && has_input)) return "a modbus signal needs unit and input";
    return {};
  }

  static std::variant<GpioSignal, ModbusSignal> wire(const Options& options) {
    const bool active_low = options.boolean("active_low");
    if (options.has("gpio")) return GpioSignal{options.text("gpio"), active_low};
    return ModbusSignal{options.text("modbus"), static_cast<int>(options.integer("unit")),
                        static_cast<int>(options.integer("input")), active_low};
  }

  void outbox() {
    const Options& options = top_.object("outbox");
    made_.outbox.max_bytes = options.integer("max_bytes");
    made_.outbox.keep_delivered = Seconds{options.integer("keep_delivered_s")};
    made_.outbox.hold_for_clock = Seconds{options.integer("hold_for_clock_s")};
    made_.outbox.write_budget_day_bytes = options.integer("write_budget_day_bytes");
  }

  void local_http() {
    if (!top_.has("local_http")) return;
    auto endpoint = parse_endpoint(top_.object("local_http").text("listen"));
    if (!endpoint) return refuse("/local_http/listen", endpoint.error().text);
    made_.local_http = std::move(*endpoint);
  }

  void simulation() {
    if (!top_.has("simulation")) return;
    const Options& options = top_.object("simulation");
    SimulationConfiguration simulation;
    simulation.signals = resolved(folder_, optional_text(options, "signals").value_or(""));
    simulation.flow_veh_h = options.number("flow_veh_h");
    simulation.seed = options.integer("seed");
    simulation.rate = options.number("rate");
    made_.simulation = std::move(simulation);
  }

  // A stream's own topic needs no leave, named or not: its events go there anyway.
  void allowed_topics() {
    if (!top_.has("allowed_topics")) return;
    const auto& allowed = top_.text_list("allowed_topics");
    made_.allowed_topics = allowed;
    for (const auto& [name, options] : top_.object_map("streams")) {
      if (!options.has("topic")) continue;
      const std::string& topic = options.text("topic");
      if (std::find(allowed.begin(), allowed.end(), topic) != allowed.end()) continue;
      if (is_own_topic(name, topic)) continue;
      refuse(option_path(option_path("/streams", name), "topic"),
             "\"" + topic + "\" is not among /allowed_topics");
    }
  }

  bool is_own_topic(std::string_view stream, std::string_view topic) const {
    return std::any_of(sources_.streams.begin(), sources_.streams.end(), [&](const auto& known) {
      return known.name == stream && known.topic == topic;
    });
  }

  void remote() {
    if (!top_.has("remote")) return;
    const Options& options = top_.object("remote");
    RemoteConfiguration remote;
    remote.uplink = options.text("uplink");
    remote.confirm = Seconds{options.integer("confirm_s")};
    remote.groups = options.text_list("groups");
    remote.public_key_file =
        resolved(folder_, optional_text(options, "public_key_file").value_or(""));
    remote.sequence_floor = options.integer("sequence_floor");
    remote.commands = options.text_list("commands");
    check_remote(made_, remote, options.boolean("unsigned"), faults_);
    made_.remote = std::move(remote);
  }

  const Json& document_;
  const std::string_view folder_;
  const ConfigurationSources& sources_;
  Options top_;
  Faults faults_;
  NodeConfiguration made_;
};

std::vector<std::string> lines_of(const Faults& faults, std::string_view name) {
  std::vector<std::string> lines;
  for (const OptionFault& fault : faults) {
    if (lines.size() == kMaxFaults) {
      lines.push_back(std::string(name) +
                      text_of(": and %zu more faults", faults.size() - kMaxFaults));
      break;
    }
    const std::string path = fault.path.empty() ? "/" : fault.path;
    lines.push_back(std::string(name) + ":" + path + ": " + fault.text);
  }
  return lines;
}

}  // namespace

ParsedConfiguration check_document(const Json& document, std::string_view name,
                                   const ConfigurationSources& sources) {
  // On the simulator's board every loop sees something, whether or not the document says what.
  Json completed = document;
  const Json* const board = document.find("board");
  const bool is_sim = board != nullptr && *board == Json("sim");
  if (is_sim && document.find("simulation") == nullptr) {
    completed.set("simulation", Json(Json::Object{}));
  }
  const std::string folder = folder_of(name);
  DocumentReader reader(completed, folder, sources);
  NodeConfiguration configuration = reader.read();
  ParsedConfiguration parsed;
  parsed.faults = lines_of(reader.take_faults(), name);
  if (!parsed.faults.empty()) return parsed;
  parsed.configuration = std::move(configuration);
  parsed.effective = effective_document(completed, sources);
  parsed.sha256 = sha256_hex(parsed.effective.to_text());
  return parsed;
}

ParsedConfiguration parse_configuration(std::string_view text, std::string_view file_name,
                                        const ConfigurationSources& sources) {
  Json::Limits limits;
  limits.max_bytes = kMaxDocumentBytes;
  limits.comments = true;
  const auto document = Json::parse(text, limits);
  if (document) return check_document(*document, file_name, sources);
  ParsedConfiguration parsed;
  parsed.faults.push_back(std::string(file_name) + ": " + document.error().text);
  return parsed;
}

}  // namespace berm::control
