// SPDX-License-Identifier: Apache-2.0
#include "drivers/loop_detector/options.hpp"

#include <map>
#include <optional>

namespace berm::drivers::loop_detector {
namespace {

constexpr OptionSpec kLaneRows[] = {
    {.key = "uid",
     .kind = OptionKind::integer,
     .required = true,
     .min = 0,
     .help = "number of the measuring point, unique in the fleet"},
    {.key = "loops",
     .kind = OptionKind::text_list,
     .required = true,
     .help = "one or two names of `signals`, in driving direction"},
    {.key = "loop_length_m",
     .kind = OptionKind::number,
     .default_json = "2.0",
     .min = 0.2,
     .max = 30,
     .unit = "m",
     .help = "length of a loop along the road"},
    {.key = "spacing_m",
     .kind = OptionKind::number,
     .min = 0.5,
     .max = 50,
     .unit = "m",
     .help = "leading edge to leading edge; needed for a pair"},
    {.key = "direction", .kind = OptionKind::text, .help = "driving direction, as reported"},
    {.key = "name",
     .kind = OptionKind::text,
     .help = "name of the measuring point; else the site's"},
    {.key = "lat",
     .kind = OptionKind::number,
     .min = -90,
     .max = 90,
     .unit = "deg",
     .help = "latitude, WGS 84; else the site's"},
    {.key = "lon",
     .kind = OptionKind::number,
     .min = -180,
     .max = 180,
     .unit = "deg",
     .help = "longitude, WGS 84; else the site's"},
    {.key = "km",
     .kind = OptionKind::number,
     .min = -10000,
     .max = 100000,
     .unit = "km",
     .help = "kilometre point; else the site's"},
    {.key = "road", .kind = OptionKind::text, .help = "name of the road; else the site's"},
};
constexpr OptionTable kLane{"loop_detector lane", kLaneRows};

constexpr OptionSpec kRows[] = {
    {.key = "period_s",
     .kind = OptionKind::integer,
     .default_json = "60",
     .min = 1,
     .max = 3600,
     .unit = "s",
     .help = "length of a period; periods are aligned to multiples of it in UTC"},
    {.key = "vehicles",
     .kind = OptionKind::boolean,
     .default_json = "false",
     .help = "also report every single vehicle"},
    {.key = "lanes",
     .kind = OptionKind::object_map,
     .required = true,
     .help = "the lanes by name",
     .pattern = "[A-Za-z0-9][A-Za-z0-9._-]{0,31}",
     .table = &kLane},
};

std::string pointer(std::string_view path, const std::string& lane, std::string_view key) {
  return std::string(path) + "/lanes/" + lane + "/" + std::string(key);
}

std::optional<std::string> text_if(const Options& options, std::string_view key) {
  if (!options.has(key)) return std::nullopt;
  return options.text(key);
}
std::optional<double> number_if(const Options& options, std::string_view key) {
  if (!options.has(key)) return std::nullopt;
  return options.number(key);
}

void check_loops(const Options& lane, std::string_view path, const std::string& name,
                 std::map<std::string, std::string>& used, std::vector<OptionFault>& faults) {
  const auto& loops = lane.text_list("loops");
  if (loops.empty() || loops.size() > 2) {
    faults.push_back({pointer(path, name, "loops"),
                      "must name 1 or 2 loops, names " + std::to_string(loops.size())});
  }
  if (loops.size() == 2 && !lane.has("spacing_m")) {
    faults.push_back({pointer(path, name, "spacing_m"), "is needed for a pair of loops"});
  }
  for (const std::string& loop : loops) {
    const auto [first, is_new] = used.emplace(loop, name);
    if (is_new) continue;
    faults.push_back({pointer(path, name, "loops"),
                      "loop \"" + loop + "\" is used by lane \"" + first->second + "\" already"});
  }
}

}  // namespace

constexpr OptionTable kOptions{"loop_detector", kRows};

void check(const Options& options, std::string_view path, std::vector<OptionFault>& faults) {
  const auto& lanes = options.object_map("lanes");
  const std::string where = std::string(path) + "/lanes";
  if (lanes.empty()) faults.push_back({where, "must have at least one lane"});
  if (lanes.size() > traffic::kMaxLanes) {
    faults.push_back({where, "must have at most " + std::to_string(traffic::kMaxLanes) +
                                 " lanes, has " + std::to_string(lanes.size())});
  }
  std::map<std::int64_t, std::string> uids;
  std::map<std::string, std::string> loops;
  for (const auto& [name, lane] : lanes) {
    check_loops(lane, path, name, loops, faults);
    const auto [first, is_new] = uids.emplace(lane.integer("uid"), name);
    if (is_new) continue;
    faults.push_back(
        {pointer(path, name, "uid"),
         "uid " + std::to_string(first->first) + " is lane \"" + first->second + "\" already"});
  }
}

DetectorOptions detector_options(const Options& options) {
  DetectorOptions result;
  result.period_s = options.integer("period_s");
  result.vehicles = options.boolean("vehicles");
  for (const auto& [name, lane] : options.object_map("lanes")) {
    LaneOptions& made = result.lanes.emplace_back();
    made.name = name;
    made.loops = lane.text_list("loops");
    made.engine.uid = lane.integer("uid");
    made.engine.is_pair = made.loops.size() == 2;
    made.engine.geometry.loop_length_m = lane.number("loop_length_m");
    if (made.engine.is_pair) made.engine.geometry.spacing_m = lane.number("spacing_m");
    made.engine.direction = text_if(lane, "direction").value_or("");
    made.place = {text_if(lane, "name"), text_if(lane, "road"),  text_if(lane, "direction"),
                  number_if(lane, "km"), number_if(lane, "lat"), number_if(lane, "lon")};
  }
  return result;
}

std::vector<std::int64_t> uids(const Options& options) {
  std::vector<std::int64_t> result;
  for (const auto& [name, lane] : options.object_map("lanes"))
    result.push_back(lane.integer("uid"));
  return result;
}

std::vector<std::string> signals(const Options& options) {
  std::vector<std::string> result;
  for (const auto& [name, lane] : options.object_map("lanes")) {
    for (const std::string& loop : lane.text_list("loops")) result.push_back(loop);
  }
  return result;
}

std::vector<LoopLane> loop_lanes(const Options& options) {
  std::vector<LoopLane> lanes;
  for (const LaneOptions& lane : detector_options(options).lanes) {
    lanes.push_back({.leading = lane.loops.front(),
                     .trailing = lane.loops.size() > 1 ? lane.loops.back() : "",
                     .loop_length_m = lane.engine.geometry.loop_length_m,
                     .spacing_m = lane.engine.geometry.spacing_m});
  }
  return lanes;
}

}  // namespace berm::drivers::loop_detector
