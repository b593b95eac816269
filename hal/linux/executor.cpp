// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/executor.hpp"

#include <pthread.h>

#include <utility>

#include "hal/base/assert.hpp"

namespace berm::hal {

ThreadExecutor::ThreadExecutor(Loop& loop, std::size_t max_queued, const std::string& thread_name)
    : loop_(loop), max_queued_(max_queued), thread_([this] { work(); }) {
  BERM_ASSERT(max_queued > 0 && thread_name.size() <= 15);
  ::pthread_setname_np(thread_.native_handle(), thread_name.c_str());
}

ThreadExecutor::~ThreadExecutor() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
  alive_.reset();
}

bool ThreadExecutor::submit(std::function<void()> work, std::function<void()> done) {
  BERM_ASSERT(work && done);
  if (queued_ == max_queued_) return false;
  ++queued_;
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(work), std::move(done)});
  }
  wake_.notify_one();
  return true;
}

void ThreadExecutor::work() {
  Job job;
  while (take(job)) {
    job.work();
    job.work = nullptr;  // what it held is let go here, not on the loop
    hand_back(std::move(job));
  }
}

bool ThreadExecutor::take(Job& job) {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return is_ending_ || !waiting_.empty(); });
  if (is_ending_) return false;
  job = std::move(waiting_.front());
  waiting_.pop_front();
  return true;
}

void ThreadExecutor::hand_back(Job job) {
  {
    const std::lock_guard lock(mutex_);
    finished_.push_back(std::move(job));
    if (finished_.size() > 1) return;  // the call that is on its way serves this one too
  }
  loop_.post([this, alive = alive_seen_] {
    if (!alive.expired()) call_done();
  });
}

void ThreadExecutor::call_done() {
  std::vector<Job> finished;
  {
    const std::lock_guard lock(mutex_);
    finished.swap(finished_);
  }
  const std::weak_ptr<int> alive = alive_seen_;
  for (Job& job : finished) {
    --queued_;
    job.done();
    if (alive.expired()) return;  // a `done` has ended us
    job.done = nullptr;
  }
}

}  // namespace berm::hal
