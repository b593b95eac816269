// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/match.hpp"

#include <gtest/gtest.h>

namespace berm::drivers::camera_counter {
namespace {

Agreement of(std::vector<double> counted, std::vector<double> truth) {
  return agree(counted, truth, 10.0);
}

TEST(Agreement, EachPassageAgreesWithOneCrossingAtMost) {
  EXPECT_EQ(of({100}, {95, 105}).right, 1);
  EXPECT_EQ(of({95, 105}, {100}).right, 1);
  EXPECT_EQ(of({110, 90}, {100, 100}).right, 2);
  EXPECT_EQ(of({110.1}, {100}).right, 0);
  // Giving 100 to the nearer one would leave 109 alone.
  EXPECT_EQ(of({100, 92}, {109, 100}).right, 2);
}

TEST(Agreement, NothingCountedWhereNothingWasIsRight) {
  EXPECT_EQ(of({}, {}).f1(), 1.0);
  EXPECT_EQ(of({5}, {}).f1(), 0.0);
  EXPECT_EQ(of({}, {5}).f1(), 0.0);
  const Agreement half = of({1, 50}, {1, 100});
  EXPECT_EQ(half.precision(), 0.5);
  EXPECT_EQ(half.recall(), 0.5);
  EXPECT_EQ(half.f1(), 0.5);
}

TEST(Effectiveness, FallsWithTheRunningError) {
  const std::vector<double> truth{10, 30, 50, 70};
  EXPECT_EQ(effectiveness(truth, truth, 100), 1.0);
  EXPECT_LT(effectiveness(std::vector<double>{10, 30, 50}, truth, 100), 1.0);
  EXPECT_EQ(effectiveness({}, truth, 100) < 0.5, true);
  EXPECT_EQ(efficiency(0.0, 10.0), 1.0);
  EXPECT_EQ(efficiency(100.0, 10.0), 0.0);
}

}  // namespace
}  // namespace berm::drivers::camera_counter
