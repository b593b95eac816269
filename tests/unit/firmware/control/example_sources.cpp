// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/firmware/control/example_sources.hpp"

#include "hal/base/assert.hpp"

namespace berm::control {

const std::string_view kExampleDocument = R"(// a node on the E19
{ "node": "e19-km31",
  "board": "sim", "timezone": "Europe/Brussels",       /* events stay UTC */
  "site": { "name": "E19 km 31.2", "road": "E19", "km": 31.2, "lat": 51.12, "lon": 4.41 },
  "buses":   { "rs485-1": { "device": "/dev/ttyS1", "baud": 19200, "mode": "modbus_rtu" } },
  "signals": { "0A": { "gpio": "header/11", "active_low": true },
               "3A": { "modbus": "rs485-1", "unit": 4, "input": 0 } },
  "drivers": {
    "e19": { "driver": "loop_detector", "period_s": 60,
             "lanes": { "R10": { "uid": 92301, "loops": ["0A", "0B"] } } },
    "gps": { "driver": "gps_position", "gpsd": "127.0.0.1:2947" } },
  "streams": { "traffic.lane": { "topic": "traffic.realtime", "durability": "group 1000",
                                 "when_full": "conserve", "max_age_s": 0 } },
  "outbox": { "max_bytes": 1073741824, "keep_delivered_s": 604800 },
  "uplinks": {
    "flume":  { "uplink": "http", "url": "http://127.0.0.1:9260", "format": "flume",
                "batch_events": 100, "linger_ms": 1000 },
    "broker": { "uplink": "mqtt", "url": "mqtt://127.0.0.1:1883", "payload": "lines",
                "max_message_bytes": 131072 },
    "stick":  { "uplink": "file", "directory": "/media/usb", "hold": false,
                "require_mount": true } },
  "remote": { "uplink": "broker", "confirm_s": 120, "groups": ["flanders"],
              "public_key_file": "/etc/berm/operator.pub", "unsigned": false },
  "local_http": { "listen": "127.0.0.1:9180" },
  "allowed_topics": ["traffic.realtime"],
  "simulation": { "signals": "edges.csv", "flow_veh_h": 900, "seed": 1, "rate": 1.0 } }
)";

namespace {

constexpr OptionSpec kLaneRows[] = {
    {.key = "uid", .kind = OptionKind::integer, .required = true, .min = 1},
    {.key = "loops", .kind = OptionKind::text_list, .required = true},
};
constexpr OptionTable kLane = {"lane", kLaneRows};

constexpr OptionSpec kLoopRows[] = {
    {.key = "period_s",
     .kind = OptionKind::integer,
     .default_json = "60",
     .min = 1,
     .max = 3600,
     .unit = "s",
     .help = "length of a period"},
    {.key = "lanes", .kind = OptionKind::object_map, .required = true, .table = &kLane},
};
constexpr OptionTable kLoops = {"loop_detector", kLoopRows};

constexpr OptionSpec kGpsRows[] = {{.key = "gpsd", .default_json = "\"127.0.0.1:2947\""}};
constexpr OptionTable kGps = {"gps_position", kGpsRows};

void check_loops(const Options& options, std::string_view path, std::vector<OptionFault>& faults) {
  for (const auto& [name, lane] : options.object_map("lanes")) {
    if (lane.text_list("loops").size() <= 2) continue;
    faults.push_back({option_path(path, "lanes"), "lane " + name + " has more than two loops"});
  }
}

std::vector<std::int64_t> uids_of(const Options& options) {
  std::vector<std::int64_t> uids;
  for (const auto& [name, lane] : options.object_map("lanes")) uids.push_back(lane.integer("uid"));
  return uids;
}

std::vector<std::string> signals_of(const Options& options) {
  std::vector<std::string> signals;
  for (const auto& [name, lane] : options.object_map("lanes")) {
    for (const std::string& loop : lane.text_list("loops")) signals.push_back(loop);
  }
  return signals;
}

Result<std::unique_ptr<drivers::Driver>> create_none(std::string_view, const Options&,
                                                     drivers::DriverContext&) {
  return fail(ErrorCode::unsupported, "an example");
}

constexpr drivers::DriverDescriptor kLoopDriver = {
    "loop_detector", "induction loops", &kLoops, &check_loops, &uids_of, &signals_of, &create_none};
constexpr drivers::DriverDescriptor kGpsDriver = {
    "gps_position", "where the node is", &kGps, nullptr, nullptr, nullptr, &create_none};
constexpr const drivers::DriverDescriptor* kDrivers[] = {&kGpsDriver, &kLoopDriver};

constexpr KnownStream kStreams[] = {
    {"traffic.lane", "traffic.realtime", 1000, WhenFull::conserve},
    {"traffic.vehicle", "traffic.vehicles", 60000, WhenFull::oldest},
    {"node.alarm", "node.alarms", 0, WhenFull::oldest},
    {"node.health", "node.health", 1000, WhenFull::oldest},
};

constexpr std::string_view kSmall = R"({"node":"n1","board":"sim","drivers":{}})";

}  // namespace

ConfigurationSources example_sources() {
  return {kDrivers, kStreams};
}

std::string document_with(std::string_view patch) {
  const auto base = Json::parse(kSmall);
  const auto change = Json::parse(patch);
  BERM_ASSERT(base.has_value() && change.has_value());
  return merge_patch(*base, *change).to_text();
}

std::string faults_of(std::string_view document) {
  const auto parsed = parse_configuration(document, "b.json", example_sources());
  BERM_ASSERT(parsed.faults.empty() == parsed.configuration.has_value());
  std::string lines;
  for (const std::string& fault : parsed.faults) lines += fault + "\n";
  return lines;
}

std::string faults_with(std::string_view patch) {
  return faults_of(document_with(patch));
}

}  // namespace berm::control
