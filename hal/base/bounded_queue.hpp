// SPDX-License-Identifier: Apache-2.0
// A queue with a maximum, between one or more producer threads and one consumer. push never blocks
// and never grows beyond the maximum: what does not fit is counted in overflows(), which the owner
// reports. Memory is allocated once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "hal/base/assert.hpp"

namespace berm {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t max) : slots_(max) { BERM_ASSERT(max > 0); }

  // False: full, nothing was kept and the overflow was counted.
  bool push(T item) {
    const std::lock_guard lock(mutex_);
    if (count_ == slots_.size()) {
      ++overflows_;
      return false;
    }
    slots_[(first_ + count_) % slots_.size()] = std::move(item);
    ++count_;
    return true;
  }

  // Moves all that waits to `into` (appended), oldest first; returns how many.
  std::size_t drain(std::vector<T>& into) {
    const std::lock_guard lock(mutex_);
    const std::size_t taken = count_;
    for (; count_ > 0; --count_) {
      into.push_back(std::move(slots_[first_]));
      first_ = (first_ + 1) % slots_.size();
    }
    return taken;
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  std::uint64_t overflows() const {
    const std::lock_guard lock(mutex_);
    return overflows_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<T> slots_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::uint64_t overflows_ = 0;
};

}  // namespace berm
