// SPDX-License-Identifier: Apache-2.0
// CameraLane: what a site says of one lane of a camera, and the scale of the picture at its line.
//
// A scale is two known distances along the road, each as its two ends in the picture and its
// metres. The pixels of a metre along a level road grow with the square of the distance to the
// horizon, so between and beyond the two their square root is taken as linear. Source: pinhole
// model, e.g. Hartley & Zisserman, Multiple View Geometry, chapter 8. Pure values; any thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "drivers/camera_counter/lane_counter.hpp"
#include "hal/base/json.hpp"

namespace berm::drivers::camera_counter {

struct KnownDistance {
  Point from, to;
  double metres = 0.0;
};
using Scale = std::array<KnownDistance, 2>;

struct CameraLane {
  std::string name;
  LineSetup line;
  std::optional<Scale> scale;
};

// [[x, y], [x, y]]; an Error says what is wrong with it.
Result<std::array<Point, 2>> line_from(const Json& value);
// [[x, y, x, y, metres], [x, y, x, y, metres]]
Result<Scale> scale_from(const Json& value);
std::optional<Direction> direction_from(std::string_view word);
std::string_view word_of(Direction direction);

// Pixels of a metre along the road, at the middle of the line.
double pixels_per_metre(const CameraLane& lane, const Scale& scale);

// What is known of a passage in the world's units; NaN without a scale.
struct Measured {
  double speed_kmh = 0.0;
  double length_m = 0.0;
  int length_class = 0;  // 0: unknown
};
Measured measure(const CameraLane& lane, const LinePassage& passage, double rate);

}  // namespace berm::drivers::camera_counter
