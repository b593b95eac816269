// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/diagnosis.hpp"

#include <array>
#include <cstdio>

namespace berm::drivers::traffic {
namespace {

struct Row {
  std::string_view name;
  Flag flag;
};
constexpr std::array<Row, kFaultCount> kRows{{
    {"no_activity", Flag::no_activity},
    {"max_presence", Flag::max_presence},
    {"erratic_counts", Flag::erratic_counts},
    {"chatter", Flag::chatter},
    {"loop_dead", Flag::loop_dead},
    {"crosstalk", Flag::crosstalk},
    {"pulse_breakup", Flag::pulse_breakup},
    {"pair_mismatch", Flag::pair_mismatch},
    {"pair_unmatched", Flag::pair_unmatched},
    {"sensitivity", Flag::sensitivity},
    {"swapped_pair", Flag::swapped_pair},
    {"occupancy_bounds", Flag::occupancy_bounds},
    {"daily_test", Flag::daily_test},
    {"wrong_way", Flag::wrong_way},
    {"reversing", Flag::reversing},
}};

std::string number(double value, int decimals) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string with_value(const Diagnosis& diagnosis, const std::string& what) {
  const std::string whole = number(diagnosis.value < 0 ? -diagnosis.value : diagnosis.value, 0);
  const std::string loop = "loop " + what;
  const bool has_value =
      diagnosis.fault != Fault::swapped_pair && diagnosis.fault != Fault::reversing;
  if (diagnosis.value == 0.0 && has_value) {
    return (diagnosis.loop >= 0 ? loop + ": " : "") + std::string(name_of(diagnosis.fault)) +
           ", as before the restart";
  }
  switch (diagnosis.fault) {
    case Fault::no_activity:
      return "no vehicle for " + whole +
             " s where the lane's own traffic makes that next to "
             "impossible; not counted meanwhile: loop, feeder, card or a closed lane";
    case Fault::max_presence:
      return loop + " on for " + whole + " s: stuck, detuned or something parked on it";
    case Fault::erratic_counts:
      return whole + " pulses in a minute, more than a lane can carry: chatter or sensitivity";
    case Fault::chatter:
      return loop + " toggles, " + whole + " times a second: loose wire, bad splice or card";
    case Fault::loop_dead:
      return loop + " sees nothing while the other loop counted " + whole +
             " vehicles: cut wire or dead card; counting by the other loop, speeds are estimates";
    case Fault::crosstalk:
      return whole +
             " % of the pulses are those of a neighbour lane: frequencies too close or "
             "feeders side by side";
    case Fault::pulse_breakup:
      return whole + " % of the vehicles leave more than one pulse: sensitivity too low";
    case Fault::pair_mismatch:
      return "pair: trailing loop " + whole + " % " + (diagnosis.value < 0 ? "shorter" : "longer") +
             " on than leading: sensitivity or wiring";
    case Fault::pair_unmatched:
      return loop + " misses " + whole +
             " % of the vehicles that the other loop sees: sensitivity "
             "or position";
    case Fault::sensitivity:
      return "vehicles seem " + whole + " % " + (diagnosis.value < 0 ? "shorter" : "longer") +
             " than they used to: sensitivity has drifted";
    case Fault::swapped_pair:
      return "all traffic seems to drive backwards: the wires of the two loops are exchanged; "
             "counted as if they were not";
    case Fault::occupancy_bounds:
      return "a vehicle is on the loop for " + number(diagnosis.value, 2) +
             " s on average, which does not go with this count: stuck, hanging or breaking pulses";
    case Fault::daily_test:
      return "the day's samples fail (test S" + whole + " of 4): see the loop's README";
    case Fault::wrong_way:
      return "a vehicle drove the wrong way at " + whole + " km/h";
    case Fault::reversing:
      return "a vehicle went back over the loops; not counted";
  }
  return "";
}

}  // namespace

std::string_view name_of(Fault fault) {
  return kRows[static_cast<std::size_t>(fault)].name;
}

Flag flag_of(Fault fault) {
  return kRows[static_cast<std::size_t>(fault)].flag;
}

std::string text_of(const Diagnosis& diagnosis, std::string_view lane, std::string_view first,
                    std::string_view second, std::string_view since) {
  const std::string what(diagnosis.loop == 1 ? second : first);
  std::string text = std::string(lane) + ": " + with_value(diagnosis, what);
  if (!since.empty()) text += " (since " + std::string(since) + ")";
  return text;
}

}  // namespace berm::drivers::traffic
