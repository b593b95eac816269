// SPDX-License-Identifier: Apache-2.0
// Observation: what a driver says about the world. Not yet durable, without identity:
// firmware/event gives it node, epoch, stream and sequence. A driver fills one of the structs
// below; what is not known stays empty (std::nullopt) and becomes null, never 0 or a sentinel.
// Field meaning and units: firmware/event
// (`berm schema`). Plain values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "hal/base/time.hpp"

namespace berm::drivers {

inline constexpr int kClasses = 5;  // length classes 1…5 as MIV counts them

// When it happened. `wall` is set where the time is vouched for (the clock was known, or the source
// itself said so); otherwise firmware derives it from `mono` once the clock is known.
// Of a period: its start.
struct When {
  MonoTime mono;
  std::optional<WallTime> wall;
  ClockSource clock = ClockSource::none;  // who vouches for `wall`
};

struct ClassMeasure {
  std::optional<std::int64_t> count;
  std::optional<double> speed_kmh;           // arithmetic mean (time-mean)
  std::optional<double> speed_harmonic_kmh;  // harmonic mean (space-mean)
  std::optional<std::int64_t> speed_count;   // vehicles in those means
};

// Where a measuring point stands; from the site, the lane or a points list.
struct Place {
  std::optional<std::string> name, road, direction;
  std::optional<double> km, lat, lon;
};

struct LanePeriod {  // stream traffic.lane
  When start;
  std::int64_t uid = 0;
  std::string lane;
  std::int64_t period_s = 60;
  std::optional<std::int64_t> count, unclassified_count;
  std::array<ClassMeasure, kClasses> classes;
  std::optional<double> occupancy_percent, availability_percent, unrest;  // unrest: km²/h²
  std::optional<double> coverage;  // 0…1: share of the period really observed
  std::optional<std::int64_t> valid, defect;
  std::string flags;  // words separated by spaces
  std::optional<double> expected, score;
  Place place;
};

struct VehiclePassage {  // stream traffic.vehicle
  When leading_edge;
  std::int64_t uid = 0;
  std::string lane;
  std::optional<double> speed_kmh, length_m;
  std::optional<std::int64_t> length_class, on_ms, headway_ms, gap_ms;
  std::string flags;
};

// A row for a stream whose schema a driver's mapping defines (weather, air) or that has no struct
// of its own: values in any order, by field name.
struct Row {
  using Value = std::variant<std::monostate, std::int64_t, double, std::string>;
  std::string stream;
  When when;
  std::vector<std::pair<std::string, Value>> values;
};

using Observation = std::variant<LanePeriod, VehiclePassage, Row>;

}  // namespace berm::drivers
