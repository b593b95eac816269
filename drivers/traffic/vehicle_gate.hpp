// SPDX-License-Identifier: Apache-2.0
// VehicleGate: one lane's loop, or pair of loops in driving direction, turns edges into passages.
// Used by LaneEngine, one per lane.
//
// A pair: a pulse on the first loop opens a passage, a pulse on the second completes the one it
// fits best (pair_motion); older ones it skips are half passages. So a vehicle that changes lane
// between the loops spoils neither the one before nor the one behind it. Pulses of one loop less
// than 0.2 s apart may be one broken one: the other loop's pulse says whether their union fits
// better; broken on both, distance and speed say that nobody follows so closely (kBreakupGapM).
//   first loop only    after the longest crossing its own pulse allows (at most 10 s), or when it
//                      is passed over, the engine asks the neighbours: a shadow of theirs does not
//                      count (`crosstalk`); after a pulse of the second loop it drove backwards
//                      (`wrong_way`, or, slowly and on both loops at once, `reversing`, which does
//                      not count); else it counts, `half`
//   off the second loop first, after long: it stood over both and went back (`reversing`)
//   second loop only   waits 1.5 s, then the engine asks the neighbour lanes (`claim`, `saw`)
//   still on           counted when its period closes (`force_before`); its later end is absorbed
//   lost edges, input down   what was in hand counts, without speed; nothing is guessed
// One loop (or one of a pair, after `use`): its pulses are the passages; speed, length and class
// are estimates (SpeedEstimate), and say so. By the second loop alone, the leading edge is that one
// less the estimated time between the loops.
// Promises: passages come out in order of their leading edge, each once; no allocation; at most
// kMaxOpenPassages wait, beyond that the oldest is ended as it is; cost O(kMaxOpenPassages) per
// edge. Loop thread; a plain value under 2 kB. All times are µs of monotonic time.
#pragma once

#include <array>
#include <cstdint>

#include "drivers/traffic/limits.hpp"
#include "drivers/traffic/loop_line.hpp"
#include "drivers/traffic/pair_motion.hpp"
#include "drivers/traffic/passage.hpp"
#include "drivers/traffic/speed_estimate.hpp"
#include "hal/edge_input.hpp"

namespace berm::drivers::traffic {

// What one edge meant besides passages.
struct GateChange {
  std::int64_t time_us = 0;            // the edge's time as it is believed
  std::int64_t occupied_from_us = -1;  // the first loop was occupied from here to time_us
  std::int64_t unseen_from_us = -1;    // edges were lost from here to time_us
  Flags odd;
};

// A pulse that found no fellow on the other loop: whose is it?
struct LonePulse {
  int loop = 0;
  std::int64_t on_us = 0;
  std::int64_t off_us = 0;
  std::uint32_t resolution_us = 1;

  PairTimes as_second() const { return {0, 0, on_us, off_us, resolution_us, 0.0}; }
};
struct Verdict {
  bool is_elsewhere = false;  // a neighbour lane has the other half of it
  bool is_shadow = false;     // a neighbour lane's same loop saw the same at the same time
};

// Which loops are listened to. A pair both of whose loops are out of use counts nothing.
enum class LoopUse : std::uint8_t { none, first, second, both };

class VehicleGate {
 public:
  VehicleGate(bool is_pair, const PairGeometry& geometry)
      : geometry_(geometry),
        estimate_(geometry.loop_length_m),
        use_(is_pair ? LoopUse::both : LoopUse::first) {}

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

  // A lone pulse that is due for a decision (or began before `before_us`).
  bool undecided(std::int64_t now_us, std::int64_t before_us, LonePulse& pulse) const;
  // Decides the one that `undecided` gave.
  void decide(const LonePulse& pulse, const Verdict& verdict) {
    decide_at(pulse.on_us, pulse.loop, verdict);
  }
  // This lane has a half passage that fits this second pulse of a neighbour: it is spoken for now.
  bool claim(const PairTimes& second);
  // This lane has a second pulse without its first that fits this first pulse of a neighbour.
  bool has_rest_of(const LonePulse& first) const;
  // This lane's same loop was on at the same time, for as long or longer.
  bool saw(const LonePulse& pulse) const;

  // From now on these loops only. What is in hand is ended as it is: counted where its loop is
  // still in use or has been until now.
  void use(LoopUse use);
  LoopUse use() const { return use_; }
  // What began since then was no vehicle.
  void disown_since(std::int64_t time_us, Flag why);
  const SpeedEstimate& estimate() const { return estimate_; }
  SpeedEstimate& estimate() { return estimate_; }

  // A vehicle that came before `end_us` is not finished.
  bool holds_before(std::int64_t end_us, std::int64_t now_us) const;
  // Finishes all of them as they are; lone pulses among them are `undecided` then.
  void force_before(std::int64_t end_us);

  // Of the loop that occupancy is taken from.
  bool is_occupied() const { return use_ != LoopUse::none && lines_[lead_loop()].is_on(); }
  std::int64_t occupied_since_us() const { return lines_[lead_loop()].on_since_us(); }

