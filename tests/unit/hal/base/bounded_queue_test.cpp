// SPDX-License-Identifier: Apache-2.0
#include "hal/base/bounded_queue.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace berm {
namespace {

TEST(BoundedQueue, GivesBackInOrder) {
  BoundedQueue<int> queue(3);
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  std::vector<int> taken = {0};
  EXPECT_EQ(queue.drain(taken), 2u);
  EXPECT_EQ(taken, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(queue.drain(taken), 0u);
}

TEST(BoundedQueue, TakesItsMaximumAndCountsWhatIsBeyond) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  EXPECT_EQ(queue.overflows(), 0u);
  EXPECT_FALSE(queue.push(3));
  EXPECT_FALSE(queue.push(4));
  EXPECT_EQ(queue.overflows(), 2u);
  EXPECT_EQ(queue.size(), 2u);
  std::vector<int> taken;
  queue.drain(taken);
  EXPECT_EQ(taken, (std::vector<int>{1, 2}));
  EXPECT_TRUE(queue.push(5));
}

TEST(BoundedQueue, KeepsOrderAcrossTheEndOfItsMemory) {
  BoundedQueue<int> queue(3);
  std::vector<int> taken;
  for (int round = 0; round < 10; ++round) {
    queue.push(2 * round);
    queue.push(2 * round + 1);
    queue.drain(taken);
  }
  ASSERT_EQ(taken.size(), 20u);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(taken[static_cast<std::size_t>(i)], i);
}

TEST(BoundedQueue, HoldsWhatCanOnlyBeMoved) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.push(std::make_unique<int>(4)));
  std::vector<std::unique_ptr<int>> taken;
  queue.drain(taken);
  EXPECT_EQ(*taken.at(0), 4);
}

TEST(BoundedQueue, LosesNothingUncountedBetweenThreads) {
  static constexpr int kEach = 20000;
  BoundedQueue<int> queue(64);
  const auto produce = [&queue] {
    for (int i = 0; i < kEach; ++i) queue.push(i);
  };
  std::vector<int> taken;
  {
    const std::jthread first(produce);
    const std::jthread second(produce);
    while (taken.size() + queue.overflows() < 2 * kEach) queue.drain(taken);
  }
  EXPECT_EQ(taken.size() + queue.overflows(), 2u * kEach);
}

}  // namespace
}  // namespace berm
