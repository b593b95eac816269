// SPDX-License-Identifier: Apache-2.0
// SimExecutor: the disk executor in virtual time. Jobs run one after another on the SimLoop's
// thread; a job's `work` runs when its turn begins (never inside `submit`), its `done` follows
// after the latency: fixed, from a function, plus what a slow SimDisk reported meanwhile
// (`add_latency`). Who: tests and the simulator. Because work runs only when its turn begins, a
// power cut between two jobs prevents the later one, as on the machine. `stall` is a card that
// hangs: no job begins and none ends until `release`. `power_cut` forgets all jobs and calls no
// further `done`. Limit: `max_queued` jobs submitted and not done; one more is refused. Thread: the
// loop's. It must die before its loop. Destruction drops what has not begun.
#pragma once

#include <deque>
#include <functional>

#include "hal/executor.hpp"
#include "hal/loop.hpp"

namespace berm::hal {

struct SimExecutorOptions {
  std::size_t max_queued = 1024;
  Microseconds latency{0};
};

class SimExecutor final : public Executor {
 public:
  SimExecutor(Loop& loop, SimExecutorOptions options)
      : loop_(loop),
        turn_(loop),
        options_(options),
        latency_([latency = options.latency] { return latency; }) {}
  explicit SimExecutor(Loop& loop) : SimExecutor(loop, SimExecutorOptions{}) {}

  bool submit(std::function<void()> work, std::function<void()> done) override;
  std::size_t queued() const override { return jobs_.size(); }

  // For jobs whose turn begins from now on.
  void set_latency(Microseconds latency);
  void set_latency(std::function<Microseconds()> latency) { latency_ = std::move(latency); }
  // Called from inside a job's work: the device took so much longer.
  void add_latency(Microseconds extra) { extra_ += extra; }
  void stall() { is_stalled_ = true; }
  void release();
  void power_cut();
  std::uint64_t completed() const { return completed_; }

 private:
  struct Job {
    std::function<void()> work;
    std::function<void()> done;
  };
  void begin();
  void finish();

  Loop& loop_;
  Timer turn_;  // the beginning of the next job or the end of the one in hand
  SimExecutorOptions options_;
  std::function<Microseconds()> latency_;
  Microseconds extra_{0};
  std::deque<Job> jobs_;
  bool is_in_hand_ = false;  // the first job has begun
  bool is_stalled_ = false;
  bool is_waiting_for_release_ = false;
  std::uint64_t completed_ = 0;
};

}  // namespace berm::hal
