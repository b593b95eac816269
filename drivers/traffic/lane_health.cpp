// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/lane_health.hpp"

#include <algorithm>
#include <cmath>

#include "drivers/traffic/limits.hpp"

namespace berm::drivers::traffic {
namespace {

constexpr double kSecondsPerUs = 1e-6;
constexpr double kHundred = 100.0;
constexpr float kFastHeadway = 1.0F / 16.0F;
constexpr float kSlowHeadway = 1.0F / 64.0F;
constexpr float kLongestFades = 0.99F;
constexpr std::int64_t kMinuteUs = 60 * kSecondUs;

double seconds(std::int64_t us) {
  return static_cast<double>(us) * kSecondsPerUs;
}
std::size_t at(int loop) {
  return static_cast<std::size_t>(loop);
}

}  // namespace

void LaneHealth::Mean::add(float sample, std::uint16_t most) {
  if (count < most) ++count;
  value += (sample - value) / static_cast<float>(count);
}

void LaneHealth::begin(std::int64_t time_us) {
  for (Loop& loop : loops_) {
    loop.rises.fill(INT64_MIN / 2);
    loop.last_edge_us = time_us;
    loop.alone_since_us = time_us;
    loop.is_on = false;
    loop.on_since_us = -1;
    loop.alone = 0;
  }
  last_rise_us_ = minute_us_ = sample_us_ = sampled_us_ = time_us;
  has_risen_ = false;
}

void LaneHealth::excuse(std::int64_t now_us) {
  for (Loop& loop : loops_) {
    loop.alone = 0;
    loop.is_on = false;
    loop.on_since_us = -1;
    loop.last_edge_us = std::max(loop.last_edge_us, now_us);
  }
  last_rise_us_ = now_us;
  has_risen_ = false;
}

bool LaneHealth::on_edge(int loop, std::int64_t time_us, bool is_on) {
  Loop& one = loops_[at(loop)];
  time_us = std::max(time_us, one.last_edge_us);
  one.last_edge_us = time_us;
  other(loop).alone = 0;
  doubt_us_ = 0;
  if (silent_since_us_ >= 0) {
    doubt_us_ = std::min(time_us - silent_since_us_,
                         static_cast<std::int64_t>(headway_slow_s_ / kSecondsPerUs));
    release(Fault::no_activity, kWholeLane, time_us);
    has_risen_ = false;
  }
  if (is_on == one.is_on) return news_size_ > 0;
  const bool is_lead = loop == lead();
  if (is_lead) sample(time_us);
  if (is_lead && is_on) rise(time_us);
  one.is_on = is_on;
  if (is_on) {
    one.on_since_us = time_us;
    one.rises[one.next_rise] = time_us;
    one.next_rise = static_cast<std::uint8_t>((one.next_rise + 1) % one.rises.size());
    if (one.state == State::good) ++pulses_;
    check_chatter(loop, time_us);
  } else {
    if (one.state == State::good && one.on_since_us >= 0) {
      const auto on_s = static_cast<float>(seconds(time_us - one.on_since_us));
      longest_on_s_ = std::max(on_s, longest_on_s_ * kLongestFades);
    }
    const bool is_stuck_pulse = one.state == State::stuck && one.on_since_us <= one.since_us;
    // Nobody who says otherwise: it is believed at once.
    if (is_stuck_pulse && (!is_pair_ || other(loop).state != State::good || !one.is_disproved))
      set_state(loop, State::good, time_us, time_us, 0.0);
    if (is_pair_) check_pair(loop, time_us);
    if (is_stuck_pulse) one.proven = 0;
  }
  return news_size_ > 0;
}

void LaneHealth::rise(std::int64_t time_us) {
  ++sample_count_;
  const auto headway_s = static_cast<float>(seconds(time_us - last_rise_us_));
  last_rise_us_ = time_us;
  if (!has_risen_) {
    has_risen_ = true;
    return;
  }
  if (headways_ < kLeastHeadways) {
    ++headways_;
    const float rate = 1.0F / static_cast<float>(headways_);
    headway_fast_s_ += (headway_s - headway_fast_s_) * rate;
    headway_slow_s_ = headway_fast_s_;
  } else {
    headway_fast_s_ += (headway_s - headway_fast_s_) * kFastHeadway;
    headway_slow_s_ += (headway_s - headway_slow_s_) * kSlowHeadway;
  }
  longest_s_ = std::max(headway_s, longest_s_ * kLongestFades);
}

void LaneHealth::check_chatter(int loop, std::int64_t time_us) {
  Loop& one = loops_[at(loop)];
  const std::int64_t oldest_us = one.rises[one.next_rise];
  if (one.state != State::chatter) {
    if (time_us - oldest_us > kChatterWithinUs) return;
    const double per_s =
        static_cast<double>(one.rises.size() - 1) / std::max(0.001, seconds(time_us - oldest_us));
    set_state(loop, State::chatter, oldest_us, time_us, per_s);
  } else if (time_us - oldest_us > kChatterSlowUs) {
    set_state(loop, State::good, time_us, time_us, 0.0);
  }
}

// A pulse of `loop` has ended: what does it say of the other?
void LaneHealth::check_pair(int loop, std::int64_t time_us) {
  Loop& one = loops_[at(loop)];
  Loop& fellow = other(loop);
  if (one.state == State::chatter) return;
  if (one.alone == 0) one.alone_since_us = time_us;
  ++one.alone;
  if (one.state == State::dead || one.state == State::stuck) prove(loop, time_us);
  // One that is alone for long is no witness against itself.
  if (one.alone >= 3) fellow.proven = 0;
  if (fellow.state != State::good || time_us - one.alone_since_us < kAloneLeastUs) return;
  const int other_loop = 1 - loop;
  if (fellow.is_on && one.alone >= kStuckPulses) {
    set_state(other_loop, State::stuck, fellow.on_since_us, time_us,
              seconds(time_us - fellow.on_since_us));
    fellow.is_disproved = true;
  } else if (!fellow.is_on && one.alone >= kDeadPulses) {
    set_state(other_loop, State::dead, fellow.last_edge_us, time_us, one.alone);
  }
}

// A loop out of use gives pulses again.
void LaneHealth::prove(int loop, std::int64_t time_us) {
  Loop& one = loops_[at(loop)];
  ++one.proven;
  if (one.proven >= kProvenPulses || other(loop).state != State::good)
    set_state(loop, State::good, time_us, time_us, 0.0);
}

void LaneHealth::set_state(int loop, State state, std::int64_t since_us, std::int64_t now_us,
                           double value) {
  Loop& one = loops_[at(loop)];
  if (one.state == state) return;
  constexpr std::array<Fault, 4> kFaults{Fault::no_activity, Fault::loop_dead, Fault::max_presence,
                                         Fault::chatter};
  if (one.state != State::good) release(kFaults[static_cast<std::size_t>(one.state)], loop, now_us);
  one.state = state;
  one.since_us = since_us;
  one.proven = 0;
  one.alone = 0;
  if (state != State::good)
    hold(kFaults[static_cast<std::size_t>(state)], loop, since_us, now_us, value);
  last_rise_us_ = now_us;
  has_risen_ = false;
}

LoopUse LaneHealth::use() const {
  if (silent_since_us_ >= 0) return LoopUse::none;
  const bool is_first_good = loops_[0].state == State::good;
  if (!is_pair_) return is_first_good ? LoopUse::first : LoopUse::none;
  const bool is_second_good = loops_[1].state == State::good;
  if (is_first_good && is_second_good) return LoopUse::both;
  if (!is_first_good && !is_second_good) return LoopUse::none;
  return is_first_good != is_swapped_ ? LoopUse::first : LoopUse::second;
}

// Of the wires, the one that leads.
int LaneHealth::lead() const {
  const bool is_second = use() == LoopUse::second;
  return is_second != is_swapped_ ? 1 : 0;
}

std::int64_t LaneHealth::blind_since_us() const {
  if (use() != LoopUse::none) return -1;
  if (silent_since_us_ >= 0) return silent_since_us_;
  if (!is_pair_) return loops_[0].since_us;
  return std::max(loops_[0].since_us, loops_[1].since_us);
}

Flags LaneHealth::held() const {
  Flags flags;
  for (int i = 0; i < kFaultCount; ++i) {
    if (((held_ | held_second_) >> i & 1u) != 0) flags |= flag_of(static_cast<Fault>(i));
  }
  return flags;
}

bool LaneHealth::has_bad_loop() const {
  return is_pair_ && use() != LoopUse::both && use() != LoopUse::none;
}

void LaneHealth::hold(Fault fault, int loop, std::int64_t since_us, std::int64_t now_us,
                      double value) {
  std::uint32_t& held = loop == 1 ? held_second_ : held_;
  const std::uint32_t mask = 1u << static_cast<unsigned>(fault);
  if ((held & mask) != 0) return;
  held |= mask;
  if (news_size_ == news_.size()) return;  // 8 at once: the flags of the period still say it
  news_[(news_first_ + news_size_++) % news_.size()] = {
      fault, static_cast<std::int8_t>(loop), true, since_us, now_us, value};
}

void LaneHealth::release(Fault fault, int loop, std::int64_t now_us) {
  if (fault == Fault::no_activity) silent_since_us_ = -1;
  std::uint32_t& held = loop == 1 ? held_second_ : held_;
  const std::uint32_t mask = 1u << static_cast<unsigned>(fault);
  if ((held & mask) == 0) return;
  held &= ~mask;
  if (news_size_ == news_.size()) --news_size_;
  news_[(news_first_ + news_size_++) % news_.size()] = {
      fault, static_cast<std::int8_t>(loop), false, now_us, now_us, 0.0};
}

std::optional<Diagnosis> LaneHealth::next_news() {
  if (news_size_ == 0) return std::nullopt;
  const Diagnosis first = news_[news_first_];
  news_first_ = static_cast<std::uint8_t>((news_first_ + 1) % news_.size());
  --news_size_;
  return first;
}

std::int64_t LaneHealth::next_due_us() const {
  std::int64_t due_us = INT64_MAX;
  for (const Loop& loop : loops_) {
    if (loop.state == State::chatter) due_us = std::min(due_us, loop.last_edge_us + kChatterOverUs);
  }
  return due_us;
}

void LaneHealth::tick(std::int64_t now_us, const Surroundings& surroundings) {
  for (int loop = 0; loop < (is_pair_ ? 2 : 1); ++loop) {
    Loop& one = loops_[at(loop)];
    if (one.state == State::chatter && now_us - one.last_edge_us >= kChatterOverUs)
      set_state(loop, State::good, now_us, now_us, 0.0);
  }
  check_silence(now_us, surroundings);
  check_presence(now_us, surroundings);
  check_minute(now_us, surroundings.limits);
  if (wrong_way_us_ > 0 && now_us - wrong_way_us_ > kWrongWayOverUs) {
    release(Fault::wrong_way, kWholeLane, now_us);
    wrong_way_us_ = 0;
  }
  if (reversing_us_ > 0 && now_us - reversing_us_ > kWrongWayOverUs) {
    release(Fault::reversing, kWholeLane, now_us);
    reversing_us_ = 0;
  }
  sample(now_us);
  const int minute = surroundings.local_minute;
  const bool is_day = minute >= kDayFromMinute && minute < kDayToMinute;
  if (is_day_ && !is_day) is_day_finished_ = true;
  if (is_day && !is_day_) day_ = DaySamples{};
  is_day_ = is_day;
}

// Something on a loop for too long.
void LaneHealth::check_presence(std::int64_t now_us, const Surroundings& surroundings) {
  for (int loop = 0; loop < (is_pair_ ? 2 : 1); ++loop) {
    Loop& one = loops_[at(loop)];
    if (!one.is_on || one.state != State::good) continue;
    const std::int64_t on_us = now_us - one.on_since_us;
    const bool is_over_plan = surroundings.limits.max_presence_min > 0 &&
                              on_us > surroundings.limits.max_presence_min * kMinuteUs;
    // Where vehicles wait for a light, they wait for as long as it is red.
    const double usual_s = kPresenceLongest * static_cast<double>(longest_on_s_);
    const bool do_others_move = on_us > kPresenceLeastUs && seconds(on_us) > usual_s &&
                                surroundings.others >= others_at_rise_ + kPresenceOthers;
    if (!is_over_plan && !do_others_move) continue;
    set_state(loop, State::stuck, one.on_since_us, now_us, seconds(on_us));
    one.is_disproved = false;
  }
}

void LaneHealth::check_silence(std::int64_t now_us, const Surroundings& surroundings) {
  std::int64_t last_us = loops_[0].last_edge_us;
  if (is_pair_) last_us = std::max(last_us, loops_[1].last_edge_us);
  if (last_rise_us_ != looked_rise_us_) others_at_rise_ = surroundings.others;
  looked_rise_us_ = last_rise_us_;
  if (use() == LoopUse::none || loops_[0].is_on || loops_[1].is_on) return;
  const double silent_s = seconds(now_us - last_us);
  const double mean_s = static_cast<double>(std::max(headway_fast_s_, headway_slow_s_));
  double bound_s = std::max(
      {kSilentHeadways * mean_s, kSilentLongest * static_cast<double>(longest_s_), kSilentLeastS});
  // As many elsewhere as would have brought a dozen here.
  const double own_share = static_cast<double>(surroundings.own) /
                           static_cast<double>(std::max<std::uint64_t>(1, surroundings.others));
  const double needed =
      own_share > 0.0 ? std::max(kSilentOthers, kSilentOwn / own_share) : kSilentOthers;
  const bool do_others_count =
      static_cast<double>(surroundings.others - std::min(surroundings.others, others_at_rise_)) >=
      needed;
  if (!do_others_count) {
    const double least_s = surroundings.has_others ? kSilentTogetherLeastS : kSilentOnlyLeastS;
    bound_s = std::max(kSilentAlone * bound_s, least_s);
  }
  const int plan_min = surroundings.limits.no_activity_min;
  const bool is_over_plan = plan_min > 0 && silent_s > 60.0 * plan_min;
  const bool is_over_bound = headways_ >= kLeastHeadways && silent_s > bound_s;
  if (!is_over_bound && !is_over_plan) return;
  // It failed somewhere between the last vehicle and the one that did not come.
  silent_since_us_ = std::min(now_us, last_us + static_cast<std::int64_t>(mean_s / kSecondsPerUs));
  hold(Fault::no_activity, kWholeLane, silent_since_us_, now_us, silent_s);
}

void LaneHealth::check_minute(std::int64_t now_us, const PlanLimits& limits) {
  if (now_us - minute_us_ < kMinuteUs) return;
  const double per_min = pulses_ * static_cast<double>(kMinuteUs) /
                         static_cast<double>(now_us - minute_us_) / (is_pair_ ? 2.0 : 1.0);
  const bool is_over = limits.erratic_counts_per_min > 0 && per_min > limits.erratic_counts_per_min;
  if (is_over) {
    hold(Fault::erratic_counts, kWholeLane, minute_us_, now_us, per_min);
  } else {
    release(Fault::erratic_counts, kWholeLane, now_us);
  }
  pulses_ = 0;
  minute_us_ = now_us;
}

void LaneHealth::on_passage(const Passage& passage) {
  const bool is_shadow = passage.flags.has(Flag::crosstalk);
  crosstalk_.add(is_shadow ? 1.0F : 0.0F, kShareOver);
  judge_share(Fault::crosstalk, crosstalk_, kCrosstalkShare, kHundred, passage.lead_us);
  if (passage.flags.has(Flag::reversing)) {
    hold(Fault::reversing, kWholeLane, passage.lead_us, passage.lead_us, 0.0);
    reversing_us_ = passage.lead_us;
  }
  if (!passage.counts) return;
  breakup_.add(passage.flags.has(Flag::breakup) ? 1.0F : 0.0F, kShareOver);
  judge_share(Fault::pulse_breakup, breakup_, kBreakupShare, kHundred, passage.lead_us);
  if (passage.flags.has(Flag::wrong_way)) {
    on_wrong_way(passage);
    return;
  }
  if (passage.is_steady) backwards_ = 0;
  if (passage.on_us > 0) {
    on_.add(static_cast<float>(seconds(passage.on_us)), kShareOver);
    const bool is_too_short = on_.count >= kShareLeast && on_.value < kShortestMeanOnS;
    const bool is_too_long = effective_.count >= kShareLeast && effective_.value > kLongestMeanM;
    if (is_too_short || is_too_long) {
      hold(Fault::occupancy_bounds, kWholeLane, passage.lead_us, passage.lead_us, on_.value);
    } else {
      release(Fault::occupancy_bounds, kWholeLane, passage.lead_us);
    }
  }
  if (use() == LoopUse::both) on_pair_passage(passage);
}

void LaneHealth::on_wrong_way(const Passage& passage) {
  ++backwards_;
  if (backwards_ < kSwappedInARow) {
    hold(Fault::wrong_way, kWholeLane, passage.lead_us, passage.lead_us, passage.wrong_way_kmh);
    wrong_way_us_ = passage.lead_us;
    return;
  }
  release(Fault::wrong_way, kWholeLane, passage.lead_us);
  wrong_way_us_ = 0;
  backwards_ = 0;
  is_swapped_ = !is_swapped_;
  mismatch_ = first_missed_ = second_missed_ = Mean{};
  if (is_swapped_) {
    hold(Fault::swapped_pair, kWholeLane, passage.lead_us, passage.lead_us, 0.0);
  } else {
    release(Fault::swapped_pair, kWholeLane, passage.lead_us);
  }
}

void LaneHealth::on_pair_passage(const Passage& passage) {
  first_missed_.add(passage.flags.has(Flag::first_missed) ? 1.0F : 0.0F, kShareOver);
  second_missed_.add(passage.flags.has(Flag::half) ? 1.0F : 0.0F, kShareOver);
  const Mean& worse = first_missed_.value > second_missed_.value ? first_missed_ : second_missed_;
  judge_share(Fault::pair_unmatched, worse, kUnmatchedShare, kHundred, passage.lead_us);
  if (!passage.is_steady || passage.on_us <= 0) return;
  const float share = static_cast<float>(passage.mismatch_us) / static_cast<float>(passage.on_us);
  mismatch_.add(std::clamp(share, -1.0F, 1.0F), kShareOver);
  if (std::abs(mismatch_.value) < kMismatchShare / 2.0) mismatch_since_us_ = passage.lead_us;
  judge_share(Fault::pair_mismatch, mismatch_, kMismatchShare, kHundred, passage.lead_us);
  const double effective_m = passage.speed_kmh / 3.6 * seconds(passage.on_us);
  effective_.add(static_cast<float>(effective_m), kShareOver);
  if (passage.length_class != 2) return;
  car_fast_.add(static_cast<float>(effective_m), kDriftFast);
  car_slow_.add(static_cast<float>(effective_m), kDriftSlow);
  if (car_slow_.count < kDriftLeast) return;
  const Mean drift{car_fast_.value / car_slow_.value - 1.0F, car_slow_.count};
  judge_share(Fault::sensitivity, drift, kDriftShare, kHundred, passage.lead_us);
}

void LaneHealth::judge_share(Fault fault, const Mean& mean, double bound, double scale,
                             std::int64_t at_us) {
  if (mean.count < kShareLeast) return;
  const double value = static_cast<double>(mean.value);
  if (std::abs(value) > bound) {
    const bool has_since = fault == Fault::pair_mismatch && mismatch_since_us_ > 0;
    hold(fault, kWholeLane, has_since ? mismatch_since_us_ : at_us, at_us, value * scale);
  } else if (std::abs(value) < bound / 2.0) {
    release(fault, kWholeLane, at_us);
  }
}

// Occupied time of the leading loop in the running sample.
void LaneHealth::sample(std::int64_t now_us) {
  const Loop& lead = loops_[at(this->lead())];
  while (now_us - sample_us_ >= kSampleUs) {
    const std::int64_t end_us = sample_us_ + kSampleUs;
    if (lead.is_on) sample_on_us_ += end_us - std::max(sampled_us_, sample_us_);
    end_sample();
    sample_us_ = sampled_us_ = end_us;
    // A long stretch of the same is one thing, said once.
    if (now_us - sample_us_ > kMinuteUs * 60) sample_us_ = sampled_us_ = now_us;
  }
  if (lead.is_on) {
    sample_on_us_ += now_us - sampled_us_;
  }
  sampled_us_ = now_us;
}

void LaneHealth::end_sample() {
  const double occupancy = seconds(sample_on_us_) / seconds(kSampleUs);
  if (is_day_ && day_.samples < UINT16_MAX) {
    ++day_.samples;
    day_.vehicles += sample_count_;
    if (sample_on_us_ == 0) ++day_.empty;
    if (sample_on_us_ > 0 && sample_count_ == 0) ++day_.uncounted;
    if (occupancy > kDayCrowdedOccupancy) ++day_.crowded;
    const double bands = static_cast<double>(day_.spread.size());
    const auto band = static_cast<std::size_t>(std::clamp(occupancy * bands, 0.0, bands - 1.0));
    if (sample_on_us_ > 0) ++day_.spread[band];
  }
  sample_on_us_ = 0;
  sample_count_ = 0;
}

std::optional<DaySamples> LaneHealth::finished_day() {
  if (!is_day_finished_) return std::nullopt;
  is_day_finished_ = false;
  return day_;
}

void LaneHealth::judge_day(int failed_test, std::int64_t now_us) {
  if (failed_test == 0) {
    release(Fault::daily_test, kWholeLane, now_us);
  } else {
    hold(Fault::daily_test, kWholeLane, now_us, now_us, failed_test);
  }
}

int failed_test_of(const DaySamples& day, const DaySamples& fullest) {
  if (day.samples < kDayLeastSamples) return 0;
  const double samples = day.samples;
  // Samples that its own vehicles would leave empty by chance.
  const double expected_empty = samples * std::exp(-static_cast<double>(day.vehicles) / samples);
  if (day.empty > kDayEmpty && day.empty > 1.5 * expected_empty) return 1;
  if (day.uncounted > kDayUncounted && day.uncounted > 2 * fullest.uncounted) return 2;
  if (day.crowded > kDayCrowded && day.crowded > 2 * fullest.crowded) return 3;
  double occupied = 0.0;
  for (const std::uint16_t count : day.spread) occupied += count;
  if (occupied < kDayCrowded) return 0;
  double entropy = 0.0;
  for (const std::uint16_t count : day.spread) {
    if (count > 0) entropy -= count / occupied * std::log2(count / occupied);
  }
  // All in the lowest band is a quiet road.
  return entropy < kDayLeastEntropyBits && day.spread[0] < occupied / 2.0 ? 4 : 0;
}

}  // namespace berm::drivers::traffic