 private:
  struct Open {
    std::int64_t lead_us = 0;
    std::int64_t a_off_us = -1;
    std::int64_t b_on_us = -1;
    std::int64_t b_off_us = -1;
    std::int64_t touched_us = -1;  // it was on the second loop and left it, still on the first
    std::int64_t touched_off_us = -1;
    std::int64_t due_us = INT64_MAX;
    std::uint32_t resolution_us = 1;
    Flags flags;
    bool is_second_only = false;
    bool is_joined = false;  // began less than 0.2 s after the one before ended: maybe one pulse
    bool is_rest = false;    // maybe a part of the pulse before or after it
    float wrong_way_mps = 0.0F;
    bool is_lone = false;      // first loop only, waits for a verdict
    bool has_no_end = false;   // its end on the first loop will never be known
    bool is_resolved = false;  // it is known what it counts as
    bool is_emitted = false;   // popped, or never to be
    bool is_held = false;      // whole, but what follows may be its trailer
    bool is_done = false;      // absorbs no pulse any more
    bool is_claimed = false;
    bool counts = true;
  };
  struct Half {
    std::int64_t on_us = 0;
    std::int64_t off_us = -1;  // -1: this slot is free or spoken for
    std::uint32_t resolution_us = 1;
  };
  struct Seen {
    std::int64_t on_us = -1;
    std::int64_t off_us = -1;
    bool is_taken = false;  // it has found its fellow
  };
  // The passages first…last (more than one: parts of a broken pulse) and how they fit.
  struct Match {
    int first = -1;
    int last = -1;
    double mismatch = 0.0;
    bool is_good = false;
  };

  std::size_t lead_loop() const { return use_ == LoopUse::second ? 1 : 0; }
  bool is_two() const { return use_ == LoopUse::both; }
  bool listens_to(int loop) const {
    return is_two() || (use_ != LoopUse::none && static_cast<std::size_t>(loop) == lead_loop());
  }

  void first_loop(const LineChange& change, std::uint32_t resolution_us);
  void end_first(std::int64_t time_us, std::uint32_t resolution_us);
  void end_single(std::size_t index, std::int64_t time_us);
  bool is_one_pulse(const Open& before, const Open& after) const;
  void abort_first(Flag why, std::int64_t time_us);
  void second_loop(const LineChange& change, std::uint32_t resolution_us);
  void end_second(const PairTimes& second);
  void settle_second();
  PairTimes with_touch(PairTimes second);
  bool end_touched(Open& open, std::int64_t time_us);
  void open_second_only();
  std::int64_t crossing_us() const;
  Match best_match(const PairTimes& second, bool with_unions) const;
  void weigh(const PairTimes& second, int first, int last, Match& best) const;
  void complete(const Match& match, const PairTimes& second);
  void join(std::size_t into, std::size_t part);
  void resolve_whole(std::size_t index);
  void resolve_half(Open& open);
  void settle_half(Open& open, const Verdict& verdict);
  void decide_at(std::int64_t on_us, int loop, const Verdict& verdict);
  const Seen* drove_backwards(const Open& open, double& mps) const;
  bool is_backwards(const PairTimes& times, double& mps) const;
  bool is_reversing(const PairTimes& times, double& mps) const;
  void absorb_second(std::int64_t on_us);
  bool fits_change(std::int64_t on_us, std::int64_t off_us, const PairTimes& second) const;
  Open* occupant();
  bool awaits_second(const Open& open) const;
  bool awaits_first(const Open& second_only) const;
  bool has_own_half(const PairTimes& second) const;
  bool can_be_half_of(const Open& open, const PairTimes& second) const;
  PairTimes times_of(const Open& open, const PairTimes& second) const;
  void remember(int loop, std::int64_t on_us, std::int64_t off_us);
  Open& push(std::int64_t lead_us);
  void make_room();
  void refresh();
  void measure(const Open& open, Passage& passage);
  void measure_pair(const Open& open, Passage& passage);
  void measure_single(const Open& open, Passage& passage);

  PairGeometry geometry_;
  SpeedEstimate estimate_;
  std::array<LoopLine, 2> lines_;
  std::array<Open, kMaxOpenPassages> open_{};
  std::array<Half, kMaxRecentHalves> halves_{};
  std::array<std::array<Seen, kMaxRecentPulses>, 2> recent_{};
  PairTimes waiting_;  // a second pulse that fits nothing yet: it may be the part of one
  std::int64_t known_since_us_ = INT64_MIN;
  std::int64_t next_due_us_ = INT64_MAX;
  std::int64_t last_emitted_us_ = INT64_MIN;
  std::int64_t previous_on_us_ = -1;  // of the passage before, for headway and gap
  std::int64_t previous_off_us_ = -1;
  std::int64_t last_a_off_us_ = INT64_MIN / 2;
  std::int64_t last_b_off_us_ = INT64_MIN / 2;
  std::int64_t last_single_us_ = INT64_MIN / 2;
  std::int64_t last_lead_us_ = INT64_MIN;
  double noise_s_ = kFirstNoiseS;  // deviation of on_A − on_B at steady speed, learned
  std::uint32_t b_resolution_us_ = 1;
  std::uint8_t size_ = 0;
  std::uint8_t next_half_ = 0;
  std::array<std::uint8_t, 2> next_recent_{};
  LoopUse use_;
  bool is_b_leading_ = true;
  bool is_waiting_ = false;
  bool is_waiting_ours_ = true;
  bool is_waiting_part_ = false;
  bool is_ready_ = false;
};

}  // namespace berm::drivers::traffic
