// SPDX-License-Identifier: Apache-2.0
// DetectorPlan: what a lane's loops may do at which time of the day, as the detector plans of a
// traffic controller (NTCIP 1202: vehicleDetectorNoActivity, …MaxPresence, …ErraticCounts). A quiet
// night gets its own row. Plain values; any thread.
#pragma once

#include <cstdint>
#include <vector>

namespace berm::drivers::traffic {

struct PlanLimits {
  int no_activity_min = 0;           // 0: only what the lane's own traffic makes impossible
  int max_presence_min = 5;          // 0: never by time alone
  int erratic_counts_per_min = 100;  // 0: never
};

// [from, to) in minutes of the local day; over midnight where to <= from.
struct PlanRow {
  int from_min = 0;
  int to_min = 0;
  PlanLimits limits;

  bool holds_at(int minute) const {
    if (from_min < to_min) return minute >= from_min && minute < to_min;
    return minute >= from_min || minute < to_min;
  }
};

struct DetectorPlan {
  PlanLimits otherwise;
  std::vector<PlanRow> rows;  // the first that holds

  const PlanLimits& at(int minute) const {
    for (const PlanRow& row : rows) {
      if (row.holds_at(minute)) return row.limits;
    }
    return otherwise;
  }
};

}  // namespace berm::drivers::traffic
