// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/loop.hpp"

#include <algorithm>
#include <utility>

#include "hal/base/assert.hpp"

namespace berm::hal {

TimerId SimLoop::at(MonoTime time, Callback callback) {
  return timers_.add(time, std::move(callback));
}

void SimLoop::post(Callback callback) {
  const std::lock_guard lock(mutex_);
  BERM_ASSERT(posted_.size() < kMaxPosted);
  posted_.push_back(std::move(callback));
  is_any_posted_.store(true, std::memory_order_release);
}

bool SimLoop::has_posted() const {
  return turn_next_ < turn_.size() || is_any_posted_.load(std::memory_order_acquire);
}

bool SimLoop::run_posted() {
  if (turn_next_ == turn_.size()) {
    turn_.clear();
    turn_next_ = 0;
    if (!is_any_posted_.load(std::memory_order_acquire)) return false;
    const std::lock_guard lock(mutex_);
    turn_.swap(posted_);
    is_any_posted_.store(false, std::memory_order_release);
  }
  const Callback callback = std::move(turn_[turn_next_++]);
  callback();
  return true;
}

bool SimLoop::step() {
  if (run_posted()) {
    ++steps_;
    return true;
  }
  if (timers_.is_empty()) return false;
  now_ = std::max(now_, timers_.next_time());
  const Callback callback = timers_.take_first();
  ++steps_;
  callback();
  return true;
}

void SimLoop::run_until(MonoTime time) {
  is_stopped_ = false;
  while (!is_stopped_ && (has_posted() || (!timers_.is_empty() && timers_.next_time() <= time))) {
    step();
  }
  if (!is_stopped_) now_ = std::max(now_, time);
}

bool SimLoop::run_until_idle(std::size_t max_steps) {
  is_stopped_ = false;
  for (std::size_t n = 0; n < max_steps && !is_stopped_; ++n) {
    if (!step()) return true;
  }
  return is_idle();
}

}  // namespace berm::hal
