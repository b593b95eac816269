// SPDX-License-Identifier: Apache-2.0
// SimLoop: the loop in virtual time. `now` stands still while a callback runs and jumps to the next
// timer afterwards; nothing waits, so a day passes as fast as its callbacks do (millions of timers
// a second). Who: every test of firmware/ and drivers/, `berm replay`, the simulator. Order: what
// was posted runs first, at the present instant, in order; then the timer with the earliest time,
// equal ones in order of their making. A timer whose time has passed fires at `now`; time never
// goes back. The same calls give the same order in every run.
// Thread: the one that runs it; only `post` may come from another (it then runs at the next step).
// Limits: kMaxPosted waiting posts, kMaxTimers timers; one more is a broken invariant.
// run_until_idle gives up after `max_steps`, because a periodic timer never lets a loop become
// idle.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <vector>

#include "hal/loop.hpp"
#include "hal/sim/timer_queue.hpp"

namespace berm::hal {

class SimLoop final : public Loop {
 public:
  // A machine is never at zero when our program starts.
  static constexpr MonoTime kDefaultStart = mono_us(100'000'000);

  explicit SimLoop(MonoTime start = kDefaultStart) : now_(start) {}

  MonoTime now() const override { return now_; }
  TimerId at(MonoTime time, Callback callback) override;
  void cancel(TimerId id) override { timers_.cancel(id); }
  void post(Callback callback) override;

  // Runs one callback; false: there was none, time stands still.
  bool step();
  // Runs all that is due until `time` (inclusive), then `now` is `time`, unless stop() was called.
  void run_until(MonoTime time);
  void run_for(Microseconds duration) { run_until(now_ + duration); }
  // Until nothing waits. False: still busy after `max_steps` callbacks.
  bool run_until_idle(std::size_t max_steps = 1'000'000);
  // Ends run_until and run_until_idle after the callback in hand (a power cut, an assertion of a
  // test).
  void stop() { is_stopped_ = true; }
  bool is_idle() const { return timers_.is_empty() && !has_posted(); }
  std::uint64_t steps() const { return steps_; }
  // When the next timer is due; nullopt: none waits.
  std::optional<MonoTime> next_timer() {
    return timers_.is_empty() ? std::nullopt : std::optional(timers_.next_time());
  }

 private:
  bool has_posted() const;
  bool run_posted();

  MonoTime now_;
  TimerQueue timers_;
  std::uint64_t steps_ = 0;
  bool is_stopped_ = false;
  mutable std::mutex mutex_;
  std::vector<Callback> posted_;             // guarded by mutex_
  std::atomic<bool> is_any_posted_ = false;  // so that a step without posts takes no lock
  std::vector<Callback> turn_;               // taken from posted_, being run
  std::size_t turn_next_ = 0;
};

}  // namespace berm::hal
