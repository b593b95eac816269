// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/executor.hpp"

#include <utility>

namespace berm::hal {

bool SimExecutor::submit(std::function<void()> work, std::function<void()> done) {
  if (jobs_.size() >= options_.max_queued) return false;
  jobs_.push_back({std::move(work), std::move(done)});
  if (jobs_.size() == 1) turn_.after(Microseconds{0}, [this] { begin(); });
  return true;
}

void SimExecutor::set_latency(Microseconds latency) {
  latency_ = [latency] { return latency; };
}

void SimExecutor::release() {
  is_stalled_ = false;
  if (!std::exchange(is_waiting_for_release_, false)) return;
  turn_.after(Microseconds{0}, [this] { is_in_hand_ ? finish() : begin(); });
}

void SimExecutor::power_cut() {
  turn_.cancel();
  jobs_.clear();
  is_in_hand_ = false;
  is_waiting_for_release_ = false;
}

void SimExecutor::begin() {
  if (is_stalled_) {
    is_waiting_for_release_ = true;
    return;
  }
  is_in_hand_ = true;
  extra_ = Microseconds{0};
  const auto work = std::move(jobs_.front().work);
  work();
  if (!is_in_hand_) return;  // the power went during the work
  turn_.after(latency_() + extra_, [this] { finish(); });
}

void SimExecutor::finish() {
  if (is_stalled_) {
    is_waiting_for_release_ = true;
    return;
  }
  const auto done = std::move(jobs_.front().done);
  jobs_.pop_front();
  is_in_hand_ = false;
  ++completed_;
  if (!jobs_.empty()) turn_.after(Microseconds{0}, [this] { begin(); });
  if (done) done();
}

}  // namespace berm::hal
