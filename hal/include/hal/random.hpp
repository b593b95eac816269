// SPDX-License-Identifier: Apache-2.0
// Random: the only source of randomness (linux/: getrandom; sim/: a seed, so that a run repeats
// exactly). It cannot fail. Loop or executor.
#pragma once

#include <cstdint>

namespace berm::hal {

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next_u64() = 0;
  // Uniform in [0, bound); bound > 0. (The bias below 2^-32 is of no matter here.)
  std::uint64_t below(std::uint64_t bound) { return next_u64() % bound; }
  // Uniform in [0, 1).
  double unit() { return static_cast<double>(next_u64() >> 11) * 0x1.0p-53; }
};

}  // namespace berm::hal
