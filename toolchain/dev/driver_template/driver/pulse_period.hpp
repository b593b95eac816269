// SPDX-License-Identifier: Apache-2.0
// PulsePeriod: the pure part. Counts the pulses of one wire within one period and keeps how much of
// the period was really observed. Used by driver.cpp only.
//
// A pulse counts in the period its rising edge falls in. Time counts as observed from `observe`
// until `lose_sight` or the end. It has no limit but the counters' 64 bits, takes no memory, and
// cannot fail: an edge that repeats the level the wire has is counted as odd and otherwise ignored.
//
// Values only; one thread at a time. It lives for one period; its successor is made with the same
// level of the wire, and what a stop cut off is made anew from `count` and `observed`.
#pragma once

#include <cstdint>
#include <optional>

#include "hal/edge_input.hpp"

namespace berm::drivers::pulse_counter {

class PulsePeriod {
 public:
  PulsePeriod() = default;
  PulsePeriod(std::int64_t count, Microseconds observed) : count_(count), observed_(observed) {}

  void observe(MonoTime from);
  void lose_sight(MonoTime at);
  void add(const hal::Edge& edge);

  std::int64_t count() const { return count_; }
  std::int64_t odd_edges() const { return odd_edges_; }
  std::int64_t lost_edges() const { return lost_edges_; }
  bool is_observing() const { return observing_since_.has_value(); }
  Microseconds observed(MonoTime until) const;
  // 0…1
  double coverage(MonoTime until, Microseconds period) const;

  // What the next period begins with: this wire's level, and nothing counted.
  PulsePeriod next(MonoTime begin) const;

 private:
  std::int64_t count_ = 0;
  std::int64_t odd_edges_ = 0;
  std::int64_t lost_edges_ = 0;
  Microseconds observed_{0};
  std::optional<MonoTime> observing_since_;
  std::optional<bool> level_;  // nothing: not known
};

}  // namespace berm::drivers::pulse_counter
