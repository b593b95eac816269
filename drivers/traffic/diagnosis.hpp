// SPDX-License-Identifier: Apache-2.0
// Diagnosis: what the engine holds to be wrong with a lane's loops, from when to when. Names are
// those of NTCIP 1202 where it has them (no_activity, max_presence, erratic_counts). Each fault of
// a lane or of one of its loops begins once and ends once; between, periods carry its word in
// `flags`. Thresholds and their sources: limits.hpp and drivers/loop_detector/README.md. Plain
// values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "drivers/traffic/flags.hpp"

namespace berm::drivers::traffic {

enum class Fault : std::uint8_t {
  no_activity,     // NTCIP 1202: no change for longer than chance or the plan allows
  max_presence,    // NTCIP 1202: on for longer than the plan allows, or while the other loop moves
  erratic_counts,  // NTCIP 1202: more vehicles a minute than a lane can carry
  chatter,         // the output toggles faster than vehicles can
  loop_dead,       // one loop of a pair sees nothing while the other counts
  crosstalk,       // pulses that are a neighbour's
  pulse_breakup,   // vehicles leave more than one pulse
  pair_mismatch,   // one loop of the pair is on longer than the other
  pair_unmatched,  // one loop of the pair misses vehicles that the other sees
  sensitivity,     // the effective length has drifted from what was learned
  swapped_pair,    // all traffic seems to drive backwards: the two wires are exchanged
  occupancy_bounds,  // occupancy and count do not go together (Jacobson 1990)
  daily_test,        // the day's samples fail (Chen 2003)
  wrong_way,         // a vehicle drove against the lane's direction
  reversing,         // a vehicle went back over the loops
};
inline constexpr int kFaultCount = 15;
inline constexpr std::int8_t kWholeLane = -1;

struct Diagnosis {
  Fault fault = Fault::no_activity;
  std::int8_t loop = kWholeLane;  // 0 leading, 1 trailing
  bool begins = true;
  std::int64_t since_us = 0;  // monotonic; when the cause began
  std::int64_t at_us = 0;     // when it was found, or found to have ended
  double value = 0.0;         // what was measured, in the unit of the text; 0: in an earlier life
};

std::string_view name_of(Fault fault);
// Of a period while the fault is held.
Flag flag_of(Fault fault);

// A sentence for a technician. `lane`, `first` and `second` are the names of the configuration;
// `since` a local time of day ("03:12").
std::string text_of(const Diagnosis& diagnosis, std::string_view lane, std::string_view first,
                    std::string_view second, std::string_view since);

}  // namespace berm::drivers::traffic
