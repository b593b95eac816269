// SPDX-License-Identifier: Apache-2.0
// Judge: drives a LaneEngine over edges in virtual time and holds what it says against the truth.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "bench/loops_bench/traffic_day.hpp"
#include "drivers/traffic/diagnosis.hpp"
#include "drivers/traffic/lane_engine.hpp"

namespace berm::bench {

inline constexpr std::int64_t kOriginUs = 600'000'000;  // monotonic time of a day's first instant

struct Seen {
  struct Vehicle {
    int lane = 0;
    drivers::traffic::Passage passage;
  };
  struct Period {
    int lane = 0;
    std::int64_t minute = 0;
    drivers::LanePeriod period;
  };
  std::vector<Vehicle> vehicles;  // times since the day's first instant
  std::vector<Period> periods;
  std::vector<std::pair<int, drivers::traffic::Diagnosis>> diagnoses;
  double cpu_s = 0.0;
  std::uint64_t edges = 0;
};

struct RunOptions {
  bool is_single = false;  // only the first loop of each lane is configured
  std::uint32_t resolution_us = 1;
};

Seen watch(const TrafficDay& dirty, const RunOptions& options = {});

struct Score {
  std::int64_t truth = 0;
  std::int64_t counted = 0;
  std::int64_t count_error = 0;  // Σ |counted − truth| over lane minutes
  double speed_error = 0.0;      // Σ |error| km/h, per vehicle
  std::int64_t speeds = 0;
  double minute_speed_error = 0.0;  // per lane minute, of the mean
  std::int64_t minute_speeds = 0;
  std::int64_t right_class = 0;
  std::int64_t classified = 0;
  std::int64_t classifiable = 0;  // with a pulse on both loops, before the dirt
  std::int64_t estimates = 0;
  double length_error = 0.0;
  std::int64_t lengths = 0;

  void add(const Score& other);
  double count_percent() const;
  double speed_mae() const;
  double minute_speed_mae() const;
  double class_percent() const;
};

// Vehicles that left no pulse on their lane's first loop even in the clean recording: (lane, µs).
using Listed = std::vector<std::pair<int, std::int64_t>>;
Listed listed_in(const Seen& clean);

// Of the lanes in `lanes` (bits), between two times.
struct Window {
  unsigned lanes = 0xf;
  std::int64_t from_us = 0;
  std::int64_t to_us = INT64_MAX;
  // A leading edge that noise moved over the border of a minute belongs where it was seen.
  std::int64_t border_us = 0;
};
Score judge(const TrafficDay& truth, const Listed& listed, const Seen& seen,
            const Window& window = {});

}  // namespace berm::bench
