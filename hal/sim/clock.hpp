// SPDX-License-Identifier: Apache-2.0
// SimClock: a wall clock that can be wrong, over the loop's virtual time. It drifts by parts per
// million, steps both ways, changes who vouches for it, and lives through a reboot: the next boot
// has another id and its own monotonic time, while wall time has gone on. Who: tests and the
// simulator. Thread: the loop's. The loop must outlive it or be replaced by `reboot`. RateClock /
// RateLoop: boards/sim with `simulation.rate` other than 1: a real loop and clock that run `rate`
// times faster. Both are made from one RateScale, so that they agree; wall = wall at the start +
// elapsed * rate (a step of the machine's own clock is not followed). Timers keep the loop's order
// and are never early, also where many of them fall into one real microsecond. rate: 0.001…100000.
// The hardware behind (HTTP, MQTT, gpsd) stays on the real loop.
#pragma once

#include <string>
#include <utility>

#include "hal/clock.hpp"
#include "hal/loop.hpp"
#include "hal/random.hpp"
#include "hal/sim/timer_queue.hpp"

namespace berm::hal {

struct SimClockOptions {
  WallTime start = wall_s(1'800'000'000);  // 2027-01-15 08:00:00 UTC
  ClockSource source = ClockSource::ntp;
  std::string boot_id = "00000000-0000-4000-8000-000000000001";
};

class SimClock final : public Clock {
 public:
  explicit SimClock(const Loop& loop, SimClockOptions options = {});

  MonoTime mono() const override { return loop_->now(); }
  WallReading wall() const override { return {true_wall() + offset_, source_}; }
  const std::string& boot_id() const override { return boot_id_; }

  // What the clock should show: the start plus what has really passed.
  WallTime exact() const { return base_exact_ + (loop_->now() - base_mono_); }
  void step(Microseconds by) { offset_ += by; }
  void set_wall(WallTime time) { offset_ += time - wall().time; }
  void set_source(ClockSource source) { source_ = source; }
  // From now on the clock gains so much (negative: loses); what it has gained stays.
  void set_drift_ppm(double ppm);
  // The machine was off for `off` and runs on `next`; wall and exact time go on by that.
  void reboot(const Loop& next, Random& random, Microseconds off = Microseconds{0});

 private:
  WallTime true_wall() const;
  void rebase();

  const Loop* loop_;
  MonoTime base_mono_;
  WallTime base_wall_;
  WallTime base_exact_;
  Microseconds offset_{0};
  double drift_ppm_ = 0;
  ClockSource source_;
  std::string boot_id_;
};

class RateScale {
 public:
  RateScale(MonoTime origin, double rate);
  MonoTime fast(MonoTime real) const;
  // The first real microsecond at which `fast` has been reached.
  MonoTime real(MonoTime fast) const;
  MonoTime origin() const { return origin_; }
  double rate() const { return rate_; }

 private:
  MonoTime origin_;
  double rate_;
};

class RateClock final : public Clock {
 public:
  RateClock(const Clock& clock, RateScale scale)
      : clock_(clock), scale_(scale), start_(clock.wall()), start_mono_(clock.mono()) {}
  MonoTime mono() const override { return scale_.fast(clock_.mono()); }
  WallReading wall() const override {
    return {start_.time + (mono() - scale_.fast(start_mono_)), start_.source};
  }
  const std::string& boot_id() const override { return clock_.boot_id(); }

 private:
  const Clock& clock_;
  RateScale scale_;
  WallReading start_;
  MonoTime start_mono_;
};

class RateLoop final : public Loop {
 public:
  RateLoop(Loop& loop, RateScale scale) : loop_(loop), scale_(scale), wake_(loop) {}
  MonoTime now() const override { return scale_.fast(loop_.now()); }
  TimerId at(MonoTime time, Callback callback) override;
  void cancel(TimerId id) override { timers_.cancel(id); }
  void post(Callback callback) override { loop_.post(std::move(callback)); }

 private:
  void run_due();
  void arm();

  Loop& loop_;
  RateScale scale_;
  TimerQueue timers_;
  Timer wake_;
  MonoTime armed_for_{};
  bool is_running_ = false;
};

}  // namespace berm::hal
