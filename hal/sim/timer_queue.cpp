// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/timer_queue.hpp"

#include <algorithm>
#include <utility>

#include "hal/base/assert.hpp"

namespace berm::hal {
namespace {
// A TimerId is the sequence above and the slot below.
constexpr unsigned kSlotBits = 22;
constexpr std::uint64_t kSlotMask = (std::uint64_t{1} << kSlotBits) - 1;
static_assert(kMaxTimers == kSlotMask + 1);
// Below this many stale entries a rebuild is not worth it.
constexpr std::size_t kCompactAbove = 1024;
}  // namespace

TimerId TimerQueue::add(MonoTime time, Loop::Callback callback) {
  if (free_.empty()) {
    BERM_ASSERT(slots_.size() < kMaxTimers);
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  const std::uint64_t sequence = next_sequence_++;
  slots_[slot].callback = std::move(callback);
  slots_[slot].sequence = sequence;
  heap_.push_back({time, sequence, slot});
  std::push_heap(heap_.begin(), heap_.end(), is_later);
  ++live_;
  return (sequence << kSlotBits) | slot;
}

void TimerQueue::cancel(TimerId id) {
  const std::uint64_t slot = id & kSlotMask;
  if (id == 0 || slot >= slots_.size() || slots_[slot].sequence != id >> kSlotBits) return;
  // The callback dies last: its captures may cancel timers of their own.
  const Loop::Callback dying = std::move(slots_[slot].callback);
  free_slot(static_cast<std::uint32_t>(slot));
  if (heap_.size() > kCompactAbove && heap_.size() > 2 * live_) compact();
}

MonoTime TimerQueue::next_time() {
  drop_stale();
  BERM_ASSERT(!heap_.empty());
  return heap_.front().time;
}

std::uint64_t TimerQueue::first_sequence() {
  drop_stale();
  BERM_ASSERT(!heap_.empty());
  return heap_.front().sequence;
}

Loop::Callback TimerQueue::take_first() {
  drop_stale();
  BERM_ASSERT(!heap_.empty());
  const std::uint32_t slot = heap_.front().slot;
  std::pop_heap(heap_.begin(), heap_.end(), is_later);
  heap_.pop_back();
  Loop::Callback callback = std::move(slots_[slot].callback);
  free_slot(slot);
  return callback;
}

void TimerQueue::free_slot(std::uint32_t slot) {
  slots_[slot].callback = nullptr;
  slots_[slot].sequence = 0;
  free_.push_back(slot);
  --live_;
}

void TimerQueue::drop_stale() {
  while (!heap_.empty() && !is_live(heap_.front())) {
    std::pop_heap(heap_.begin(), heap_.end(), is_later);
    heap_.pop_back();
  }
}

void TimerQueue::compact() {
  std::erase_if(heap_, [this](const Entry& entry) { return !is_live(entry); });
  std::make_heap(heap_.begin(), heap_.end(), is_later);
}

}  // namespace berm::hal
