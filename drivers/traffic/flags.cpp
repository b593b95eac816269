// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/flags.hpp"

#include <array>
#include <string_view>

namespace berm::drivers::traffic {
namespace {
constexpr std::array<std::string_view, kFlagCount> kWords = {
    "breakup",       "chatter",        "coarse",           "crosstalk",
    "daily_test",    "erratic_counts", "estimate",         "first_missed",
    "half",          "implausible",    "input_down",       "interrupted",
    "late",          "loop_dead",      "lost_edges",       "max_presence",
    "missed",        "no_activity",    "occupancy_bounds", "off_while_off",
    "on_while_on",   "out_of_order",   "pair_mismatch",    "pair_unmatched",
    "pulse_breakup", "reversing",      "second_only",      "sensitivity",
    "still_on",      "swapped_pair",   "unaligned",        "wrong_way"};
}  // namespace

std::string Flags::words() const {
  std::string text;
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if ((bits_ & (1u << i)) == 0) continue;
    if (!text.empty()) text += ' ';
    text += kWords[i];
  }
  return text;
}

}  // namespace berm::drivers::traffic
