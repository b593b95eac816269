// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/gps_clock.hpp"

#include <algorithm>

namespace berm::agent {

using drivers::TimeOffer;
using drivers::TimeVerdict;

GpsClock::Distance GpsClock::distance_of(const TimeOffer& offer) {
  return {offer.time.time_since_epoch() - offer.at.time_since_epoch(), offer.time, offer.at};
}

bool GpsClock::is_trusted(MonoTime now) const {
  return kept_ && now - kept_->confirmed_at <= kGpsTrust;
}

hal::WallReading GpsClock::wall() const {
  const hal::WallReading own = clock_.wall();
  if (own.source == ClockSource::ntp) return own;
  const std::lock_guard lock(mutex_);
  if (!kept_) return own;
  const MonoTime now = clock_.mono();
  const WallTime time{now.time_since_epoch() + kept_->value};
  if (is_trusted(now)) return {time, ClockSource::gps};
  return own.source == ClockSource::none ? hal::WallReading{time, ClockSource::none} : own;
}

TimeVerdict GpsClock::offer(const TimeOffer& offer) {
  const std::lock_guard lock(mutex_);
  const TimeVerdict verdict = judge(offer);
  ++offers_;
  ++verdicts_[static_cast<std::size_t>(verdict)];
  return verdict;
}

TimeVerdict GpsClock::judge(const TimeOffer& offer) {
  if (offer.time < built_) return TimeVerdict::before_build;
  if (offer.error > kMaxTimeError) return TimeVerdict::uncertain;
  const Distance offered = distance_of(offer);
  if (!is_trusted(offer.at)) {
    if (candidate_ && offer.time < candidate_->newest) {
      candidate_.reset();  // one of the two is wrong; which, the next ones say
      return TimeVerdict::jumped_back;
    }
    return gather(offered, kAgreeingOffers) ? TimeVerdict::used : TimeVerdict::waiting;
  }
  if (offer.time < kept_->newest) return TimeVerdict::jumped_back;
  const Microseconds difference = offered.value - kept_->value;
  if (difference < -kAgreement) return TimeVerdict::late;
  if (difference > kAgreement) {
    return gather(offered, kAgreeingAhead) ? TimeVerdict::used : TimeVerdict::ahead;
  }
  candidate_.reset();
  confirm(offered);
  return TimeVerdict::used;
}

// True: enough have agreed, and are now what is kept.
bool GpsClock::gather(const Distance& offered, int wanted) {
  const bool agrees =
      candidate_ && std::chrono::abs(offered.value - candidate_->value) <= kAgreement;
  if (!agrees) {
    candidate_ = offered;
  } else if (offered.newest > candidate_->newest) {
    candidate_->value = std::max(candidate_->value, offered.value);
    candidate_->newest = offered.newest;
    candidate_->confirmed_at = offered.confirmed_at;
    ++candidate_->agreeing;
  }
  if (candidate_->agreeing < wanted) return false;
  kept_ = candidate_;
  candidate_.reset();
  return true;
}

void GpsClock::confirm(const Distance& offered) {
  const Microseconds drift =
      (offered.confirmed_at - kept_->confirmed_at) * kMaxDriftPpm / 1'000'000;
  kept_->value = std::max(offered.value, kept_->value - drift);
  kept_->newest = offered.newest;
  kept_->confirmed_at = offered.confirmed_at;
}

Status GpsClock::status() const {
  const hal::WallReading own = clock_.wall();
  const MonoTime now = clock_.mono();
  Status status("gps_clock");
  const std::lock_guard lock(mutex_);
  status.set("trusted", is_trusted(now));
  if (kept_) {
    const Microseconds ahead = now.time_since_epoch() + kept_->value - own.time.time_since_epoch();
    status.set("age_s", std::chrono::floor<Seconds>(now - kept_->confirmed_at).count());
    status.set("ahead_ms", std::chrono::floor<Milliseconds>(ahead).count());
  } else {
    status.set_unknown("age_s").set_unknown("ahead_ms");
  }
  for (std::size_t i = 0; i < verdicts_.size(); ++i) {
    if (verdicts_[i] > 0) status.set(name_of(static_cast<TimeVerdict>(i)), verdicts_[i]);
  }
  return status;
}

}  // namespace berm::agent
