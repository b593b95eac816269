// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/options.hpp"

#include <map>

#include "drivers/camera_counter/limits.hpp"

namespace berm::drivers::camera_counter {
namespace {

constexpr OptionSpec kLaneRows[] = {
    {.key = "uid",
     .kind = OptionKind::integer,
     .required = true,
     .min = 0,
     .help = "number of the measuring point, unique in the fleet"},
    {.key = "line",
     .kind = OptionKind::any,
     .required = true,
     .help = "the counting line across the lane, [[x, y], [x, y]] in pixels of the picture"},
    {.key = "direction",
     .kind = OptionKind::text,
     .default_json = "\"both\"",
     .help = "which way vehicles are counted, as seen in the picture",
     .choices = "up|down|left|right|both"},
    {.key = "scale",
     .kind = OptionKind::any,
     .help = "two known distances along the road, [[x, y, x, y, metres], …]: gives speed, length "
             "and class"},
    {.key = "compare_with",
     .kind = OptionKind::text,
     .help = "a loop lane that sees the same vehicles, as driver/lane",
     .pattern = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}/[A-Za-z0-9][A-Za-z0-9._-]{0,31}"},
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
constexpr OptionTable kLane{"camera_counter lane", kLaneRows};

constexpr OptionSpec kRows[] = {
    {.key = "camera",
     .kind = OptionKind::text,
     .required = true,
     .help = "rtsp://…, http://…, /dev/videoN or a film's file"},
    {.key = "model",
     .kind = OptionKind::text,
     .help = "an ONNX detector; accepted for documents that name one, this build asks none",
     .is_path = true},
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
    {.key = "memory_bytes",
     .kind = OptionKind::integer,
     .default_json = "268435456",
     .min = 67108864,
     .max = 4294967296,
     .unit = "bytes",
     .help = "memory the worker and its decoder may have, each, shared libraries aside"},
    {.key = "nice",
     .kind = OptionKind::integer,
     .default_json = "10",
     .min = 0,
     .max = 19,
     .help = "how far the worker stands back for the rest of the machine"},
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

}  // namespace

constexpr OptionTable kOptions{"camera_counter", kRows};

void check(const Options& options, std::string_view path, std::vector<OptionFault>& faults) {
  const auto& lanes = options.object_map("lanes");
  const std::string where = std::string(path) + "/lanes";
  if (lanes.empty()) faults.push_back({where, "must have at least one lane"});
  if (lanes.size() > static_cast<std::size_t>(kMaxLanes)) {
    faults.push_back({where, "must have at most " + std::to_string(kMaxLanes) + " lanes, has " +
                                 std::to_string(lanes.size())});
  }
  std::map<std::int64_t, std::string> uids;
  for (const auto& [name, lane] : lanes) {
    if (const auto line = line_from(lane.json("line")); !line) {
      faults.push_back({pointer(path, name, "line"), line.error().text});
    }
    if (lane.has("scale")) {
      const auto scale = scale_from(lane.json("scale"));
      if (!scale) faults.push_back({pointer(path, name, "scale"), scale.error().text});
    }
    const auto [first, is_new] = uids.emplace(lane.integer("uid"), name);
    if (is_new) continue;
    faults.push_back(
        {pointer(path, name, "uid"),
         "uid " + std::to_string(first->first) + " is lane \"" + first->second + "\" already"});
  }
}

CounterOptions counter_options(const Options& options) {
  CounterOptions result;
  result.camera = options.text("camera");
  result.model = text_if(options, "model").value_or("");
  result.period_s = options.integer("period_s");
  result.vehicles = options.boolean("vehicles");
  result.memory_bytes = options.integer("memory_bytes");
  result.nice = options.integer("nice");
  for (const auto& [name, lane] : options.object_map("lanes")) {
    LaneOptions& made = result.lanes.emplace_back();
    made.uid = lane.integer("uid");
    made.camera.name = name;
    if (const auto line = line_from(lane.json("line"))) {
      made.camera.line.from = (*line)[0];
      made.camera.line.to = (*line)[1];
    }
    made.camera.line.direction = direction_from(lane.text("direction")).value_or(Direction::both);
    if (lane.has("scale")) {
      if (const auto scale = scale_from(lane.json("scale"))) made.camera.scale = *scale;
    }
    made.compare_with = text_if(lane, "compare_with").value_or("");
    made.place = {
        text_if(lane, "name"), text_if(lane, "road"),  std::string(lane.text("direction")),
        number_if(lane, "km"), number_if(lane, "lat"), number_if(lane, "lon")};
  }
  return result;
}

std::vector<std::int64_t> uids(const Options& options) {
  std::vector<std::int64_t> result;
  for (const auto& [name, lane] : options.object_map("lanes")) {
    result.push_back(lane.integer("uid"));
  }
  return result;
}

namespace {

Json scale_json(const Scale& scale) {
  Json::Array both;
  for (const KnownDistance& known : scale) {
    both.push_back(Json::Array{Json(known.from.x), Json(known.from.y), Json(known.to.x),
                               Json(known.to.y), Json(known.metres)});
  }
  return Json(std::move(both));
}

}  // namespace

std::string worker_document(const CounterOptions& options) {
  Json lanes{Json::Object{}};
  for (const LaneOptions& lane : options.lanes) {
    const LineSetup& line = lane.camera.line;
    Json one{Json::Object{}};
    one.set("uid", Json(lane.uid));
    one.set("line", Json(Json::Array{Json(Json::Array{Json(line.from.x), Json(line.from.y)}),
                                     Json(Json::Array{Json(line.to.x), Json(line.to.y)})}));
    one.set("direction", Json(word_of(line.direction)));
    if (lane.camera.scale) one.set("scale", scale_json(*lane.camera.scale));
    lanes.set(lane.camera.name, std::move(one));
  }
  Json document{Json::Object{}};
  document.set("camera", Json(options.camera));
  document.set("memory_bytes", Json(options.memory_bytes));
  document.set("lanes", std::move(lanes));
  return document.to_text();
}

}  // namespace berm::drivers::camera_counter
