// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/camera_lane.hpp"

#include <algorithm>
#include <cmath>

#include "drivers/traffic/length_classes.hpp"
#include "drivers/traffic/limits.hpp"
#include "drivers/traffic/passage.hpp"

namespace berm::drivers::camera_counter {
namespace {

constexpr double kMaxCoordinate = 8192.0;

bool is_coordinate(const Json& value) {
  return value.is_number() && value.number() >= 0.0 && value.number() <= kMaxCoordinate;
}

Result<Point> point_from(const Json& value) {
  const bool is_pair = value.is_array() && value.array().size() == 2;
  if (!is_pair || !is_coordinate(value.array()[0]) || !is_coordinate(value.array()[1])) {
    return fail(ErrorCode::invalid, "must be [[x, y], [x, y]] in pixels, 0…8192");
  }
  return Point{value.array()[0].number(), value.array()[1].number()};
}

Point middle_of(Point a, Point b) {
  return {0.5 * (a.x + b.x), 0.5 * (a.y + b.y)};
}

struct Entry {
  std::string_view word;
  Direction direction;
};
constexpr Entry kDirections[] = {{"up", Direction::up},
                                 {"down", Direction::down},
                                 {"left", Direction::left},
                                 {"right", Direction::right},
                                 {"both", Direction::both}};

}  // namespace

Result<std::array<Point, 2>> line_from(const Json& value) {
  if (!value.is_array() || value.array().size() != 2) {
    return fail(ErrorCode::invalid, "must be [[x, y], [x, y]] in pixels, 0…8192");
  }
  BERM_TRY(const Point from, point_from(value.array()[0]));
  BERM_TRY(const Point to, point_from(value.array()[1]));
  if (std::hypot(to.x - from.x, to.y - from.y) < 8.0) {
    return fail(ErrorCode::invalid, "must be at least 8 pixels long");
  }
  return std::array<Point, 2>{from, to};
}

Result<Scale> scale_from(const Json& value) {
  constexpr std::string_view kForm =
      "must be two known distances along the road, [[x, y, x, y, metres], [x, y, x, y, metres]]";
  if (!value.is_array() || value.array().size() != 2) {
    return fail(ErrorCode::invalid, std::string(kForm));
  }
  Scale scale;
  for (std::size_t i = 0; i < 2; ++i) {
    const Json& one = value.array()[i];
    if (!one.is_array() || one.array().size() != 5) {
      return fail(ErrorCode::invalid, std::string(kForm));
    }
    const Json::Array& numbers = one.array();
    if (!std::all_of(numbers.begin(), numbers.end(), is_coordinate)) {
      return fail(ErrorCode::invalid, std::string(kForm));
    }
    KnownDistance& known = scale[i];
    known.from = {numbers[0].number(), numbers[1].number()};
    known.to = {numbers[2].number(), numbers[3].number()};
    known.metres = numbers[4].number();
    const double pixels = std::hypot(known.to.x - known.from.x, known.to.y - known.from.y);
    if (known.metres < 0.1 || pixels < 2.0) {
      return fail(ErrorCode::invalid, "has a distance under 0.1 m or under 2 pixels");
    }
  }
  return scale;
}

std::optional<Direction> direction_from(std::string_view word) {
  for (const Entry& entry : kDirections) {
    if (entry.word == word) return entry.direction;
  }
  return std::nullopt;
}

std::string_view word_of(Direction direction) {
  for (const Entry& entry : kDirections) {
    if (entry.direction == direction) return entry.word;
  }
  return "both";
}

double pixels_per_metre(const CameraLane& lane, const Scale& scale) {
  const Point line = middle_of(lane.line.from, lane.line.to);
  const bool is_flat =
      std::abs(lane.line.to.x - lane.line.from.x) >= std::abs(lane.line.to.y - lane.line.from.y);
  const auto across = [&](Point p) { return is_flat ? p.y : p.x; };
  double at[2];
  double root[2];
  for (std::size_t i = 0; i < 2; ++i) {
    const KnownDistance& known = scale[i];
    at[i] = across(middle_of(known.from, known.to));
    const double pixels = std::hypot(known.to.x - known.from.x, known.to.y - known.from.y);
    root[i] = std::sqrt(pixels / known.metres);
  }
  if (std::abs(at[1] - at[0]) < 1.0) return 0.25 * (root[0] + root[1]) * (root[0] + root[1]);
  const double slope = (root[1] - root[0]) / (at[1] - at[0]);
  const double here = std::max(0.1, root[0] + slope * (across(line) - at[0]));
  return here * here;
}

Measured measure(const CameraLane& lane, const LinePassage& passage, double rate) {
  Measured measured{traffic::kUnknown, traffic::kUnknown, 0};
  if (!lane.scale || rate <= 0.0 || passage.pixels_per_frame <= 0.0) return measured;
  const double scale = pixels_per_metre(lane, *lane.scale);
  const double speed_kmh = passage.pixels_per_frame * rate / scale * 3.6;
  const double length_m = passage.length_pixels / scale;
  if (speed_kmh > traffic::kMaxPlausibleKmh || length_m > traffic::kMaxPlausibleLengthM) {
    return measured;
  }
  measured.speed_kmh = speed_kmh;
  measured.length_m = length_m;
  measured.length_class = traffic::length_class(length_m);
  return measured;
}

}  // namespace berm::drivers::camera_counter
