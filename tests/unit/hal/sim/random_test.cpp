// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/random.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace berm::hal {
namespace {

TEST(SimRandom, TheSameSeedGivesTheSameNumbersAndAnotherSeedOthers) {
  SimRandom one(42);
  SimRandom same(42);
  SimRandom other(43);
  int equal = 0;
  for (int n = 0; n < 100; ++n) {
    const std::uint64_t number = one.next_u64();
    EXPECT_EQ(number, same.next_u64());
    equal += number == other.next_u64() ? 1 : 0;
  }
  EXPECT_EQ(equal, 0);
}

TEST(SimRandom, NumbersOfASeedNeverChange) {
  SimRandom random(1);
  EXPECT_EQ(random.next_u64(), 0xb3f2af6d0fc710c5u);
}

TEST(SimRandom, MeansAndDeviationsAreThoseAskedFor) {
  SimRandom random(5);
  constexpr int kCount = 20000;
  double sum = 0;
  double squares = 0;
  double waits = 0;
  for (int n = 0; n < kCount; ++n) {
    const double value = random.normal(100, 10);
    sum += value;
    squares += (value - 100) * (value - 100);
    waits += random.exponential(4);
  }
  EXPECT_NEAR(sum / kCount, 100, 0.5);
  EXPECT_NEAR(std::sqrt(squares / kCount), 10, 0.3);
  EXPECT_NEAR(waits / kCount, 4, 0.15);
}

}  // namespace
}  // namespace berm::hal
