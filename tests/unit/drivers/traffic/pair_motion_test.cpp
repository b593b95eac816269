// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/pair_motion.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "drivers/traffic/limits.hpp"

namespace berm::drivers::traffic {
namespace {

constexpr PairGeometry kGeometry{2.0, 4.5};

// When the front has travelled `x` m, starting with `v` m/s and accelerating by `a`.
std::int64_t at_us(double x, double v, double a) {
  const double t = a == 0.0 ? x / v : (std::sqrt(v * v + 2 * a * x) - v) / a;
  return std::llround(t * 1e6);
}

PairTimes times_of(double length, double v, double a, std::uint32_t resolution = 1) {
  const double l = kGeometry.loop_length_m;
  const double d = kGeometry.spacing_m;
  return {0, at_us(length + l, v, a), at_us(d, v, a), at_us(d + length + l, v, a), resolution};
}

TEST(PairMotion, ConstantSpeedGivesSpeedAndLength) {
  const auto motion = pair_motion(times_of(4.3, 30.0, 0.0), kGeometry);
  ASSERT_TRUE(motion);
  EXPECT_NEAR(motion->speed_mps, 30.0, 0.01);
  EXPECT_NEAR(motion->length_m, 4.3, 0.01);
}

TEST(PairMotion, UniformAccelerationGivesTheSameLength) {
  for (const double a : {-2.5, -1.0, 1.0, 3.0}) {
    for (const double length : {4.3, 16.5}) {
      const auto motion = pair_motion(times_of(length, 11.0, a), kGeometry);
      ASSERT_TRUE(motion) << a << " " << length;
      EXPECT_NEAR(motion->length_m, length, 0.12) << a << " " << length;
    }
  }
}

TEST(PairMotion, ATruckThatPullsAwayIsOneVehicle) {
  const auto motion = pair_motion(times_of(16.5, 1.0, 1.5), kGeometry);
  ASSERT_TRUE(motion);
  EXPECT_NEAR(motion->length_m, 16.5, 0.05);
}

TEST(PairMotion, PulsesOfTwoVehiclesAreRefused) {
  PairTimes times = times_of(4.3, 30.0, 0.0);
  times.b_off_us += 600'000;  // a car's front and a truck's rear
  EXPECT_FALSE(pair_motion(times, kGeometry));
  // The car before left the lane, this one is 1.5 s behind: it would have a negative length.
  times = times_of(4.3, 30.0, 0.0);
  times.b_on_us += 1'500'000;
  times.b_off_us += 1'500'000;
  EXPECT_FALSE(pair_motion(times, kGeometry));
}

TEST(PairMotion, OneThatLeavesTheLaneOnTheSecondLoopHasSpeedAndLengthByTheFirst) {
  PairTimes times = times_of(4.3, 30.0, 0.0);
  for (const std::int64_t b_off_us : {times.b_on_us + 40'000, times.a_off_us}) {
    times.b_off_us = b_off_us;
    const auto motion = pair_motion(times, kGeometry);
    ASSERT_TRUE(motion) << b_off_us;
    EXPECT_NEAR(motion->speed_mps, 30.0, 0.01);
    EXPECT_NEAR(motion->length_m, 4.3, 0.01);
  }
}

TEST(PairMotion, TheSecondPulseCannotComeFirst) {
  PairTimes times = times_of(4.3, 30.0, 0.0);
  std::swap(times.a_on_us, times.b_on_us);
  EXPECT_FALSE(pair_motion(times, kGeometry));
}

TEST(PairMotion, OneThatStoodOverBothLoopsIsOneVehicle) {
  const PairTimes times{0, 31'000'000, 1'500'000, 33'000'000, 1};
  EXPECT_TRUE(pair_motion(times, kGeometry));
}

TEST(PairMotion, AVeryCoarseSignalGivesNoSpeed) {
  const auto fine = pair_motion(times_of(4.3, 20.0, 0.0, kCountOnlyUs), kGeometry);
  ASSERT_TRUE(fine);
  EXPECT_GT(fine->speed_mps, 0.0);
  const auto coarse = pair_motion(times_of(4.3, 20.0, 0.0, kCountOnlyUs + 1), kGeometry);
  ASSERT_TRUE(coarse);
  EXPECT_EQ(coarse->speed_mps, 0.0);
}

TEST(PairMotion, ACoarseSignalMayShowBothLoopsAtOnce) {
  EXPECT_TRUE(pair_motion({0, 100'000, 0, 100'000, 50'000}, kGeometry));
  EXPECT_FALSE(pair_motion({0, 100'000, 0, 100'000, 1'000}, kGeometry));
}

TEST(PairMotion, TheLongestCrossingHasAnEnd) {
  EXPECT_GT(longest_crossing_us(200'000, kGeometry), 1'800'000 * 200 / 1000);
  EXPECT_LE(longest_crossing_us(60 * kSecondUs, kGeometry), 60 * kSecondUs + kMaxCrossingUs);
}

}  // namespace
}  // namespace berm::drivers::traffic
