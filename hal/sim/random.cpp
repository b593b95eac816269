// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/random.hpp"

#include <bit>
#include <cmath>

namespace berm::hal {

SimRandom::SimRandom(std::uint64_t seed) : state_{} {
  for (std::uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15u;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    word = z ^ (z >> 31);
  }
}

std::uint64_t SimRandom::next_u64() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double SimRandom::exponential(double mean) {
  return -mean * std::log1p(-unit());
}

// The sum of twelve uniforms (Irwin-Hall): within six deviations, and the same bits everywhere,
// which the functions of libm do not promise.
double SimRandom::normal(double mean, double deviation) {
  double sum = 0;
  for (int n = 0; n < 12; ++n) sum += unit();
  return mean + deviation * (sum - 6.0);
}

}  // namespace berm::hal
