// SPDX-License-Identifier: Apache-2.0
// berm-camera count: one line of JSON per passage of a film.
#include <cmath>
#include <cstdio>

#include "firmware/agent/arguments.hpp"
#include "firmware/agent/camera_verbs.hpp"
#include "firmware/agent/film_count.hpp"
#include "hal/base/json_writer.hpp"

namespace berm::agent {
namespace {

using namespace drivers::camera_counter;

void number_or_null(JsonWriter& writer, std::string_view key, double value) {
  writer.key(key);
  if (std::isnan(value)) {
    writer.null();
  } else {
    writer.number(value, 2);
  }
}

std::string line_of(const CameraLane& lane, const LinePassage& passage, double rate) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object();
  const auto frame = static_cast<std::int64_t>(std::lround(passage.frame));
  writer.key("frame").integer(frame);
  writer.key("time_s").number(passage.frame / rate, 3);
  writer.key("lane").string(lane.name);
  writer.key("direction").string(word_of(passage.direction));
  const Measured measured = measure(lane, passage, rate);
  number_or_null(writer, "speed_kmh", measured.speed_kmh);
  number_or_null(writer, "length_m", measured.length_m);
  writer.key("class");
  if (measured.length_class == 0) {
    writer.null();
  } else {
    writer.integer(measured.length_class);
  }
  writer.key("confidence").number(passage.confidence, 3);
  writer.end_object();
  return text;
}

}  // namespace

int camera_count_verb(Words words) {
  constexpr ArgumentSpec kSpecs[] = {
      {"--config", true}, {"--driver", true}, {"--source", true}, {"--json"}};
  const auto arguments = Arguments::parse(words, kSpecs, 0);
  if (!arguments) return complain_camera("count", arguments.error().text, kBadUsage);
  const auto config = arguments->value("--config");
  const auto source = arguments->value("--source");
  if (!config || !source) {
    return complain_camera(
        "count", "usage: berm-camera count --config FILE [--driver NAME] --source VIDEO --json",
        kBadUsage);
  }
  const auto options = read_camera(*config, arguments->value("--driver").value_or(""));
  if (!options) return complain_camera("count", options.error().text, kBadUsage);
  std::vector<CameraLane> lanes;
  for (const LaneOptions& lane : options->lanes) lanes.push_back(lane.camera);
  const auto cost = count_film(lanes, *source, [&](const FilmPassage& found) {
    // The rate is the film's; a passage comes only after it is known.
    std::printf("%s\n", line_of(lanes[found.lane], found.passage, found.rate).c_str());
  });
  std::fflush(stdout);
  if (!cost) {
    const bool is_usage = cost.error().code == ErrorCode::invalid;
    return complain_camera("count", cost.error().text, is_usage ? kBadUsage : kFailed);
  }
  return kDone;
}

}  // namespace berm::agent
