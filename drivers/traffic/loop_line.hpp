// SPDX-License-Identifier: Apache-2.0
// LoopLine: the edges of one loop become clean pulses. Used by VehicleGate, two per lane.
//
// Promises: time never runs back (an edge before the last one keeps its state, takes the last one's
// time and is odd); every odd edge is said: on while on, off while off, out of order, edges lost
// before it.
//   on while on       the pulse goes on, unless an off follows with the same stamp: polled cards
//   give equal
//                     stamps in no defined order, so that was "off, on" and a second vehicle
//   off while off     nothing happened
//   lost_before > 0   the pulse in hand has no known end (`aborted`); the state is known again from
//   here
// After a start, and after the input failed, a first `on` that only says what the loop's state is
// (or is older than the start) does not count as a leading edge: its vehicle came before, unseen.
// Loop thread; a plain value of 48 bytes.
#pragma once

#include <cstdint>
#include <type_traits>

#include "drivers/traffic/flags.hpp"
#include "hal/edge_input.hpp"

namespace berm::drivers::traffic {

struct LineChange {
  std::int64_t time_us = 0;          // the edge's time as it is believed
  std::int64_t pulse_from_us = -1;   // ended: when the pulse had begun
  std::int64_t unseen_from_us = -1;  // edges were lost since then
  Flags odd;
  bool is_aborted = false;  // a pulse was in hand and has no known end
  bool is_ended = false;    // a pulse ended
  bool is_begun = false;    // a pulse began (after the one that ended, if both)
  bool is_leading = false;  // of the begun one the leading edge was seen
};

class LoopLine {
 public:
  // State off from `time_us` on.
  void begin(std::int64_t time_us);
  // The input failed: the state is unknown until the next edge. True: a pulse was in hand.
  bool fail(std::int64_t time_us);
  // The input is back.
  void resume(std::int64_t time_us);

  // `time_us` instead of the edge's own.
  LineChange take(std::int64_t time_us, const hal::Edge& edge);

  bool is_on() const { return state_ == State::on; }
  std::int64_t on_since_us() const { return on_since_us_; }

 private:
  enum class State : std::uint8_t { off, on, unknown };
  void take_on(LineChange& change);
  void take_off(LineChange& change);

  std::int64_t last_us_ = INT64_MIN;
  std::int64_t on_since_us_ = 0;
  std::int64_t doubled_us_ = INT64_MIN;  // stamp of an on while on
  State state_ = State::off;
  bool is_first_ = true;
};

}  // namespace berm::drivers::traffic
