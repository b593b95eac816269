// SPDX-License-Identifier: Apache-2.0
// SimRandom: the same numbers from the same seed on every machine (xoshiro256**, seeded by
// splitmix64; Blackman and Vigna, 2018, public domain). Not for secrets. One thread; a plain value.
#pragma once

#include <array>
#include <cstdint>

#include "hal/random.hpp"

namespace berm::hal {

class SimRandom final : public Random {
 public:
  explicit SimRandom(std::uint64_t seed);
  std::uint64_t next_u64() override;
  // Uniform in [low, high), exponential and normal numbers for generated traffic and faults.
  double between(double low, double high) { return low + (high - low) * unit(); }
  double exponential(double mean);
  double normal(double mean, double deviation);

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace berm::hal
