// SPDX-License-Identifier: Apache-2.0
// Flags of passages and periods: a set of words. In an event they stand sorted, separated by
// spaces. Values; any thread. The bits are in the words' alphabetical order and are stored in
// checkpoints: a new word means a new checkpoint version.
#pragma once

#include <cstdint>
#include <string>

namespace berm::drivers::traffic {

enum class Flag : std::uint8_t {
  breakup,         // a pulse had a hole: its parts were joined
  chatter,         // a loop toggled faster than vehicles can
  coarse,          // resolution over 5 ms: speeds of the pair are rough; over 20 ms there are none
  crosstalk,       // a pulse that was a neighbour lane's: not counted
  daily_test,      // the day's samples failed
  erratic_counts,  // more vehicles a minute than a lane can carry
  estimate,        // speed, length and class by one loop and a learned effective length
  first_missed,    // counted by the second loop: the first missed it and no neighbour lane saw it
  half,            // first loop only
  implausible,     // speed over 250 km/h or a length no vehicle has
  input_down,      // the wires could not be read for a part of the period
  interrupted,     // the agent was stopped within the period
  late,            // an edge came after its period had been emitted and counts in the next
  loop_dead,       // one loop of the pair is not used
  lost_edges,      // the source lost edges
  max_presence,    // a loop is on for longer than vehicles are
  missed,          // nobody was there to see it
  no_activity,     // a loop is silent for longer than chance allows
  occupancy_bounds,  // occupancy and count do not go together
  off_while_off,     // odd edges
  on_while_on,
  out_of_order,
  pair_mismatch,   // one loop of the pair is on longer than the other
  pair_unmatched,  // one loop of the pair misses what the other sees
  pulse_breakup,   // many vehicles leave more than one pulse
  reversing,       // went back over the loops
  second_only,     // second loop only: not counted
  sensitivity,     // the effective length has drifted
  still_on,        // on the loop 5 s after the period's end: counted as unclassified
  swapped_pair,    // the wires of the pair are exchanged
  unaligned,       // begun without true time, or shorter or longer because the clock stepped
  wrong_way,       // drove against the lane's direction
};
inline constexpr int kFlagCount = 32;

class Flags {
 public:
  static constexpr std::uint32_t kAllBits = 0xffff'ffffu >> (32 - kFlagCount);
  constexpr Flags() = default;
  constexpr Flags(Flag flag)  // NOLINT(google-explicit-constructor): a word is a set of one
      : bits_(1u << static_cast<unsigned>(flag)) {}
  static constexpr Flags from_bits(std::uint32_t bits) {
    Flags flags;
    flags.bits_ = bits & kAllBits;
    return flags;
  }
  constexpr std::uint32_t bits() const { return bits_; }
  constexpr bool has(Flag flag) const { return (bits_ & Flags(flag).bits_) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr Flags& operator|=(Flags other) {
    bits_ |= other.bits_;
    return *this;
  }
  friend constexpr Flags operator|(Flags a, Flags b) { return a |= b; }
  friend constexpr bool operator==(Flags, Flags) = default;

  std::string words() const;

 private:
  std::uint32_t bits_ = 0;
};

}  // namespace berm::drivers::traffic
