// SPDX-License-Identifier: Apache-2.0
// LanePeriodSum: what one lane saw in one period, and the observation made of it. Used by
// LaneEngine, one per lane and open period; a camera's lanes use the same.
//
//   count            passages that count; classes 1…5 and unclassified add up to it
//   speeds           arithmetic mean Σv/N (time-mean) and harmonic N/Σ(1/v) (space-mean), per
//   class, over
//                    the vehicles with a speed; null where there is none
//   occupancy        % of the observed time in which the first loop was occupied (split at the
//   borders) unrest           Σv²/N − (Σv/N)² over all classes, km²/h² availability     % of the
//   period in which the wires could be read and somebody was there to read coverage         that,
//   less the stretches in which edges were lost, 0…1 defect           as MIV: 1 one loop of the
//   pair saw ≥ 5 pulses and the other none, or is held for bad; 2 over 20 % bad counts valid as
//   MIV: 0 regular; 1 something odd; 2 coverage < 0.5 or > 20 % bad; 3 that, by a defect
// A period of which nothing was observed has null counts: no cars is not the same as blind.
// Sources: miv-verkeersdata.xsd; Wardrop 1952 for the two means. Loop thread; a plain value of ~200
// bytes.
#pragma once

#include <array>
#include <cstdint>

#include "drivers/api/observation.hpp"
#include "drivers/traffic/bytes.hpp"
#include "drivers/traffic/passage.hpp"

namespace berm::drivers::traffic {

class LanePeriodSum {
 public:
  void add(const Passage& passage);
  void add_occupied(std::int64_t us) { occupied_us_ += us; }
  void add_unseen(std::int64_t us) { unseen_us_ += us; }
  void add_pulse(int loop) { ++pulses_[static_cast<std::size_t>(loop)]; }
  void add_odd(Flags odd) {
    flags_ |= odd;
    ++odd_edges_;
  }
  void add_flags(Flags flags) { flags_ |= flags; }
  // One loop of the pair is out of use in this period.
  void add_loop_fault() { has_loop_fault_ = true; }

  std::int64_t count() const;
  // Fills the measures of `period`. `unseen_us`: of the whole input, beside this lane's own.
  void fill(LanePeriod& period, std::int64_t length_us, std::int64_t unseen_us, bool is_pair,
            Flags period_flags) const;

  void encode(ByteWriter& writer) const;
  // False: no sum can have been written like this; the sum is empty then.
  bool decode(ByteReader& reader);

 private:
  struct ClassSum {
    std::uint32_t count = 0;
    std::uint32_t speed_count = 0;
    double speeds = 0.0;
    double paces = 0.0;  // Σ 1/v
  };
  void fill_classes(LanePeriod& period) const;
  void judge(LanePeriod& period, bool is_pair, Flags flags) const;
  std::uint32_t bad_counts() const;

  std::array<ClassSum, kClasses> classes_{};
  double speeds_ = 0.0;
  double squares_ = 0.0;
  std::int64_t occupied_us_ = 0;
  std::int64_t unseen_us_ = 0;
  std::uint32_t speed_count_ = 0;
  std::uint32_t unclassified_ = 0;
  std::uint32_t odd_edges_ = 0;
  std::uint32_t bad_passages_ = 0;  // half, second only, implausible
  std::array<std::uint32_t, 2> pulses_{};
  Flags flags_;
  bool has_loop_fault_ = false;
};

}  // namespace berm::drivers::traffic
