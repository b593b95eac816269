// SPDX-License-Identifier: Apache-2.0
// VehicleGate: which pulses are of one vehicle.
#include <algorithm>
#include <cmath>

#include "drivers/traffic/vehicle_gate.hpp"

namespace berm::drivers::traffic {
namespace {
constexpr double kEndlessMismatch = 10.0;  // one whose end is unknown is the last choice
constexpr double kOlderMismatch = 0.02;    // of candidates alike, the newest
constexpr double kUnionMismatch = 0.01;    // a union must fit better than its parts
constexpr double kPartialMismatch = 0.5;   // one that left the lane there, after whole ones
constexpr double kRigidS = 0.008;          // the hole of one vehicle, from loop to loop
constexpr std::size_t kMaxParts = 3;       // of a broken pulse
// One loop: a part shorter than this share of a car's effective length is no vehicle.
constexpr double kCarM = 4.3;
constexpr double kPartOfCar = 0.6;
constexpr double kLongestUnionM = 24.0;
constexpr double kSecondsPerUs = 1e-6;

double seconds(std::int64_t us) {
  return static_cast<double>(us) * kSecondsPerUs;
}
}  // namespace

PairTimes VehicleGate::times_of(const Open& open, const PairTimes& second) const {
  PairTimes times = second;
  times.a_on_us = open.lead_us;
  times.a_off_us = open.a_off_us;
  times.resolution_us = std::max(second.resolution_us, open.resolution_us);
  times.noise_s = noise_s_;
  return times;
}

void VehicleGate::end_first(std::int64_t time_us, std::uint32_t resolution_us) {
  Open* const open = occupant();
  if (open == nullptr) return;
  open->a_off_us = time_us;
  open->resolution_us = std::max(open->resolution_us, resolution_us);
  const auto index = static_cast<std::size_t>(open - open_.data());
  if (!is_two()) {
    end_single(index, time_us);
    return;
  }
  if (end_touched(*open, time_us)) return;
  const std::int64_t crossing = longest_crossing_us(time_us - open->lead_us, geometry_);
  open->due_us = std::max(open->lead_us + crossing, time_us + kCloseEarliestUs);
  // The second loop's pulse may have come first: stamps of two lines have no order between them.
  if (is_waiting_ && can_be_half_of(*open, waiting_)) {
    is_waiting_ = false;
    complete({static_cast<int>(index), static_cast<int>(index), 0.0, true}, waiting_);
    return;
  }
  for (std::size_t i = 0; i < size_; ++i) {
    Open& second = open_[i];
    if (!second.is_second_only || second.is_resolved) continue;
    const PairTimes times{0, 0, second.b_on_us, second.b_off_us, second.resolution_us, 0.0};
    if (!can_be_half_of(*open, times)) continue;
    second.is_resolved = second.is_emitted = second.is_done = true;
    complete({static_cast<int>(index), static_cast<int>(index), 0.0, true}, times);
    return;
  }
}

// One loop only: a passage waits 0.2 s for the rest of its pulse.
void VehicleGate::end_single(std::size_t index, std::int64_t time_us) {
  Open& open = open_[index];
  open.due_us = time_us + kPulseBreakUs;
  if (!open.is_joined || index == 0) return;
  Open& before = open_[index - 1];
  if (before.is_emitted || before.is_done || before.a_off_us < 0) return;
  if (!is_one_pulse(before, open)) {
    before.is_resolved = before.is_done = true;
    return;
  }
  join(index - 1, index);
  before.due_us = time_us + kPulseBreakUs;
}

bool VehicleGate::is_one_pulse(const Open& before, const Open& after) const {
  const double mps = estimate_.lane_mps();
  const double first = seconds(before.a_off_us - before.lead_us);
  const double second = seconds(after.a_off_us - after.lead_us);
  const double hole = seconds(after.lead_us - before.a_off_us);
  if (mps <= 0.0) return std::min(first, second) < std::max(first, second) / 2.0;
  if (mps * (first + hole + second) > kLongestUnionM) return false;
  const double car_m = geometry_.loop_length_m + kCarM;
  if (mps * std::min(first, second) < kPartOfCar * car_m) return true;
  return mps > kBreakupMps && mps * hole < kBreakupGapM;
}

// `part` is the rest of the pulse of `into`.
void VehicleGate::join(std::size_t into, std::size_t part) {
  Open& whole = open_[into];
  Open& rest = open_[part];
  whole.a_off_us = std::max(whole.a_off_us, rest.a_off_us);
  whole.resolution_us = std::max(whole.resolution_us, rest.resolution_us);
  whole.flags |= Flag::breakup;
  rest.counts = false;
  rest.is_resolved = rest.is_emitted = rest.is_done = true;
}

void VehicleGate::second_loop(const LineChange& change, std::uint32_t resolution_us) {
  if (change.is_ended) {
    const std::uint32_t resolution = std::max(resolution_us, b_resolution_us_);
    end_second({0, 0, change.pulse_from_us, change.time_us, resolution, 0.0});
    last_b_off_us_ = change.time_us;
  }
  if (change.unseen_from_us >= 0) known_since_us_ = change.time_us;
  if (!change.is_begun) return;
  if (is_waiting_ && change.time_us - waiting_.b_off_us >= kPulseBreakUs) settle_second();
  is_b_leading_ = change.is_leading;
  b_resolution_us_ = resolution_us;
}

// A pulse that goes on where one ended within the same stay on the first loop: it had broken.
PairTimes VehicleGate::with_touch(PairTimes second) {
  for (std::size_t i = 0; i < size_; ++i) {
    Open& open = open_[i];
    if (open.touched_us < 0 || open.is_done) continue;
    if (open.a_off_us >= 0 && second.b_on_us > open.a_off_us) continue;
    second.b_on_us = open.touched_us;
    open.touched_us = open.touched_off_us = -1;
    open.flags |= Flag::breakup;
    break;
  }
  return second;
}

// The first loop is free again, the second was so before.
bool VehicleGate::end_touched(Open& open, std::int64_t time_us) {
  if (open.touched_us < 0 || lines_[1].is_on()) return false;
  if (time_us - open.lead_us < kReversingUs) return false;
  open.flags |= Flag::reversing;
  open.counts = open.is_resolved && open.counts;  // if it counted at the end of its period: once
  open.is_resolved = open.is_done = true;
  return true;
}

void VehicleGate::end_second(const PairTimes& pulse) {
  const PairTimes second = with_touch(pulse);
  if (is_waiting_) {
    PairTimes whole = waiting_;
    whole.b_off_us = second.b_off_us;
    whole.resolution_us = std::max(whole.resolution_us, second.resolution_us);
    const Match match = best_match(whole, false);
    if (match.is_good) {
      is_waiting_ = false;
      open_[static_cast<std::size_t>(match.first)].flags |= Flag::breakup;
      complete(match, whole);
      return;
    }
  }
  const Match match = best_match(second, true);
  if (match.is_good) {
    if (is_waiting_) settle_second();
    complete(best_match(second, true), second);
    return;
  }
  if (is_waiting_) settle_second();
  // Nothing that it clearly is: it may be a part of a pulse, whose rest comes at once.
  waiting_ = second;
  is_waiting_ours_ = is_b_leading_;
  is_waiting_part_ = second.b_on_us - last_b_off_us_ < kPulseBreakUs;
  is_waiting_ = true;
}

// The pulse that waited was whole: it goes where it fits best, or was alone.
void VehicleGate::settle_second() {
  is_waiting_ = false;
  const Match match = best_match(waiting_, true);
  // Within the stay of who is on the first loop: its own, as nobody fits between.
  Open* const standing = occupant();
  const bool is_long = waiting_.b_off_us - waiting_.b_on_us >= kTouchedUs;
  if (match.first >= 0) {
    complete(match, waiting_);
  } else if (standing != nullptr && is_long && standing->lead_us < waiting_.b_on_us) {
    standing->touched_us = waiting_.b_on_us;
    standing->touched_off_us = waiting_.b_off_us;
  } else if (is_waiting_ours_) {
    open_second_only();
  }
}

bool VehicleGate::can_be_half_of(const Open& open, const PairTimes& second) const {
  if (open.is_second_only || open.is_done || open.b_off_us >= 0 || open.a_off_us < 0) return false;
  return pair_motion(times_of(open, second), geometry_).has_value();
}

void VehicleGate::weigh(const PairTimes& second, int first, int last, Match& best) const {
  Open open = open_[static_cast<std::size_t>(first)];
  Match match{first, last, kEndlessMismatch, false};
  if (open.has_no_end) {
    if (second.b_on_us < open.lead_us) return;
  } else {
    open.a_off_us = open_[static_cast<std::size_t>(last)].a_off_us;
    if (open.a_off_us < 0) return;
    const auto motion = pair_motion(times_of(open, second), geometry_);
    if (!motion) return;
    match.mismatch = motion->mismatch + kUnionMismatch * (last - first);
    if (!motion->is_whole) match.mismatch += kPartialMismatch;
    match.is_good = motion->is_whole && motion->is_alike;
  }
  match.mismatch += kOlderMismatch * (size_ - 1 - first);
  if (best.first >= 0 && match.mismatch >= best.mismatch) return;
  best = match;
}

VehicleGate::Match VehicleGate::best_match(const PairTimes& second, bool with_unions) const {
  Match best;
  for (int i = size_ - 1; i >= 0; --i) {
    const Open& open = open_[static_cast<std::size_t>(i)];
    if (open.is_second_only || open.is_done || open.b_off_us >= 0) continue;
    weigh(second, i, i, best);
    if (!with_unions || open.has_no_end) continue;
    for (int k = i + 1; k < size_ && k - i < static_cast<int>(kMaxParts); ++k) {
      const Open& part = open_[static_cast<std::size_t>(k)];
      if (part.is_second_only || !part.is_joined || part.is_done || part.a_off_us < 0) break;
      weigh(second, i, k, best);
    }
  }
  return best;
}

// Vehicles of one lane do not overtake between the loops: whoever came before this one and has no
// second pulse has left the lane, or is a part of it.
void VehicleGate::complete(const Match& match, const PairTimes& second) {
  const auto index = static_cast<std::size_t>(match.first);
  for (int i = match.first + 1; i <= match.last; ++i) join(index, static_cast<std::size_t>(i));
  Open& open = open_[index];
  open.b_on_us = second.b_on_us;
  open.b_off_us = second.b_off_us;
  open.resolution_us = std::max(open.resolution_us, second.resolution_us);
  open.is_done = true;
  for (Seen& seen : recent_[1]) {
    if (seen.on_us >= second.b_on_us && seen.off_us <= second.b_off_us) seen.is_taken = true;
  }
  for (std::size_t i = 0; i < size_; ++i) {
    Open& other = open_[i];
    if (i == index || other.is_second_only || other.is_done) continue;
    if (i < index) {
      if (other.a_off_us < 0 && !other.has_no_end) continue;
      other.is_rest = open.is_joined && open.lead_us - other.a_off_us < kPulseBreakUs;
      resolve_half(other);
    } else if (other.is_joined && i == static_cast<std::size_t>(match.last) + 1) {
      other.is_rest = true;  // unless a pulse of the second loop proves it another vehicle
    }
  }
  resolve_whole(index);
}

// Known what it is, unless the vehicle that follows is so close that it is its trailer.
void VehicleGate::resolve_whole(std::size_t index) {
  Open& open = open_[index];
  open.is_resolved = true;
  if (open.a_off_us < 0) return;
  const auto motion = pair_motion(
      times_of(open, {0, 0, open.b_on_us, open.b_off_us, open.resolution_us, 0.0}), geometry_);
  if (!motion || motion->speed_mps < kBreakupMps) return;
  const auto is_trailer = [&](const Open& front, const Open& rear) {
    return rear.is_joined && front.a_off_us >= 0 && rear.lead_us > front.a_off_us &&
           seconds(rear.lead_us - front.a_off_us) * motion->speed_mps < kBreakupGapM;
  };
  if (index > 0) {
    Open& front = open_[index - 1];
    const bool waits = !front.is_emitted && !front.is_resolved && front.is_done &&
                       front.b_off_us >= 0 && !front.is_second_only;
    // What is one vehicle keeps its hole from loop to loop; two that follow do not.
    const double change =
        seconds((open.b_on_us - front.b_off_us) - (open.lead_us - front.a_off_us));
    const bool is_rigid = std::abs(change) <= kRigidS + 2.0 * noise_s_;
    if (waits && is_rigid && is_trailer(front, open)) {
      join(index - 1, index);
      front.b_off_us = std::max(front.b_off_us, open.b_off_us);
      front.is_resolved = true;
      return;
    }
    if (waits) front.is_resolved = true;
  }
  if (index + 1 >= size_) return;
  const Open& rear = open_[index + 1];
  if (rear.is_second_only || rear.is_done || !is_trailer(open, rear)) return;
  open.is_resolved = false;
  open.is_held = true;
  open.due_us = open.b_off_us + kSecondUs;
}

void VehicleGate::open_second_only() {
  const PairTimes second = waiting_;
  const std::int64_t crossing = longest_crossing_us(second.b_off_us - second.b_on_us, geometry_);
  const bool is_ours = second.b_on_us - crossing >= known_since_us_;
  Open& open = push(std::max(second.b_on_us, last_emitted_us_));
  open.is_second_only = true;
  open.b_on_us = second.b_on_us;
  open.b_off_us = second.b_off_us;
  open.resolution_us = second.resolution_us;
  open.due_us = second.b_off_us + kSecondOnlyWaitUs;
  open.counts = !is_waiting_part_ && is_ours;
}

// A pulse of the first loop that fits no second one, shortly before this second one that fits no
// first: one vehicle and a broken pulse, rather than two vehicles. Or shortly after: one vehicle
// that drove backwards.
bool VehicleGate::has_own_half(const PairTimes& second) const {
  const auto is_near = [&](std::int64_t on_us, std::int64_t off_us) {
    double mps = 0.0;
    if (is_backwards({on_us, off_us, second.b_on_us, second.b_off_us, 1, 0.0}, mps)) return true;
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

// The pair read from behind: a steady passage from the second loop to the first.
bool VehicleGate::is_backwards(const PairTimes& times, double& mps) const {
  const PairTimes mirrored{times.b_on_us,  times.b_off_us,      times.a_on_us,
                           times.a_off_us, times.resolution_us, noise_s_};
  if (mirrored.b_on_us <= mirrored.a_on_us) return false;
  const auto motion = pair_motion(mirrored, geometry_);
  if (!motion || !motion->is_whole || motion->mismatch > kWrongWayMismatch / 2.0) return false;
  mps = motion->speed_mps;
  return mps >= kWrongWayMps && motion->length_m <= kMaxPlausibleLengthM;
}

// The same slowly, on both loops at once.
bool VehicleGate::is_reversing(const PairTimes& times, double& mps) const {
  const bool is_on_both = times.b_on_us < times.a_on_us && times.a_on_us < times.b_off_us &&
                          times.b_off_us < times.a_off_us;
  if (!is_on_both) return false;
  const PairTimes mirrored{times.b_on_us,  times.b_off_us,      times.a_on_us,
                           times.a_off_us, times.resolution_us, noise_s_};
  const auto motion = pair_motion(mirrored, geometry_);
  if (!motion || !motion->is_whole || motion->mismatch > kReversingMismatch) return false;
  mps = motion->speed_mps;
  return mps < kWrongWayMps && motion->length_m <= kMaxPlausibleLengthM;
}

const VehicleGate::Seen* VehicleGate::drove_backwards(const Open& open, double& mps) const {
  if (open.a_off_us < 0) return nullptr;
  const auto found = std::find_if(recent_[1].begin(), recent_[1].end(), [&](const Seen& seen) {
    const PairTimes times{open.lead_us, open.a_off_us,      seen.on_us,
                          seen.off_us,  open.resolution_us, 0.0};
    return seen.off_us >= 0 && !seen.is_taken &&
           (is_backwards(times, mps) || is_reversing(times, mps));
  });
  return found == recent_[1].end() ? nullptr : &*found;
}

// The pulse of the second loop that began then is spoken for.
void VehicleGate::absorb_second(std::int64_t on_us) {
  for (std::size_t i = 0; i < size_; ++i) {
    Open& open = open_[i];
    if (!open.is_second_only || open.is_resolved || open.b_on_us != on_us) continue;
    open.counts = false;
    open.is_resolved = open.is_emitted = open.is_done = true;
  }
}

// One that changes lane may touch either loop with a corner only, so its two pulses need not be
// alike: the time between the leading edges must be one in which it can have come that far.
bool VehicleGate::fits_change(std::int64_t on_us, std::int64_t off_us,
                              const PairTimes& second) const {
  const std::int64_t longer_us = std::max(off_us - on_us, second.b_off_us - second.b_on_us);
  const std::int64_t crossing_us = second.b_on_us - on_us;
  return crossing_us > 0 && crossing_us <= longest_crossing_us(longer_us, geometry_);
}

bool VehicleGate::claim(const PairTimes& second) {
  for (Half& half : halves_) {
    if (half.off_us < 0 || !fits_change(half.on_us, half.off_us, second)) continue;
    half.off_us = -1;
    return true;
  }
  for (std::size_t i = 0; i < size_; ++i) {
    Open& open = open_[i];
    if (open.is_second_only || (open.is_done && !open.is_lone) || open.is_claimed ||
        open.b_off_us >= 0)
      continue;
    if (open.a_off_us < 0 || !fits_change(open.lead_us, open.a_off_us, second)) continue;
    open.is_claimed = true;
    return true;
  }
  return false;
}

bool VehicleGate::has_rest_of(const LonePulse& first) const {
  const auto fits = [&](const PairTimes& second) {
    return fits_change(first.on_us, first.off_us, second);
  };
  if (is_waiting_ && fits(waiting_)) return true;
  for (std::size_t i = 0; i < size_; ++i) {
    const Open& open = open_[i];
    if (!open.is_second_only) continue;
    if (fits({0, 0, open.b_on_us, open.b_off_us, open.resolution_us, 0.0})) return true;
  }
  return false;
}

bool VehicleGate::saw(const LonePulse& pulse) const {
  if (!listens_to(pulse.loop)) return false;
  const auto slack_us = kShadowSlackUs + std::int64_t{pulse.resolution_us};
  const auto covers = [&](std::int64_t on_us, std::int64_t off_us) {
    const auto length_us = static_cast<double>(off_us - on_us);
    // A shadow shares one end with what it is a shadow of; who merely drives beside it does not.
    const auto end_us = slack_us + static_cast<std::int64_t>(kShadowEndShare * length_us);
    const bool shares_end = pulse.on_us - on_us <= end_us || off_us - pulse.off_us <= end_us;
    return shares_end && on_us - slack_us <= pulse.on_us && pulse.off_us <= off_us + slack_us &&
           static_cast<double>(pulse.off_us - pulse.on_us) >= kShadowShare * length_us;
  };
  const auto& recent = recent_[static_cast<std::size_t>(pulse.loop)];
  return std::any_of(recent.begin(), recent.end(), [&](const Seen& seen) {
    return seen.off_us >= 0 && covers(seen.on_us, seen.off_us);
  });
}

}  // namespace berm::drivers::traffic
