// SPDX-License-Identifier: Apache-2.0
// GpsClock: the agent's clock over the machine's: where the kernel's clock is not synchronised it
// shows the time that drivers hear from satellites, with source `gps`. Owned by the Agent, which
// hands it to everything it makes; works over any hal::Clock, so in virtual time too.
//
// What it keeps is the distance from monotonic to satellite time, so a wall time is read without
// any driver, and a step of the machine's clock does not touch it. An offer comes late (the
// receiver's line, gpsd: 0.1…0.9 s), never early, so the largest recent distance is the best; it
// is let down by kMaxDriftPpm, what a bad crystal may gain, and so follows one.
//
// Promises: nothing is believed before kAgreeingOffers have agreed within kAgreement. A time before
// the program's build, one that is earlier than one before, and one whose error is over
// kMaxTimeError is never a source. A time ahead of what is believed takes kAgreeingAhead (a machine
// that slept); one behind is refused until trust has run out. Trust runs out kGpsTrust after the
// last offer that agreed; from then on the machine's clock is shown again if somebody vouches for
// it, else the kept time with source `none`, and the next offers are judged as on the first day.
//
// Thread: offer() on the loop's; reading on any (the executor reads too): one lock, not contended.
// Lifetime: the clock beneath outlives it. Fails: never.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "drivers/api/time_offer.hpp"
#include "hal/base/status.hpp"
#include "hal/clock.hpp"

namespace berm::agent {

inline constexpr int kAgreeingOffers = 3;
inline constexpr int kAgreeingAhead = 30;
inline constexpr Microseconds kAgreement{1'000'000};
inline constexpr Microseconds kMaxTimeError{1'000'000};
inline constexpr std::int64_t kMaxDriftPpm = 100;
inline constexpr Seconds kGpsTrust{4 * 3600};

class GpsClock final : public hal::Clock {
 public:
  // `built`: no satellite time before it is believed.
  GpsClock(hal::Clock& clock, WallTime built) : clock_(clock), built_(built) {}

  MonoTime mono() const override { return clock_.mono(); }
  hal::WallReading wall() const override;
  const std::string& boot_id() const override { return clock_.boot_id(); }

  drivers::TimeVerdict offer(const drivers::TimeOffer& offer);
  bool has_been_offered() const { return offers_ > 0; }
  // trusted, age_s of the last that agreed, ahead_ms of the machine's clock, verdicts by name.
  Status status() const;

 private:
  // wall − monotonic, and the newest satellite time that led to it.
  struct Distance {
    Microseconds value{0};
    WallTime newest;
    MonoTime confirmed_at;
    int agreeing = 1;
  };
  static Distance distance_of(const drivers::TimeOffer& offer);
  drivers::TimeVerdict judge(const drivers::TimeOffer& offer);
  bool gather(const Distance& offered, int wanted);
  void confirm(const Distance& offered);
  bool is_trusted(MonoTime now) const;

  hal::Clock& clock_;
  const WallTime built_;
  mutable std::mutex mutex_;
  std::optional<Distance> kept_;       // guarded; written on the loop's thread only
  std::optional<Distance> candidate_;  // loop's thread
  std::uint64_t offers_ = 0;
  std::array<std::uint64_t, drivers::kTimeVerdicts> verdicts_{};
};

}  // namespace berm::agent
