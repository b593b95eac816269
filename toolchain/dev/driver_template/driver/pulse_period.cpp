// SPDX-License-Identifier: Apache-2.0
#include "drivers/pulse_counter/pulse_period.hpp"

#include <algorithm>

namespace berm::drivers::pulse_counter {

void PulsePeriod::observe(MonoTime from) {
  if (!observing_since_) observing_since_ = from;
}

void PulsePeriod::lose_sight(MonoTime at) {
  observed_ = observed(at);
  observing_since_.reset();
  level_.reset();
}

void PulsePeriod::add(const hal::Edge& edge) {
  if (edge.lost_before > 0) {
    lost_edges_ += edge.lost_before;
    level_.reset();
  }
  if (level_ == edge.on) {
    ++odd_edges_;
    return;
  }
  // The first edge of a wire tells its level: only a change from off is known to be a vehicle.
  if (edge.on && level_ == false) ++count_;
  level_ = edge.on;
}

Microseconds PulsePeriod::observed(MonoTime until) const {
  if (!observing_since_) return observed_;
  return observed_ + std::max(until - *observing_since_, Microseconds{0});
}

double PulsePeriod::coverage(MonoTime until, Microseconds period) const {
  const auto share =
      static_cast<double>(observed(until).count()) / static_cast<double>(period.count());
  return std::clamp(share, 0.0, 1.0);
}

PulsePeriod PulsePeriod::next(MonoTime begin) const {
  PulsePeriod period;
  period.level_ = level_;
  if (observing_since_) period.observing_since_ = begin;
  return period;
}

}  // namespace berm::drivers::pulse_counter
