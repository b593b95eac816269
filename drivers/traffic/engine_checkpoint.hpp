// SPDX-License-Identifier: Apache-2.0
// The checkpoint of a LaneEngine: open periods, used wall time, and each lane's sums and what was
// learned of its loops, as bytes with
// a version and a checksum (FNV-1a; against damage, not against an enemy). Lanes are known by their
// uid, so a changed configuration keeps what it can. Used by LaneEngine only; pure values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/traffic/lane_engine.hpp"
#include "drivers/traffic/lane_period.hpp"
#include "drivers/traffic/period_grid.hpp"

namespace berm::drivers::traffic {

struct LaneEngine::Checkpoint {
  struct LaneSums {
    std::int64_t uid = 0;
    std::vector<LanePeriodSum> sums;  // one per period of `grid.open`
    std::string learned;              // estimate and health, at most 255 bytes
  };
  PeriodGrid::Saved grid;
  std::vector<LaneSums> lanes;

  // At most kMaxCheckpointBytes: beyond, the sums are left out (the periods will have coverage
  // only).
  std::string encode() const;
  static std::optional<Checkpoint> decode(std::string_view bytes);
  const LaneSums* find(std::int64_t uid) const;
};

}  // namespace berm::drivers::traffic
