// SPDX-License-Identifier: Apache-2.0
// SystemRandom: the kernel's random numbers (getrandom(2)), a few at a time so that a number costs
// no system call each. Any thread. Never fails: the kernel's pool is ready long before us; a
// failing getrandom is a broken invariant.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>

#include "hal/random.hpp"

namespace berm::hal {

class SystemRandom final : public Random {
 public:
  std::uint64_t next_u64() override;

 private:
  std::mutex mutex_;
  std::array<std::uint64_t, 32>
      numbers_{};  // 256 bytes: the most that getrandom gives in one piece
  std::size_t left_ = 0;
};

}  // namespace berm::hal
