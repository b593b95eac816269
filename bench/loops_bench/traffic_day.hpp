// SPDX-License-Identifier: Apache-2.0
// TrafficDay: what really drove over four lanes of loop pairs, and the perfect pulses it made.
// Read from two CSV files that toolchain/dev/make_recording writes (and older recordings share):
// edges (time_s, loop, state) and truth (time_s, lane, veh, type, length_m, miv_class,
// speed_mps_at_A, speed_mps_A_to_B). Or made: Poisson traffic, for nights and years.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace berm::bench {

inline constexpr int kLanes = 4;
inline constexpr double kLoopM = 2.0;
inline constexpr double kSpacingM = 4.5;

struct Pulse {
  std::int64_t on_us = 0;
  std::int64_t off_us = 0;
};

struct Vehicle {
  std::int64_t time_us = 0;  // leading edge on the first loop
  int lane = 0;
  double speed_kmh = 0.0;
  double length_m = 0.0;
  int length_class = 0;
  bool has_both = false;  // a pulse on the second loop too
};

struct TrafficDay {
  std::vector<std::vector<Pulse>> lines{2 * kLanes};  // by lane × 2 + loop, in order
  std::vector<Vehicle> vehicles;                      // with a pulse on their lane's first loop
  std::int64_t end_us = 0;
};

// `name`.edges.csv.gz and .truth.csv.gz, or a folder with edges.csv.gz and truth.csv.gz. Ends the
// program with a message where they cannot be read.
TrafficDay read_day(const std::string& name);
// `per_hour` vehicles per lane (hour of the day 0…23 → factor of it), for `days` days.
TrafficDay quiet_days(double per_hour, int days, std::uint64_t seed);

}  // namespace berm::bench
