// SPDX-License-Identifier: Apache-2.0
// VehicleGate: one lane's loop, or pair of loops in driving direction, turns edges into passages.
// Used by LaneEngine, one per lane.
//
// A pair: a pulse on the first loop opens a passage, a pulse on the second completes the one it
// fits best (pair_motion); older ones it skips are half passages. So a vehicle that changes lane
// between the loops spoils neither the one before nor the one behind it.
//   first loop only   counts, `half`: after the longest crossing its own pulse allows (at most 10
//   s) second loop only  waits 1.5 s, then the engine asks the neighbour lanes (`claim`) and
//   decides still on          counted when its period closes (`force_before`); its later end is
//   absorbed lost edges, input down   what was in hand counts, without speed; nothing is guessed
// Promises: passages come out in order of their leading edge, each once; no allocation; at most
// kMaxOpenPassages wait, beyond that the oldest is ended as it is; cost O(kMaxOpenPassages) per
// edge. Loop thread; a plain value under 1.2 kB. All times are µs of monotonic time.
#pragma once

#include <array>
#include <cstdint>

#include "drivers/traffic/limits.hpp"
#include "drivers/traffic/loop_line.hpp"
#include "drivers/traffic/pair_motion.hpp"
#include "drivers/traffic/passage.hpp"
#include "hal/edge_input.hpp"

namespace berm::drivers::traffic {

// What one edge meant besides passages.
struct GateChange {
  std::int64_t time_us = 0;            // the edge's time as it is believed
  std::int64_t occupied_from_us = -1;  // the first loop was occupied from here to time_us
  std::int64_t unseen_from_us = -1;    // edges were lost from here to time_us
  Flags odd;
};

class VehicleGate {
 public:
  VehicleGate(bool is_pair, const PairGeometry& geometry)
      : geometry_(geometry), is_pair_(is_pair) {}

  void begin(std::int64_t time_us);
  void fail(std::int64_t time_us);    // the input went down
  void resume(std::int64_t time_us);  // and came back

  // `time_us` instead of the edge's own.
  GateChange take(int loop, std::int64_t time_us, const hal::Edge& edge);
  // Ends half passages whose time is over.
  void settle(std::int64_t now_us);
  // The next time at which settle or a decision has something to do; INT64_MAX: none.
  std::int64_t next_due_us() const { return next_due_us_; }

  // The next passage in order, if it is known what it was.
  bool is_ready() const { return is_ready_; }
  bool pop(Passage& passage);

  // A second-loop-only passage that is due for a decision (or began before `before_us`).
  bool undecided(std::int64_t now_us, std::int64_t before_us, PairTimes& second) const;
  // Decides the one `undecided` gave: `is_elsewhere` = a neighbour lane has the first half of it.
  void decide(bool is_elsewhere);
  // This lane has a half passage that fits this second pulse of a neighbour: it is spoken for now.
  bool claim(const PairTimes& second);

  // A vehicle that came before `end_us` is not finished.
  bool holds_before(std::int64_t end_us) const;
  // Finishes all of them as they are. Precondition: nothing undecided before `end_us`.
  void force_before(std::int64_t end_us);

  bool is_occupied() const { return lines_[0].is_on(); }
  std::int64_t occupied_since_us() const { return lines_[0].on_since_us(); }

 private:
  struct Open {
    std::int64_t lead_us = 0;
    std::int64_t a_off_us = -1;
    std::int64_t b_on_us = -1;
    std::int64_t b_off_us = -1;
    std::int64_t due_us = INT64_MAX;
    std::uint32_t resolution_us = 1;
    Flags flags;
    bool is_second_only = false;
    bool has_no_end = false;   // its end on the first loop will never be known
    bool is_resolved = false;  // it is known what it counts as
    bool is_emitted = false;   // popped, or never to be
    bool is_done = false;      // absorbs no pulse any more
    bool is_claimed = false;
    bool counts = true;
  };
  struct Half {
    std::int64_t on_us = 0;
    std::int64_t off_us = -1;  // -1: this slot is free or spoken for
    std::uint32_t resolution_us = 1;
  };

  void first_loop(const LineChange& change, std::uint32_t resolution_us);
  void end_first(std::int64_t time_us, std::uint32_t resolution_us);
  void abort_first(Flag why, std::int64_t time_us);
  void second_loop(const LineChange& change, std::uint32_t resolution_us);
  void end_second(const PairTimes& second);
  void open_second_only(const PairTimes& second);
  int best_match(const PairTimes& second) const;
  void complete(int index, const PairTimes& second);
  void resolve_half(Open& open);
  Open* occupant();
  bool awaits_second(const Open& open) const;
  bool has_own_half(const PairTimes& second) const;
  bool can_be_half_of(const Open& open, const PairTimes& second) const;
  Open& push(std::int64_t lead_us);
  void make_room();
  void refresh();
  void measure(const Open& open, Passage& passage) const;

  PairGeometry geometry_;
  std::array<LoopLine, 2> lines_;
  std::array<Open, kMaxOpenPassages> open_{};
  std::array<Half, kMaxRecentHalves> halves_{};
  std::int64_t known_since_us_ = INT64_MIN;
  std::int64_t next_due_us_ = INT64_MAX;
  std::int64_t last_emitted_us_ = INT64_MIN;
  std::int64_t previous_on_us_ = -1;  // of the passage before, for headway and gap
  std::int64_t previous_off_us_ = -1;
  std::int64_t last_b_off_us_ = INT64_MIN / 2;
  std::uint32_t b_resolution_us_ = 1;
  std::uint8_t size_ = 0;
  std::uint8_t next_half_ = 0;
  bool is_pair_;
  bool is_b_leading_ = true;
  bool is_ready_ = false;
};

}  // namespace berm::drivers::traffic
