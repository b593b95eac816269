// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/period_grid.hpp"

#include <algorithm>
#include <cstdlib>

#include "hal/base/assert.hpp"

namespace berm::drivers::traffic {
namespace {

constexpr std::int64_t kShortestUs = 100'000;  // of a bridging period

std::int64_t floor_div(std::int64_t value, std::int64_t by) {
  const std::int64_t quotient = value / by;
  return value % by < 0 ? quotient - 1 : quotient;
}
std::int64_t floor_s(std::int64_t us) {
  return floor_div(us, kSecondUs);
}
std::int64_t ceil_s(std::int64_t us) {
  return floor_div(us + kSecondUs - 1, kSecondUs);
}

}  // namespace

std::int64_t GridPeriod::period_s() const {
  return std::max<std::int64_t>(1, (label_end_us - label_us + kSecondUs / 2) / kSecondUs);
}

std::int64_t GridPeriod::overlap_us(std::int64_t from_us, std::int64_t to_us) const {
  return std::max<std::int64_t>(0, std::min(to_us, end_us) - std::max(from_us, start_us));
}

std::int64_t PeriodGrid::floor_to_period(std::int64_t wall_us) const {
  return floor_div(wall_us, period_us_) * period_us_;
}

void PeriodGrid::mark_used(std::int64_t label_us, std::int64_t label_end_us) {
  used_.add(floor_s(label_us), std::max(floor_s(label_us) + 1, ceil_s(label_end_us)));
}

GridPeriod& PeriodGrid::push(const GridPeriod& period) {
  BERM_ASSERT(!is_full());
  GridPeriod& place = open_[(first_ + size_++) % kMaxOpenPeriods];
  place = period;
  mark_used(place.label_us, place.label_end_us);
  return place;
}

void PeriodGrid::close_oldest() {
  BERM_ASSERT(size_ > 0);
  first_ = (first_ + 1) % kMaxOpenPeriods;
  --size_;
}

PeriodGrid::Begun PeriodGrid::begin(const Moment& now, const std::string& boot_id,
                                    const Saved* saved) {
  Begun begun;
  if (saved != nullptr) {
    used_ = saved->used;
    backward_steps_ = saved->backward_steps;
    missed_ = saved->missed;
    const bool is_same_boot = saved->boot_id == boot_id;
    for (const GridPeriod& period : saved->open) {
      begun.is_resumed = resume(period, now, *saved, is_same_boot);
      if (begun.is_resumed) break;
      begun.interrupted.push_back(interrupted(period, now, *saved, is_same_boot));
    }
    if (!begun.is_resumed && !saved->open.empty()) {
      miss_after(begun.interrupted.back(), is_same_boot);
    }
  }
  if (size_ == 0) begin_fresh(now);
  find_missed_end(now);
  return begun;
}

// What that life saw of a period which this one cannot go on with.
GridPeriod PeriodGrid::interrupted(GridPeriod period, const Moment& now, const Saved& saved,
                                   bool is_same_boot) const {
  if (is_same_boot && now.is_known()) set_apart(period);
  const std::int64_t length_us = period.length_us();
  const std::int64_t seen_us =
      std::clamp<std::int64_t>(saved.seen.mono_us - period.start_us, 0, length_us);
  period.unseen_us += length_us - seen_us;
  // One that had ended and only waited to be emitted was seen whole.
  if (seen_us < length_us) period.flags |= Flag::interrupted;
  if (is_same_boot) return period;
  period.is_foreign = true;
  const std::int64_t ago_us = now.wall_us - period.label_us;
  period.start_us = now.mono_us - std::max(ago_us, length_us);
  period.end_us = period.start_us + length_us;
  return period;
}

void PeriodGrid::miss_after(const GridPeriod& period, bool is_same_boot) {
  if (period.source != ClockSource::none) {
    const std::int64_t from_s = ceil_s(period.label_end_us);
    add_missed({from_s, from_s, std::nullopt});
  } else if (is_same_boot) {
    missed_from_us_ = period.end_us;
  }
}

void PeriodGrid::add_missed(Missed missed) {
  // A stretch whose end was never known goes on until this one's.
  if (!missed_.empty() && !missed_.back().until_s) return;
  missed_.push_back(missed);
  if (missed_.size() <= kMaxMissedStretches) return;
  missed_[1].from_s = missed_[0].from_s;
  missed_[1].origin_s = missed_[0].origin_s;
  missed_.erase(missed_.begin());
}

// Goes on in a saved period if this instant lies in it.
bool PeriodGrid::resume(GridPeriod period, const Moment& now, const Saved& saved,
                        bool is_same_boot) {
  const std::int64_t seen_us = saved.seen.mono_us - period.start_us;
  if (period_us_ != saved.period_s * kSecondUs) return false;
  if (!is_same_boot) {
    if (!now.is_known() || period.source == ClockSource::none) return false;
    const std::int64_t length_us = period.length_us();
    period.start_us = now.mono_us - (now.wall_us - period.label_us);
    period.end_us = period.start_us + length_us;
  }
  if (now.mono_us < period.start_us || now.mono_us >= period.end_us) return false;
  const std::int64_t gone_us = now.mono_us - period.start_us;
  period.unseen_us += std::max<std::int64_t>(0, gone_us - std::max<std::int64_t>(0, seen_us));
  period.flags |= Flag::interrupted;
  push(period);
  life_start_us_ = period.start_us;
  if (period.source != ClockSource::none) life_start_s_ = floor_s(period.label_us);
  return true;
}

void PeriodGrid::begin_fresh(const Moment& now) {
  const std::int64_t label_us = floor_to_period(now.wall_us);
  if (now.is_known() && !used_.contains(floor_s(label_us))) {
    GridPeriod period;
    period.label_us = label_us;
    period.label_end_us = label_us + period_us_;
    period.unseen_us = now.wall_us - label_us;
    period.start_us = now.mono_us - period.unseen_us;
    period.end_us = period.start_us + period_us_;
    period.source = now.source;
    push(period);
  } else {
    // What is to be known of this life's time may be any time, one already reported too.
    const bool may_repeat = !now.is_known() && used_.next_used(INT64_MIN) != INT64_MAX;
    if (may_repeat || used_.contains(floor_s(now.wall_us))) ++backward_steps_;
    open_next(now);
  }
  life_start_us_ = newest().start_us;
  if (now.is_known()) life_start_s_ = floor_s(newest().label_us);
}

// One begun without true time that ends with it: those before it may have left with an estimate,
// and be as long, and seem to begin where it did. A second more makes it another.
void PeriodGrid::set_apart(GridPeriod& period) {
  if (period.source != ClockSource::none) return;
  period.end_us += kSecondUs;
  period.label_end_us += kSecondUs;
}

GridPeriod PeriodGrid::oldest_to_report(const Moment& now) const {
  GridPeriod period = oldest();
  const bool was_newest = size_ == 1 || at(1).source != ClockSource::none;  // set apart then
  if (was_newest || period.source != ClockSource::none || !now.is_known()) return period;
  set_apart(period);
  period.unseen_us += kSecondUs;  // the next one's
  return period;
}

void PeriodGrid::open_next(const Moment& now) {
  if (size_ > 0 && now.is_known()) set_apart(open_[slot(size_ - 1)]);
  GridPeriod period;
  period.start_us = size_ > 0 ? newest().end_us : now.mono_us;
  period.source = now.source;
  const std::int64_t wall_us = now.wall_at(period.start_us);
  period.label_us = wall_us;
  if (size_ > 0) {
    const std::int64_t expected_us = newest().label_end_us;
    if (std::abs(wall_us - expected_us) <= kClockSlackUs) {
      period.label_us = expected_us;
    } else if (wall_us < expected_us) {
      ++backward_steps_;
    } else if (now.is_known() && newest().source == ClockSource::none) {
      ++backward_steps_;  // the time that is known now may be one that was estimated before
    }
  }
  const std::int64_t boundary_us = floor_to_period(wall_us + kClockSlackUs);
  if (now.is_known() && std::abs(boundary_us - wall_us) <= kClockSlackUs) {
    period.label_us = boundary_us;
  }
  set_label_end(period, now.is_known());
  period.end_us = period.start_us + std::max(kShortestUs, period.label_end_us - wall_us);
  push(period);
  if (now.is_known()) find_missed_end(now);
}

// By how much periods are longer whose start may have been reported before.
std::int64_t PeriodGrid::longer_s(std::uint32_t least) const {
  const std::uint32_t steps = std::max(least, backward_steps_);
  return steps == 0 ? 0 : 1 + (steps - 1) % kMaxLongerS;
}

void PeriodGrid::set_label_end(GridPeriod& period, bool is_known) {
  if (used_.contains(floor_s(period.label_us))) {
    period.label_end_us = period.label_us + period_us_ + longer_s(1) * kSecondUs;
    period.flags |= Flag::unaligned;
  } else if (!is_known) {
    period.label_end_us = period.label_us + period_us_ + longer_s(0) * kSecondUs;
    period.flags |= Flag::unaligned;
  } else {
    period.label_end_us = floor_to_period(period.label_us) + period_us_;
    if (period.label_end_us - period.label_us != period_us_) period.flags |= Flag::unaligned;
  }
}

std::size_t PeriodGrid::index_of(std::int64_t mono_us) const {
  for (std::size_t i = size_; i-- > 1;) {
    if (at(i).start_us <= mono_us) return i;
  }
  return 0;
}

void PeriodGrid::add_unseen(std::int64_t from_us, std::int64_t to_us, Flags why) {
  for (std::size_t i = 0; i < size_; ++i) {
    GridPeriod& period = open_[slot(i)];
    const std::int64_t overlap_us = period.overlap_us(from_us, to_us);
    if (overlap_us == 0) continue;
    period.unseen_us += overlap_us;
    period.flags |= why;
  }
}

std::optional<std::int64_t> PeriodGrid::reported_start_us(const GridPeriod& period,
                                                          const Moment& now) {
  if (period.source != ClockSource::none || period.is_foreign) return period.label_us;
  if (!now.is_known()) return std::nullopt;
  const std::int64_t start_us = now.wall_at(period.start_us);
  mark_used(start_us, start_us + period.length_us());
  return start_us;
}

// Once the clock is known, it is also known where this life began.
void PeriodGrid::find_missed_end(const Moment& now) {
  if (!now.is_known()) return;
  known_by_ = now.source;
  if (!life_start_s_) {
    const std::int64_t start_us = now.wall_at(life_start_us_);
    life_start_s_ = floor_s(start_us);
    if (now.wall_us > start_us) mark_used(start_us, now.wall_us);
  }
  if (missed_from_us_) {
    const std::int64_t from_s = ceil_s(now.wall_at(*missed_from_us_));
    add_missed({from_s, from_s, std::nullopt});
    missed_from_us_.reset();
  }
  if (!missed_.empty() && !missed_.back().until_s) missed_.back().until_s = life_start_s_;
}

bool PeriodGrid::has_missed() const {
  return !missed_.empty() && missed_.front().until_s;
}

std::optional<GridPeriod> PeriodGrid::next_missed() {
  // Time that was reported already, while the clock was ahead, is not missed.
  while (has_missed()) {
    missed_.front().from_s = used_.next_free(missed_.front().from_s);
    if (missed_.front().from_s < *missed_.front().until_s) break;
    missed_.erase(missed_.begin());
  }
  if (!has_missed()) return std::nullopt;
  Missed& missed = missed_.front();
  const std::int64_t period_s = period_us_ / kSecondUs;
  const std::int64_t from_s = missed.from_s;
  std::int64_t end_s = std::min(*missed.until_s, used_.next_used(from_s));
  const bool is_single = from_s - missed.origin_s < kMissedSinglyS;
  if (is_single) end_s = std::min(end_s, (floor_div(from_s, period_s) + 1) * period_s);
  GridPeriod period;
  period.label_us = from_s * kSecondUs;
  period.label_end_us = end_s * kSecondUs;
  period.start_us = life_start_us_ - (life_start_s_.value_or(end_s) - from_s) * kSecondUs;
  period.end_us = period.start_us + (end_s - from_s) * kSecondUs;
  period.unseen_us = period.length_us();
  period.source = known_by_;
  period.is_foreign = true;
  period.flags = Flag::missed;
  if (is_single && end_s - from_s != period_s) period.flags |= Flag::unaligned;
  mark_used(period.label_us, period.label_end_us);
  missed.from_s = end_s;
  return period;
}

PeriodGrid::Saved PeriodGrid::save(const Moment& now, const std::string& boot_id) const {
  Saved saved;
  saved.boot_id = boot_id;
  saved.seen = now;
  saved.period_s = period_us_ / kSecondUs;
  for (std::size_t i = 0; i < size_; ++i) saved.open.push_back(at(i));
  saved.used = used_;
  saved.backward_steps = backward_steps_;
  saved.missed = missed_;
  return saved;
}

}  // namespace berm::drivers::traffic
