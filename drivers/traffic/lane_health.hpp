// SPDX-License-Identifier: Apache-2.0
// LaneHealth: what can be said about one lane's loops from their edges and passages alone, and
// which of them are fit for use. Used by LaneEngine, one per lane; never emits, never counts.
//
//   chatter         8 rises of one loop within 1 s; over when it is quiet for 2 s or slower than 2
//   Hz loop_dead       6 pulses of the other loop, over at least 4 s, and not one edge of this one
//   max_presence    on while the other loop made 4 pulses; or, with the other silent or on too, for
//                   longer than the plan allows, or than 90 s and twice its longest of late
//                   while 30 vehicles passed elsewhere
//   no_activity     the whole lane is silent for 18 of its mean headways (chance below 2e-8 for
//                   Poisson traffic), 3 times its longest of late and 60 s, while others count;
//                   ten times that and at least 12 h where they are silent too (a road may be
//                   closed), 1 h where there are none; or longer than the plan allows
//   erratic_counts  more pulses in a minute than the plan allows
// A loop that is back is believed after 4 pulses beside the other's. Shares below are means over
// the last 128 passages, judged from 64 on, over at half of the bound:
//   pair_mismatch   mean of (on_B − on_A)/on_A beyond ±8 % (Coifman 1999)
//   pair_unmatched  15 % of the vehicles seen by one loop only
//   crosstalk       5 % of the pulses are a neighbour's     pulse_breakup   15 % broken
//   sensitivity     effective length of cars, last 200 against last 5000, differs by 10 %
//   occupancy_bounds  a vehicle is on for less than 45 ms on average, or seems over 25 m long
//   wrong_way       a vehicle drove backwards, reversing: slowly, or stood and went back; over
//   after
//                   5 minutes
//   swapped_pair    5 in a row did
//   daily_test      Chen 2003 on samples of 30 s, 05–22 h local: see `DaySamples`
// Loop thread; a plain value of ~500 bytes; O(1) per edge; times are µs of monotonic time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "drivers/traffic/bytes.hpp"
#include "drivers/traffic/detector_plan.hpp"
#include "drivers/traffic/diagnosis.hpp"
#include "drivers/traffic/limits.hpp"
#include "drivers/traffic/passage.hpp"
#include "drivers/traffic/vehicle_gate.hpp"

namespace berm::drivers::traffic {

// The day's 30-second samples of one lane.
struct DaySamples {
  std::uint16_t samples = 0;
  std::uint16_t empty = 0;      // occupancy 0
  std::uint16_t uncounted = 0;  // occupied, and nobody came
  std::uint16_t crowded = 0;    // occupancy over 35 %
  std::uint32_t vehicles = 0;
  std::array<std::uint16_t, 32> spread{};  // of the occupied ones, by occupancy in 1/32
};

// Which of Chen's four tests the day fails; 0: none. `fullest`: the highest `uncounted` and
// `crowded` of the other lanes of this direction: what they share is traffic, not a fault.
int failed_test_of(const DaySamples& day, const DaySamples& fullest);

class LaneHealth {
 public:
  explicit LaneHealth(bool is_pair) : is_pair_(is_pair) {}

  void begin(std::int64_t time_us);
  // Every edge, also of loops that are not in use. True: something was found.
  bool on_edge(int loop, std::int64_t time_us, bool is_on);
  void on_passage(const Passage& passage);
  // `others`, `own`: vehicles counted so far; `has_others`: there are other lanes.
  struct Surroundings {
    std::uint64_t others = 0;
    std::uint64_t own = 0;  // in this lane
    bool has_others = false;
    int local_minute = 0;  // of the day
    PlanLimits limits;
  };
  void tick(std::int64_t now_us, const Surroundings& surroundings);
  // The input failed or edges were lost: nothing is concluded from the silence.
  void excuse(std::int64_t now_us);
  // This loop has been making pulses of which the other knows nothing: not yet a fault.
  bool is_alone(int loop) const {
    const int wire = is_swapped_ ? 1 - loop : loop;
    return is_pair_ && loops_[static_cast<std::size_t>(wire)].alone > kSuspectPulses;
  }
  // By how much the end of a silence may lie before the edge that shows it.
  std::int64_t doubt_us() const { return doubt_us_; }
  // When tick has something to do at once; INT64_MAX: nothing.
  std::int64_t next_due_us() const;

