// SPDX-License-Identifier: Apache-2.0
// Passage: one vehicle over one lane's loops (or line of a picture), as a gate saw it. A plain
// value; µs of monotonic time; what is not known is NaN, -1 or class 0.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "drivers/traffic/flags.hpp"

namespace berm::drivers::traffic {

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

struct Passage {
  std::int64_t lead_us = 0;  // leading edge on the first loop (counted by the second: on that one)
  std::int64_t on_us = -1;   // time on the first loop
  std::int64_t headway_us = -1;  // leading edge of the one before to this one's
  std::int64_t gap_us = -1;      // the one before left the first loop to this one's leading edge
  double speed_kmh = kUnknown;
  double length_m = kUnknown;
  std::uint8_t length_class = 0;  // 0: unclassified
  std::int64_t mismatch_us = 0;   // on the second loop longer than on the first
  float wrong_way_kmh = 0.0F;
  bool is_steady = false;  // of a pair, at steady speed: mismatch_us says something about the loops
  bool counts = true;      // false: only its flags matter
  Flags flags;

  bool has_speed() const { return !std::isnan(speed_kmh); }
};

}  // namespace berm::drivers::traffic
