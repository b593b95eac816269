// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/loop_line.hpp"

namespace berm::drivers::traffic {

void LoopLine::begin(std::int64_t time_us) {
  *this = LoopLine{};
  last_us_ = time_us;
}

bool LoopLine::fail(std::int64_t time_us) {
  const bool was_on = state_ == State::on;
  state_ = State::unknown;
  doubled_us_ = INT64_MIN;
  if (time_us > last_us_) last_us_ = time_us;
  return was_on;
}

void LoopLine::resume(std::int64_t time_us) {
  is_first_ = true;
  if (time_us > last_us_) last_us_ = time_us;
}

LineChange LoopLine::take(std::int64_t time_us, const hal::Edge& edge) {
  LineChange change;
  change.time_us = time_us;
  const bool is_unseen = is_first_ && (edge.tells_state || time_us < last_us_);
  if (time_us < last_us_) {
    // Before our first edge this is a state from before the start, not disorder.
    if (!is_first_) change.odd |= Flag::out_of_order;
    change.time_us = last_us_;
  }
  if (edge.lost_before > 0) {
    change.odd |= Flag::lost_edges;
    change.unseen_from_us = last_us_;
    change.is_aborted = state_ == State::on;
    state_ = State::unknown;
  }
  if (edge.on) {
    take_on(change);
    change.is_leading = change.is_begun && !is_unseen;
  } else {
    take_off(change);
  }
  last_us_ = change.time_us;
  is_first_ = false;
  return change;
}

void LoopLine::take_on(LineChange& change) {
  if (state_ == State::on) {
    change.odd |= Flag::on_while_on;
    doubled_us_ = change.time_us;
    return;
  }
  state_ = State::on;
  on_since_us_ = change.time_us;
  doubled_us_ = INT64_MIN;
  change.is_begun = true;
}

void LoopLine::take_off(LineChange& change) {
  if (state_ == State::off) {
    change.odd |= Flag::off_while_off;
    return;
  }
  if (state_ == State::unknown) {
    state_ = State::off;
    return;
  }
  change.is_ended = true;
  change.pulse_from_us = on_since_us_;
  if (doubled_us_ == change.time_us) {
    on_since_us_ = change.time_us;
    doubled_us_ = INT64_MIN;
    change.is_begun = true;
    change.is_leading = true;
    return;
  }
  state_ = State::off;
}

}  // namespace berm::drivers::traffic
