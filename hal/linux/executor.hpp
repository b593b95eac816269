// SPDX-License-Identifier: Apache-2.0
// ThreadExecutor: the Executor of the real machine: one thread that takes jobs in order. The node's
// disk work lives here (the outbox's only writing connection), so that a card that syncs for ten
// seconds delays neither the loop nor an edge.
//
// Promises: at most `max_queued` jobs wait or await their `done`; a job costs one wake-up of the
// thread and at most one of the loop. Nothing is posted to the loop after the destructor has
// returned. Thread: `submit`, `queued` and the destructor on the loop's thread; `work` runs, and
// what it holds is let go, on the executor's own thread; `done` on the loop's. Lifetime: the loop
// outlives it. The destructor waits for the job in hand. Memory: main sets mallopt(M_ARENA_MAX, 1),
// so the thread shares the main arena (about 130 kB less).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "hal/executor.hpp"
#include "hal/loop.hpp"

namespace berm::hal {

class ThreadExecutor final : public Executor {
 public:
  // `thread_name`: what top and gdb show, at most 15 characters.
  ThreadExecutor(Loop& loop, std::size_t max_queued, const std::string& thread_name = "berm-disk");
  ThreadExecutor(const ThreadExecutor&) = delete;
  ThreadExecutor& operator=(const ThreadExecutor&) = delete;
  ~ThreadExecutor() override;

  bool submit(std::function<void()> work, std::function<void()> done) override;
  std::size_t queued() const override { return queued_; }

 private:
  struct Job {
    std::function<void()> work;
    std::function<void()> done;
  };

  void work();
  bool take(Job& job);
  void hand_back(Job job);
  void call_done();

  Loop& loop_;
  const std::size_t max_queued_;
  std::size_t queued_ = 0;  // loop's thread
  // Held by the loop's thread only; a posted callback that finds it expired does nothing.
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  const std::weak_ptr<int> alive_seen_ = alive_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> waiting_;
  std::vector<Job> finished_;
  bool is_ending_ = false;

  std::thread thread_;
};

}  // namespace berm::hal
