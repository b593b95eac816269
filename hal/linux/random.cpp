// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <utility>

#include "hal/base/assert.hpp"

namespace berm::hal {

std::uint64_t SystemRandom::next_u64() {
  const std::lock_guard lock(mutex_);
  if (left_ == 0) {
    ssize_t got = -1;
    do {
      got = ::getrandom(numbers_.data(), sizeof numbers_, 0);
    } while (got < 0 && errno == EINTR);
    BERM_ASSERT(got == static_cast<ssize_t>(sizeof numbers_));
    left_ = numbers_.size();
  }
  return std::exchange(numbers_[--left_], 0);  // a number is given once
}

}  // namespace berm::hal
