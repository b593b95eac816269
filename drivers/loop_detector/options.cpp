// SPDX-License-Identifier: Apache-2.0
#include "drivers/loop_detector/options.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace berm::drivers::loop_detector {
namespace {

constexpr std::string_view kTimeOfDay = "([01][0-9]|2[0-3]):[0-5][0-9]";

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

constexpr OptionSpec kPlanRows[] = {
    {.key = "from",
     .required = true,
     .help = "local time of day from which the row holds",
     .pattern = kTimeOfDay},
    {.key = "to",
     .required = true,
     .help = "and until which; over midnight where it is not later",
     .pattern = kTimeOfDay},
    {.key = "no_activity_min",
     .kind = OptionKind::integer,
     .default_json = "0",
     .min = 0,
     .max = 1440,
     .unit = "min",
     .help = "silence that is a fault (NTCIP 1202); 0: only what its own traffic makes impossible"},
    {.key = "max_presence_min",
     .kind = OptionKind::integer,
     .default_json = "5",
     .min = 0,
     .max = 1440,
     .unit = "min",
     .help = "presence that is a fault (NTCIP 1202); 0: none by time alone"},
    {.key = "erratic_counts_per_min",
     .kind = OptionKind::integer,
     .default_json = "100",
     .min = 0,
     .max = 10000,
     .help = "pulses a minute that are a fault (NTCIP 1202); 0: none"},
};
constexpr OptionSpec kClassRows[] = {
    {.key = "class_1_to_m",
     .kind = OptionKind::number,
     .default_json = "1.0",
     .min = 0,
     .max = 30,
     .unit = "m",
     .help = "longest vehicle of class 1"},
    {.key = "class_2_to_m",
     .kind = OptionKind::number,
     .default_json = "4.9",
     .min = 0,
     .max = 30,
     .unit = "m",
     .help = "longest vehicle of class 2"},
    {.key = "class_3_to_m",
     .kind = OptionKind::number,
     .default_json = "6.9",
     .min = 0,
     .max = 30,
     .unit = "m",
     .help = "longest vehicle of class 3"},
    {.key = "class_4_to_m",
     .kind = OptionKind::number,
     .default_json = "12.0",
     .min = 0,
     .max = 30,
     .unit = "m",
     .help = "longest vehicle of class 4"},
};
constexpr OptionTable kClasses{"loop_detector classes", kClassRows};

constexpr OptionTable kPlan{"loop_detector plan", kPlanRows};

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
    {.key = "classes",
     .kind = OptionKind::object,
     .default_json = "{}",
     .help = "length classes, if not those of MIV; rising",
     .table = &kClasses},
    {.key = "daily_tests",
     .kind = OptionKind::boolean,
     .default_json = "true",
     .help = "test each day's 30-second samples (Chen 2003); false at stop lines"},
    {.key = "plans",
     .kind = OptionKind::object_map,
     .default_json = "{}",
     .help = "what loops may do by time of day; the first row, by name, that holds",
     .pattern = "[A-Za-z0-9][A-Za-z0-9._-]{0,31}",
     .table = &kPlan},
    {.key = "lanes",
     .kind = OptionKind::object_map,
     .required = true,
     .help = "the lanes by name",
     .pattern = "[A-Za-z0-9][A-Za-z0-9._-]{0,31}",
     .table = &kLane},
};

// Minutes of the day of "22:30".
int minutes_of(const std::string& text) {
  const auto digit = [&](std::size_t at) { return text[at] - '0'; };
  if (text.size() != 5) return 0;  // a stand-in of a faulty value
  return (digit(0) * 10 + digit(1)) * 60 + digit(3) * 10 + digit(4);
}

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

traffic::LengthClasses classes_of(const Options& options) {
  constexpr std::array<std::string_view, 4> kKeys{"class_1_to_m", "class_2_to_m", "class_3_to_m",
                                                  "class_4_to_m"};
  traffic::LengthClasses classes;
  const Options& given = options.object("classes");
  for (std::size_t i = 0; i < kKeys.size(); ++i) classes.bounds_m[i] = given.number(kKeys[i]);
  return classes;
}

}  // namespace

constexpr OptionTable kOptions{"loop_detector", kRows};

void check(const Options& options, std::string_view path, std::vector<OptionFault>& faults) {
  const auto bounds = classes_of(options).bounds_m;
  if (!std::is_sorted(bounds.begin(), bounds.end()))
    faults.push_back({std::string(path) + "/classes", "must rise from class 1 to class 4"});
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
  result.daily_tests = options.boolean("daily_tests");
  for (const auto& [name, row] : options.object_map("plans")) {
    result.plan.rows.push_back({minutes_of(row.text("from")),
                                minutes_of(row.text("to")),
                                {static_cast<int>(row.integer("no_activity_min")),
                                 static_cast<int>(row.integer("max_presence_min")),
                                 static_cast<int>(row.integer("erratic_counts_per_min"))}});
  }
  const traffic::LengthClasses classes = classes_of(options);
  for (const auto& [name, lane] : options.object_map("lanes")) {
    LaneOptions& made = result.lanes.emplace_back();
    made.name = name;
    made.loops = lane.text_list("loops");
    made.engine.uid = lane.integer("uid");
    made.engine.is_pair = made.loops.size() == 2;
    made.engine.geometry.loop_length_m = lane.number("loop_length_m");
    if (made.engine.is_pair) made.engine.geometry.spacing_m = lane.number("spacing_m");
    made.engine.geometry.classes = classes;
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