  // In driving direction: where the wires are exchanged, `first` is the second wire.
  LoopUse use() const;
  bool is_swapped() const { return is_swapped_; }
  // Since when nothing can be seen; -1: it can.
  std::int64_t blind_since_us() const;
  // What is held against it now, and whether it is one loop of the pair.
  Flags held() const;
  bool has_bad_loop() const;
  bool is_bad_whole() const { return use() == LoopUse::none; }

  // What began or ended since the last call, in order.
  std::optional<Diagnosis> next_news();
  // A full day's samples, once, at its end (22 h local).
  std::optional<DaySamples> finished_day();
  const DaySamples& day() const { return day_; }
  void judge_day(int failed_test, std::int64_t now_us);

  // What must be known after a restart: states, faults that are held, shares, the day's samples.
  void encode(ByteWriter& writer) const;
  // False: garbage; nothing is taken from it. After `begin`. What is held is news again.
  bool decode(ByteReader& reader, std::int64_t now_us);

 private:
  enum class State : std::uint8_t { good, dead, stuck, chatter };
  struct Loop {
    std::array<std::int64_t, 8> rises{};
    std::int64_t last_edge_us = 0;
    std::int64_t on_since_us = -1;
    std::int64_t alone_since_us = 0;
    std::int64_t since_us = 0;  // of a state that is not good
    std::uint32_t alone = 0;    // pulses since the other's last edge
    std::uint8_t next_rise = 0;
    std::uint8_t proven = 0;  // pulses since it is back
    State state = State::good;
    bool is_on = false;
    bool is_disproved = true;  // stuck: the other loop counted meanwhile
  };
  // A slow mean of a share.
  struct Mean {
    float value = 0.0F;
    std::uint16_t count = 0;
    void add(float sample, std::uint16_t most);
  };

  int lead() const;
  Loop& other(int loop) { return loops_[1U - static_cast<std::size_t>(loop)]; }
  void rise(std::int64_t time_us);
  void on_wrong_way(const Passage& passage);
  void on_pair_passage(const Passage& passage);
  void check_chatter(int loop, std::int64_t time_us);
  void check_pair(int loop, std::int64_t time_us);
  void prove(int loop, std::int64_t time_us);
  void set_state(int loop, State state, std::int64_t since_us, std::int64_t now_us, double value);
  void check_presence(std::int64_t now_us, const Surroundings& surroundings);
  void check_silence(std::int64_t now_us, const Surroundings& surroundings);
  void check_minute(std::int64_t now_us, const PlanLimits& limits);
  void judge_share(Fault fault, const Mean& mean, double bound, double scale, std::int64_t at_us);
  void hold(Fault fault, int loop, std::int64_t since_us, std::int64_t now_us, double value);
  void release(Fault fault, int loop, std::int64_t now_us);
  void sample(std::int64_t now_us);
  void end_sample();

  std::array<Loop, 2> loops_{};
  std::array<Diagnosis, 8> news_{};
  Mean mismatch_, crosstalk_, breakup_, first_missed_, second_missed_, car_fast_, car_slow_, on_,
      effective_;
  std::int64_t mismatch_since_us_ = 0;
  std::int64_t last_rise_us_ = 0;  // of the lane
  std::int64_t silent_since_us_ = -1;
  std::int64_t doubt_us_ = 0;
  std::int64_t looked_rise_us_ = 0;
  std::int64_t wrong_way_us_ = 0;
  std::int64_t reversing_us_ = 0;
  std::int64_t minute_us_ = 0;
  std::int64_t sample_us_ = 0;  // begin of the running sample
  std::int64_t sampled_us_ = 0;
  std::int64_t sample_on_us_ = 0;
  std::uint64_t others_at_rise_ = 0;
  float headway_fast_s_ = 0.0F;
  float headway_slow_s_ = 0.0F;
  float longest_s_ = 0.0F;         // headway
  float longest_on_s_ = 0.0F;      // of the last hundreds of pulses
  std::uint32_t held_ = 0;         // faults of the lane
  std::uint32_t held_second_ = 0;  // faults of the second loop (of the first: in held_)
  std::uint16_t headways_ = 0;
  std::uint16_t pulses_ = 0;  // in the running minute
  std::uint16_t sample_count_ = 0;
  std::uint8_t news_first_ = 0, news_size_ = 0;
  std::uint8_t backwards_ = 0;  // passages in a row
  bool is_pair_;
  bool is_swapped_ = false;
  bool has_risen_ = false;
  bool is_day_ = false;
  bool is_day_finished_ = false;
  DaySamples day_;
};

}  // namespace berm::drivers::traffic
