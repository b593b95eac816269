// SPDX-License-Identifier: Apache-2.0
// How passages begin, wait, end and leave. Which pulses belong together: vehicle_gate_match.cpp.
#include "drivers/traffic/vehicle_gate.hpp"

#include <algorithm>
#include <cmath>

#include "drivers/traffic/length_classes.hpp"
#include "drivers/traffic/rounding.hpp"
#include "hal/base/assert.hpp"

namespace berm::drivers::traffic {
namespace {
constexpr double kKmhPerMps = 3.6;
constexpr double kSecondsPerUs = 1e-6;
// What is learned of a lane's noise: by passages faster than this, that look steady.
constexpr double kSteadyMps = 8.0;
constexpr double kMostShiftS = 3.0;  // from the second loop's edge back to the first's
constexpr double kNoiseRate = 1.0 / 32.0;
constexpr double kDeviationPerMean = 1.25;  // of a normal distribution's mean absolute value
}  // namespace

void VehicleGate::begin(std::int64_t time_us) {
  for (LoopLine& line : lines_) line.begin(time_us);
  known_since_us_ = time_us;
}

void VehicleGate::fail(std::int64_t time_us) {
  const bool was_first_on = lines_[0].fail(time_us);
  const bool was_second_on = lines_[1].fail(time_us);
  if (lead_loop() == 0 ? was_first_on : was_second_on) abort_first(Flag::input_down, time_us);
  is_waiting_ = false;
  for (std::size_t i = 0; i < size_; ++i) {
    Open& open = open_[i];
    if (open.is_resolved) continue;
    open.flags |= Flag::input_down;
    if (open.is_second_only) open.counts = false;
    open.is_resolved = open.is_done = true;
  }
  previous_on_us_ = previous_off_us_ = -1;
  refresh();
}

void VehicleGate::resume(std::int64_t time_us) {
  for (LoopLine& line : lines_) line.resume(time_us);
  known_since_us_ = time_us;
}

void VehicleGate::use(LoopUse use) {
  if (use == use_) return;
  if (is_waiting_) settle_second();
  const bool keeps_first = use == LoopUse::first || (use == LoopUse::both && lead_loop() == 0);
  for (std::size_t i = 0; i < size_; ++i) {
    Open& open = open_[i];
    if (open.is_resolved && open.is_done) continue;
    // On the first loop now: the passage goes on.
    if (!open.is_second_only && open.a_off_us < 0 && keeps_first) continue;
    if (!open.is_resolved && open.is_second_only) {
      open.counts = open.counts && use == LoopUse::second;
      open.flags |= open.counts ? Flag::first_missed : Flag::second_only;
    } else if (!open.is_resolved && open.a_off_us < 0) {
      open.counts = false;  // stuck or toggling: no vehicle we know of
    }
    open.is_resolved = open.is_done = true;
  }
  use_ = use;
  previous_on_us_ = previous_off_us_ = -1;
  last_a_off_us_ = last_b_off_us_ = INT64_MIN / 2;
  refresh();
}

void VehicleGate::disown_since(std::int64_t time_us, Flag why) {
  if (is_waiting_ && waiting_.b_on_us >= time_us) is_waiting_ = false;
  for (std::size_t i = 0; i < size_; ++i) {
    Open& open = open_[i];
    if (open.is_emitted || open.lead_us < time_us) continue;
    open.counts = false;
    open.flags |= why;
    open.is_resolved = open.is_done = true;
  }
  refresh();
}

GateChange VehicleGate::take(int loop, std::int64_t time_us, const hal::Edge& edge) {
  const LineChange change = lines_[static_cast<std::size_t>(loop)].take(time_us, edge);
  GateChange result;
  result.time_us = change.time_us;
  result.odd = change.odd;
  if (!listens_to(loop)) return result;
  result.unseen_from_us = change.unseen_from_us;
  if (change.is_ended) remember(loop, change.pulse_from_us, change.time_us);
  const bool is_lead = static_cast<std::size_t>(loop) == lead_loop();
  if (is_lead && change.is_ended) result.occupied_from_us = change.pulse_from_us;
  if (is_lead) {
    first_loop(change, edge.resolution_us);
  } else {
    second_loop(change, edge.resolution_us);
  }
  if (next_due_us_ <= change.time_us) settle(change.time_us);
  make_room();
  refresh();
  return result;
}

void VehicleGate::remember(int loop, std::int64_t on_us, std::int64_t off_us) {
  const auto at = static_cast<std::size_t>(loop);
  recent_[at][next_recent_[at]] = {on_us, off_us, false};
  next_recent_[at] = static_cast<std::uint8_t>((next_recent_[at] + 1) % kMaxRecentPulses);
}

void VehicleGate::first_loop(const LineChange& change, std::uint32_t resolution_us) {
  if (change.is_aborted) abort_first(Flag::lost_edges, change.time_us);
  if (change.unseen_from_us >= 0) previous_on_us_ = previous_off_us_ = -1;
  if (change.is_ended) {
    end_first(change.time_us, resolution_us);
    last_a_off_us_ = change.time_us;
  }
  if (!change.is_begun) return;
  const bool is_joined = change.time_us - last_a_off_us_ < kPulseBreakUs && !change.is_ended;
  Open& open = push(change.time_us);
  open.resolution_us = resolution_us;
  // Too coarse to tell a hole from the way to the next vehicle: said, and both are counted.
  if (is_joined && resolution_us > kCountOnlyUs) open.flags |= Flag::breakup;
  open.is_joined = is_joined && resolution_us <= kCountOnlyUs;
  // One that stood here when we began: its leading edge is not ours, its second pulse is its own.
  if (!change.is_leading) open.is_resolved = open.is_emitted = true;
}

// The passage that occupies the first loop, if any.
VehicleGate::Open* VehicleGate::occupant() {
  for (std::size_t i = size_; i-- > 0;) {
    Open& open = open_[i];
    if (!open.is_second_only && open.a_off_us < 0 && !open.has_no_end && !open.is_done)
      return &open;
  }
  return nullptr;
}

void VehicleGate::abort_first(Flag why, std::int64_t time_us) {
  Open* const open = occupant();
  if (open == nullptr) return;
  open->has_no_end = open->is_resolved = true;
  open->flags |= why;
  open->due_us = time_us + kMaxCrossingUs;
  if (!is_two()) open->is_done = true;
}

void VehicleGate::resolve_half(Open& open) {
  open.is_done = true;
  if (!open.is_resolved) {
    // What neighbours saw decides; without them (`decide` is the engine's) at the next occasion.
    open.is_lone = true;
    open.due_us = std::min(open.due_us, open.a_off_us);
  }
  if (open.a_off_us < 0 || open.is_claimed) return;
  halves_[next_half_] = {open.lead_us, open.a_off_us, open.resolution_us};
  next_half_ = static_cast<std::uint8_t>((next_half_ + 1) % kMaxRecentHalves);
}

bool VehicleGate::undecided(std::int64_t now_us, std::int64_t before_us, LonePulse& pulse) const {
  for (std::size_t i = 0; i < size_; ++i) {
    const Open& open = open_[i];
    if ((!open.is_second_only && !open.is_lone) || open.is_resolved) continue;
    // One after the other, but those that wait for nobody need not wait for those that do.
    const bool is_due = open.due_us <= now_us && !(open.is_second_only && awaits_first(open));
    if (!is_due && open.lead_us >= before_us) continue;
    pulse = open.is_second_only ? LonePulse{1, open.b_on_us, open.b_off_us, open.resolution_us}
                                : LonePulse{0, open.lead_us, open.a_off_us, open.resolution_us};
    return true;
  }
  return false;
}

// Precondition: `undecided` gave one; the first such in the same order is meant.
void VehicleGate::decide_at(std::int64_t on_us, int loop, const Verdict& verdict) {
  for (std::size_t i = 0; i < size_; ++i) {
    Open& open = open_[i];
    if ((!open.is_second_only && !open.is_lone) || open.is_resolved) continue;
    if (open.is_second_only != (loop == 1)) continue;
    if ((open.is_second_only ? open.b_on_us : open.lead_us) != on_us) continue;
    if (open.is_lone) {
      settle_half(open, verdict);
    } else {
      const PairTimes second{0, 0, open.b_on_us, open.b_off_us, open.resolution_us, 0.0};
      open.counts = open.counts && kCountUnmatchedSecond && !verdict.is_elsewhere &&
                    !verdict.is_shadow && !has_own_half(second);
      open.flags |= open.counts ? Flag::first_missed : Flag::second_only;
      if (verdict.is_shadow) open.flags |= Flag::crosstalk;
    }
    open.is_resolved = open.is_done = true;
    break;
  }
  refresh();
}

void VehicleGate::settle_half(Open& open, const Verdict& verdict) {
  open.flags |= Flag::half;
  double mps = 0.0;
  if (const Seen* const second = drove_backwards(open, mps); second != nullptr) {
    open.wrong_way_mps = static_cast<float>(mps);
    open.flags |= mps >= kWrongWayMps ? Flag::wrong_way : Flag::reversing;
    if (mps >= kWrongWayMps) return;
    open.counts = false;
    absorb_second(second->on_us);
    return;
  }
  if (open.is_claimed || verdict.is_elsewhere) return;
  if (verdict.is_shadow) {
    open.counts = false;
    open.flags |= Flag::crosstalk;
    return;
  }
  // The rest of a broken pulse whose other part has found its fellow.
  if (!open.is_rest) return;
  open.counts = false;
  open.flags |= Flag::breakup;
}

// The vehicle is on the second loop now, or may be.
bool VehicleGate::awaits_second(const Open& open) const {
  return is_two() && lines_[1].is_on() && lines_[1].on_since_us() >= open.lead_us;
}

// It may be the front of one that comes backwards, now on the first loop.
bool VehicleGate::awaits_first(const Open& second) const {
  return std::any_of(open_.begin(), open_.begin() + size_, [&](const Open& open) {
    return !open.is_second_only && !open.is_resolved && !open.is_emitted &&
           open.lead_us > second.b_on_us && open.lead_us < second.b_off_us;
  });
}

void VehicleGate::settle(std::int64_t now_us) {
  if (is_waiting_ && waiting_.b_off_us + kPulseBreakUs <= now_us && !lines_[1].is_on())
    settle_second();
  for (std::size_t i = 0; i < size_; ++i) {
    Open& open = open_[i];
    if (open.is_second_only || open.due_us > now_us) continue;
    if (open.is_held) open.is_resolved = true;
    if (open.is_done) continue;
    if (!is_two()) {
      open.is_resolved = open.is_done = true;
      continue;
    }
    if (!open.is_done && !awaits_second(open)) resolve_half(open);
  }
  refresh();
}

// From the first loop to the second, as fast as the lane is estimated to be.
std::int64_t VehicleGate::crossing_us() const {
  if (use_ != LoopUse::second || estimate_.lane_mps() <= 0.0) return 0;
  const double seconds = std::min(kMostShiftS, geometry_.spacing_m / estimate_.lane_mps());
  return static_cast<std::int64_t>(seconds * static_cast<double>(kSecondUs));
}

bool VehicleGate::holds_before(std::int64_t end_us, std::int64_t now_us) const {
  const std::int64_t shift_us = crossing_us();
  if (shift_us > 0 && now_us < end_us + shift_us + kPulseBreakUs) return true;
  if (is_waiting_ && waiting_.b_on_us < end_us) return true;
  for (std::size_t i = 0; i < size_; ++i) {
    if (open_[i].lead_us - shift_us < end_us && !open_[i].is_resolved) return true;
  }
  return false;
}

void VehicleGate::force_before(std::int64_t end_us) {
  if (is_waiting_ && waiting_.b_on_us < end_us) settle_second();
  for (std::size_t i = 0; i < size_; ++i) {
    Open& open = open_[i];
    if (open.lead_us >= end_us || open.is_resolved) continue;
    if (open.is_second_only) continue;
    if (open.is_held) {
      open.is_resolved = true;
    } else if (open.a_off_us < 0 || (awaits_second(open) && !open.is_lone)) {
      open.is_resolved = true;
      open.flags |= Flag::still_on;
    } else if (!is_two()) {
      open.is_resolved = open.is_done = true;
    } else {
      resolve_half(open);
    }
  }
  refresh();
}

VehicleGate::Open& VehicleGate::push(std::int64_t lead_us) {
  BERM_ASSERT(size_ < kMaxOpenPassages);
  std::size_t at = size_++;
  for (; at > 0 && open_[at - 1].lead_us > lead_us && !open_[at - 1].is_emitted; --at) {
    open_[at] = open_[at - 1];
  }
  open_[at] = Open{};
  open_[at].lead_us = lead_us;
  return open_[at];
}

// One edge opens at most two passages (a second pulse that waited, and its own): two free places
// are room enough. The engine pops after every edge, so what is resolved here is gone by the next.
void VehicleGate::make_room() {
  if (size_ + 2U <= kMaxOpenPassages) return;
  refresh();
  if (is_ready_) return;
  for (std::size_t i = 0; size_ + 2U > kMaxOpenPassages && i < size_; ++i) {
    Open& open = open_[i];
    if (!open.is_emitted && open.is_resolved) continue;
    if (open.is_second_only) open.counts = false;
    if (!open.is_resolved) open.flags |= open.is_second_only ? Flag::second_only : Flag::still_on;
    open.is_resolved = open.is_done = true;
    return;
  }
}

void VehicleGate::refresh() {
  std::size_t kept = 0;
  next_due_us_ = is_waiting_ ? waiting_.b_off_us + kPulseBreakUs : INT64_MAX;
  if (is_waiting_ && lines_[1].is_on()) next_due_us_ = INT64_MAX;
  is_ready_ = false;
  bool is_head = true;
  for (std::size_t i = 0; i < size_; ++i) {
    const Open& open = open_[i];
    if (open.is_emitted && open.is_done) continue;
    if (!open.is_emitted) {
      if (is_head) is_ready_ = open.is_resolved;
      is_head = false;
    }
    const bool awaits = open.is_second_only ? !open.is_resolved && awaits_first(open)
                                            : !open.is_done && awaits_second(open);
    const bool is_due = !open.is_done || ((open.is_lone || open.is_held) && !open.is_resolved);
    if (is_due && !awaits) next_due_us_ = std::min(next_due_us_, open.due_us);
    if (kept != i) open_[kept] = open;
    ++kept;
  }
  size_ = static_cast<std::uint8_t>(kept);
}

bool VehicleGate::pop(Passage& passage) {
  if (!is_ready_) return false;
  for (std::size_t i = 0; i < size_; ++i) {
    Open& open = open_[i];
    if (open.is_emitted) continue;
    passage = Passage{};
    measure(open, passage);
    if (!open.is_second_only && open.counts) {
      if (previous_on_us_ >= 0) passage.headway_us = open.lead_us - previous_on_us_;
      if (previous_off_us_ >= 0) {
        passage.gap_us = std::max<std::int64_t>(0, open.lead_us - previous_off_us_);
      }
      // After a stretch that was not seen, who was the one before is not known.
      const bool is_broken = open.has_no_end || open.flags.has(Flag::input_down);
      previous_on_us_ = is_broken ? -1 : open.lead_us;
      previous_off_us_ = is_broken ? -1 : open.a_off_us;
    }
    last_emitted_us_ = std::max(last_emitted_us_, open.lead_us);
    open.is_emitted = true;
    break;
  }
  refresh();
  return true;
}

void VehicleGate::measure(const Open& open, Passage& passage) {
  passage.lead_us = open.lead_us;
  passage.flags = open.flags;
  passage.counts = open.counts;
  passage.mismatch_us = 0;
  if (open.is_second_only) return;
  if (open.a_off_us >= 0) passage.on_us = open.a_off_us - open.lead_us;
  passage.wrong_way_kmh = open.wrong_way_mps * 3.6F;
  if (open.resolution_us > kCoarseUs) passage.flags |= Flag::coarse;
  if (!open.counts || open.a_off_us < 0 || open.resolution_us > kCountOnlyUs) return;
  if (open.b_off_us >= 0) {
    measure_pair(open, passage);
  } else if (!is_two()) {
    measure_single(open, passage);
  }
}

void VehicleGate::measure_pair(const Open& open, Passage& passage) {
  const auto motion = pair_motion(
      times_of(open, {0, 0, open.b_on_us, open.b_off_us, open.resolution_us, 0.0}), geometry_);
  if (!motion) return;
  const double speed_kmh = hundredths(motion->speed_mps * kKmhPerMps);
  if (speed_kmh > kMaxPlausibleKmh) {
    passage.flags |= Flag::implausible;
    return;
  }
  passage.speed_kmh = speed_kmh;
  if (motion->length_m < kMinPlausibleLengthM || motion->length_m > kMaxPlausibleLengthM) {
    passage.flags |= Flag::implausible;
    return;
  }
  passage.length_m = hundredths(std::max(0.0, motion->length_m));
  passage.length_class = static_cast<std::uint8_t>(geometry_.classes.class_of(passage.length_m));
  if (!motion->is_whole || !motion->is_alike || motion->speed_mps < kSteadyMps) return;
  const std::int64_t on_b_us = open.b_off_us - open.b_on_us;
  passage.mismatch_us = on_b_us - passage.on_us;
  passage.is_steady = true;
  const double away_s =
      std::abs(static_cast<double>(passage.mismatch_us)) * kSecondsPerUs * kDeviationPerMean;
  noise_s_ += (away_s - noise_s_) * kNoiseRate;
  estimate_.learn(motion->length_m + geometry_.loop_length_m, motion->speed_mps);
}

void VehicleGate::measure_single(const Open& open, Passage& passage) {
  const double since_s = static_cast<double>(open.lead_us - last_single_us_) * kSecondsPerUs;
  last_single_us_ = open.lead_us;
  const auto guess =
      estimate_.take(static_cast<double>(passage.on_us) * kSecondsPerUs, std::min(since_s, 600.0));
  passage.flags |= Flag::estimate;
  if (use_ == LoopUse::second && guess.speed_mps > 0.0) {
    const double shift_s = std::min(kMostShiftS, geometry_.spacing_m / guess.speed_mps);
    passage.lead_us -= static_cast<std::int64_t>(shift_s * static_cast<double>(kSecondUs));
    passage.lead_us = std::max(passage.lead_us, last_lead_us_ + 1);
    last_lead_us_ = passage.lead_us;
  }
  const double speed_kmh = hundredths(guess.speed_mps * kKmhPerMps);
  if (speed_kmh <= 0.0 || speed_kmh > kMaxPlausibleKmh) return;
  passage.speed_kmh = speed_kmh;
  const double length_m = guess.effective_m - geometry_.loop_length_m;
  if (length_m < kMinPlausibleLengthM || length_m > kMaxPlausibleLengthM) {
    passage.flags |= Flag::implausible;
    return;
  }
  passage.length_m = hundredths(std::max(0.0, length_m));
  passage.length_class = static_cast<std::uint8_t>(geometry_.classes.class_of(passage.length_m));
}

}  // namespace berm::drivers::traffic
