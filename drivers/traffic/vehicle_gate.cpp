// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/vehicle_gate.hpp"

#include <algorithm>

#include "drivers/traffic/length_classes.hpp"
#include "drivers/traffic/rounding.hpp"
#include "hal/base/assert.hpp"

namespace berm::drivers::traffic {
namespace {
constexpr double kEndlessMismatch = 10.0;  // one whose end is unknown is the last choice
constexpr double kOlderMismatch = 0.02;    // of candidates alike, the newest
constexpr double kKmhPerMps = 3.6;
}  // namespace

void VehicleGate::begin(std::int64_t time_us) {
  for (LoopLine& line : lines_) line.begin(time_us);
  known_since_us_ = time_us;
}

void VehicleGate::fail(std::int64_t time_us) {
  if (lines_[0].fail(time_us)) abort_first(Flag::input_down, time_us);
  lines_[1].fail(time_us);
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

GateChange VehicleGate::take(int loop, std::int64_t time_us, const hal::Edge& edge) {
  const LineChange change = lines_[static_cast<std::size_t>(loop)].take(time_us, edge);
  GateChange result;
  result.time_us = change.time_us;
  result.odd = change.odd;
  result.unseen_from_us = change.unseen_from_us;
  if (loop == 0) {
    if (change.is_ended) result.occupied_from_us = change.pulse_from_us;
    first_loop(change, edge.resolution_us);
  } else {
    second_loop(change, edge.resolution_us);
  }
  if (next_due_us_ <= change.time_us) settle(change.time_us);
  make_room();
  refresh();
  return result;
}

void VehicleGate::first_loop(const LineChange& change, std::uint32_t resolution_us) {
  if (change.is_aborted) abort_first(Flag::lost_edges, change.time_us);
  if (change.unseen_from_us >= 0) previous_on_us_ = previous_off_us_ = -1;
  if (change.is_ended) end_first(change.time_us, resolution_us);
  if (!change.is_begun) return;
  Open& open = push(change.time_us);
  open.resolution_us = resolution_us;
  // One that stood here when we began: its leading edge is not ours, its second pulse is its own.
  if (!change.is_leading) open.is_resolved = open.is_emitted = true;
}

// The passage that occupies the first loop, if any.
VehicleGate::Open* VehicleGate::occupant() {
  for (std::size_t i = size_; i-- > 0;) {
    Open& open = open_[i];
    if (!open.is_second_only && open.a_off_us < 0 && !open.has_no_end) return &open;
  }
  return nullptr;
}

void VehicleGate::end_first(std::int64_t time_us, std::uint32_t resolution_us) {
  Open* const open = occupant();
  if (open == nullptr) return;
  open->a_off_us = time_us;
  open->resolution_us = std::max(open->resolution_us, resolution_us);
  if (!is_pair_) {
    open->is_resolved = open->is_done = true;
    return;
  }
  const std::int64_t crossing = longest_crossing_us(time_us - open->lead_us, geometry_);
  open->due_us = std::max(open->lead_us + crossing, time_us + kCloseEarliestUs);
  // The second loop's pulse may have come first: stamps of two lines have no order between them.
  for (std::size_t i = 0; i < size_; ++i) {
    Open& second = open_[i];
    if (!second.is_second_only || second.is_resolved) continue;
    const PairTimes times{0, 0, second.b_on_us, second.b_off_us, second.resolution_us};
    if (!can_be_half_of(*open, times)) continue;
    second.is_resolved = second.is_emitted = second.is_done = true;
    complete(static_cast<int>(open - open_.data()), times);
    return;
  }
}

void VehicleGate::abort_first(Flag why, std::int64_t time_us) {
  Open* const open = occupant();
  if (open == nullptr) return;
  open->has_no_end = open->is_resolved = true;
  open->flags |= why;
  open->due_us = time_us + kMaxCrossingUs;
  if (!is_pair_) open->is_done = true;
}

void VehicleGate::second_loop(const LineChange& change, std::uint32_t resolution_us) {
  if (change.is_ended) {
    const std::uint32_t resolution = std::max(resolution_us, b_resolution_us_);
    end_second({0, 0, change.pulse_from_us, change.time_us, resolution});
    last_b_off_us_ = change.time_us;
  }
  if (change.unseen_from_us >= 0) known_since_us_ = change.time_us;
  if (!change.is_begun) return;
  is_b_leading_ = change.is_leading;
  b_resolution_us_ = resolution_us;
}

void VehicleGate::end_second(const PairTimes& second) {
  const int best = best_match(second);
  if (best >= 0) {
    complete(best, second);
  } else if (is_b_leading_) {
    open_second_only(second);
  }
}

bool VehicleGate::can_be_half_of(const Open& open, const PairTimes& second) const {
  if (open.is_second_only || open.is_done || open.b_off_us >= 0 || open.a_off_us < 0) return false;
  PairTimes times = second;
  times.a_on_us = open.lead_us;
  times.a_off_us = open.a_off_us;
  times.resolution_us = std::max(second.resolution_us, open.resolution_us);
  return pair_motion(times, geometry_).has_value();
}

int VehicleGate::best_match(const PairTimes& second) const {
  int best = -1;
  double least = 0.0;
  for (int i = size_ - 1; i >= 0; --i) {
    const Open& open = open_[static_cast<std::size_t>(i)];
    if (open.is_second_only || open.is_done || open.b_off_us >= 0) continue;
    double mismatch = kEndlessMismatch;
    if (open.has_no_end) {
      if (second.b_on_us < open.lead_us) continue;
    } else if (open.a_off_us < 0) {
      continue;
    } else {
      PairTimes times = second;
      times.a_on_us = open.lead_us;
      times.a_off_us = open.a_off_us;
      times.resolution_us = std::max(second.resolution_us, open.resolution_us);
      const auto motion = pair_motion(times, geometry_);
      if (!motion) continue;
      mismatch = motion->mismatch;
    }
    mismatch += kOlderMismatch * (size_ - 1 - i);
    if (best >= 0 && mismatch >= least) continue;
    best = i;
    least = mismatch;
  }
  return best;
}

// Vehicles of one lane do not overtake between the loops: whoever came before this one and has no
// second pulse has left the lane.
void VehicleGate::complete(int index, const PairTimes& second) {
  Open& open = open_[static_cast<std::size_t>(index)];
  open.b_on_us = second.b_on_us;
  open.b_off_us = second.b_off_us;
  open.resolution_us = std::max(open.resolution_us, second.resolution_us);
  open.is_resolved = open.is_done = true;
  for (int i = 0; i < index; ++i) {
    Open& older = open_[static_cast<std::size_t>(i)];
    if (older.is_second_only || older.is_done || (older.a_off_us < 0 && !older.has_no_end))
      continue;
    resolve_half(older);
  }
}

void VehicleGate::resolve_half(Open& open) {
  open.is_done = true;
  if (!open.is_resolved) {
    open.is_resolved = true;
    open.flags |= Flag::half;
  }
  if (open.a_off_us < 0 || open.is_claimed) return;
  halves_[next_half_] = {open.lead_us, open.a_off_us, open.resolution_us};
  next_half_ = static_cast<std::uint8_t>((next_half_ + 1) % kMaxRecentHalves);
}

void VehicleGate::open_second_only(const PairTimes& second) {
  const bool is_broken = second.b_on_us - last_b_off_us_ < kPulseBreakUs;
  const std::int64_t crossing = longest_crossing_us(second.b_off_us - second.b_on_us, geometry_);
  const bool is_ours = second.b_on_us - crossing >= known_since_us_;
  Open& open = push(std::max(second.b_on_us, last_emitted_us_));
  open.is_second_only = true;
  open.b_on_us = second.b_on_us;
  open.b_off_us = second.b_off_us;
  open.resolution_us = second.resolution_us;
  open.due_us = second.b_off_us + kSecondOnlyWaitUs;
  open.counts = !is_broken && is_ours;
}

bool VehicleGate::undecided(std::int64_t now_us, std::int64_t before_us, PairTimes& second) const {
  for (std::size_t i = 0; i < size_; ++i) {
    const Open& open = open_[i];
    if (!open.is_second_only || open.is_resolved) continue;
    if (open.due_us > now_us && open.lead_us >= before_us) return false;
    second = {0, 0, open.b_on_us, open.b_off_us, open.resolution_us};
    return true;
  }
  return false;
}

void VehicleGate::decide(bool is_elsewhere) {
  for (std::size_t i = 0; i < size_; ++i) {
    Open& open = open_[i];
    if (!open.is_second_only || open.is_resolved) continue;
    const PairTimes second{0, 0, open.b_on_us, open.b_off_us, open.resolution_us};
    open.counts = open.counts && kCountUnmatchedSecond && !is_elsewhere && !has_own_half(second);
    open.flags |= open.counts ? Flag::first_missed : Flag::second_only;
    open.is_resolved = open.is_done = true;
    break;
  }
  refresh();
}

// A pulse of the first loop that fits no second one, shortly before this second one that fits no
// first: one vehicle and a broken pulse, rather than two vehicles.
bool VehicleGate::has_own_half(const PairTimes& second) const {
  const auto is_near = [&](std::int64_t on_us, std::int64_t off_us) {
    return on_us <= second.b_on_us &&
           second.b_on_us <= on_us + longest_crossing_us(off_us - on_us, geometry_);
  };
  for (const Half& half : halves_) {
    if (half.off_us >= 0 && is_near(half.on_us, half.off_us)) return true;
  }
  for (std::size_t i = 0; i < size_; ++i) {
    const Open& open = open_[i];
    if (open.is_second_only || open.b_off_us >= 0 || open.a_off_us < 0) continue;
    if (is_near(open.lead_us, open.a_off_us)) return true;
  }
  return false;
}

// One that changes lane may touch either loop with a corner only, so its two pulses need not be
// alike: the time between the leading edges must be one in which it can have come that far.
bool VehicleGate::claim(const PairTimes& second) {
  const auto fits = [&](std::int64_t on_us, std::int64_t off_us) {
    const std::int64_t longer_us = std::max(off_us - on_us, second.b_off_us - second.b_on_us);
    const std::int64_t crossing_us = second.b_on_us - on_us;
    return crossing_us > 0 && crossing_us <= longest_crossing_us(longer_us, geometry_);
  };
  for (Half& half : halves_) {
    if (half.off_us < 0 || !fits(half.on_us, half.off_us)) continue;
    half.off_us = -1;
    return true;
  }
  for (std::size_t i = 0; i < size_; ++i) {
    Open& open = open_[i];
    if (open.is_second_only || open.is_done || open.is_claimed || open.b_off_us >= 0) continue;
    if (open.a_off_us < 0 || !fits(open.lead_us, open.a_off_us)) continue;
    open.is_claimed = true;
    return true;
  }
  return false;
}

// The vehicle is on the second loop now, or may be.
bool VehicleGate::awaits_second(const Open& open) const {
  return lines_[1].is_on() && lines_[1].on_since_us() >= open.lead_us;
}

void VehicleGate::settle(std::int64_t now_us) {
  for (std::size_t i = 0; i < size_; ++i) {
    Open& open = open_[i];
    if (open.is_second_only || open.is_done || open.due_us > now_us) continue;
    if (!awaits_second(open)) resolve_half(open);
  }
  refresh();
}

bool VehicleGate::holds_before(std::int64_t end_us) const {
  for (std::size_t i = 0; i < size_; ++i) {
    if (open_[i].lead_us < end_us && !open_[i].is_resolved) return true;
  }
  return false;
}

void VehicleGate::force_before(std::int64_t end_us) {
  for (std::size_t i = 0; i < size_; ++i) {
    Open& open = open_[i];
    if (open.lead_us >= end_us || open.is_resolved) continue;
    BERM_ASSERT(!open.is_second_only);
    if (open.a_off_us < 0 || awaits_second(open)) {
      open.is_resolved = true;
      open.flags |= Flag::still_on;
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

// One edge opens at most one passage: one free place is room enough. The engine pops after every
// edge, so what is resolved here is gone by the next.
void VehicleGate::make_room() {
  if (size_ < kMaxOpenPassages) return;
  refresh();
  if (is_ready_) return;
  for (std::size_t i = 0; size_ == kMaxOpenPassages && i < size_; ++i) {
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
  next_due_us_ = INT64_MAX;
  is_ready_ = false;
  bool is_head = true;
  for (std::size_t i = 0; i < size_; ++i) {
    const Open& open = open_[i];
    if (open.is_emitted && open.is_done) continue;
    if (!open.is_emitted) {
      if (is_head) is_ready_ = open.is_resolved;
      is_head = false;
    }
    const bool is_held = !open.is_second_only && awaits_second(open);
    if (!open.is_done && !is_held) next_due_us_ = std::min(next_due_us_, open.due_us);
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
    if (!open.is_second_only) {
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

void VehicleGate::measure(const Open& open, Passage& passage) const {
  passage.lead_us = open.lead_us;
  passage.flags = open.flags;
  passage.counts = open.counts;
  if (open.is_second_only) return;
  if (open.a_off_us >= 0) passage.on_us = open.a_off_us - open.lead_us;
  if (!is_pair_) return;
  if (open.resolution_us > kCoarseUs) passage.flags |= Flag::coarse;
  if (open.b_off_us < 0 || open.a_off_us < 0 || open.resolution_us > kCountOnlyUs) return;
  const auto motion = pair_motion(
      {open.lead_us, open.a_off_us, open.b_on_us, open.b_off_us, open.resolution_us}, geometry_);
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
  passage.length_class = static_cast<std::uint8_t>(length_class(passage.length_m));
}

}  // namespace berm::drivers::traffic
