// SPDX-License-Identifier: Apache-2.0
// The contract of hal/random.hpp.
#include <set>

#include "tests/contract/hal/backend.hpp"

namespace berm::hal::contract {

TEST_P(RandomContract, NumbersDoNotRepeat) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(backend_->random().next_u64());
  EXPECT_EQ(seen.size(), 1000u);
}

TEST_P(RandomContract, EveryBitIsSometimesSetAndSometimesNot) {
  std::uint64_t any = 0;
  std::uint64_t all = ~std::uint64_t{0};
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t number = backend_->random().next_u64();
    any |= number;
    all &= number;
  }
  EXPECT_EQ(any, ~std::uint64_t{0});
  EXPECT_EQ(all, 0u);
}

TEST_P(RandomContract, BelowAndUnitStayInTheirRanges) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(backend_->random().below(6));
    const double unit = backend_->random().unit();
    EXPECT_GE(unit, 0.0);
    EXPECT_LT(unit, 1.0);
  }
  EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(backend_->random().below(1), 0u);
}

}  // namespace berm::hal::contract
