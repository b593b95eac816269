// SPDX-License-Identifier: Apache-2.0
// The contract of hal/clock.hpp.
#include "tests/contract/hal/backend.hpp"

namespace berm::hal::contract {

TEST_P(ClockContract, MonotonicTimeNeverGoesBack) {
  MonoTime last = backend_->clock().mono();
  for (int i = 0; i < 10000; ++i) {
    const MonoTime now = backend_->clock().mono();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST_P(ClockContract, ItIsTheSameTimeAsTheLoops) {
  bool is_over = false;
  loop().after(Milliseconds{3}, [&] {
    EXPECT_GE(backend_->clock().mono(), loop().now());
    EXPECT_LT(backend_->clock().mono(), loop().now() + Seconds{5});
    is_over = true;
  });
  EXPECT_TRUE(run_until([&] { return is_over; }));
}

TEST_P(ClockContract, BothTimesPassWithTheLoopsTime) {
  const MonoTime mono = backend_->clock().mono();
  const WallTime wall = backend_->clock().wall().time;
  run_for(Milliseconds{20});
  EXPECT_GE(backend_->clock().mono() - mono, Milliseconds{20});
  EXPECT_GE(backend_->clock().wall().time - wall, Milliseconds{15});  // it may be slewed
}

TEST_P(ClockContract, TheBootHasOneName) {
  const std::string id = backend_->clock().boot_id();
  EXPECT_FALSE(id.empty());
  run_for(Milliseconds{2});
  EXPECT_EQ(backend_->clock().boot_id(), id);
}

}  // namespace berm::hal::contract
