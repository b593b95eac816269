// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/speed_estimate.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace berm::drivers::traffic {
namespace {

// Cars of 6.3 m effective length at 30 m/s.
SpeedEstimate learned() {
  SpeedEstimate estimate;
  for (int i = 0; i < 300; ++i) estimate.learn(6.0 + 0.02 * (i % 30), 30.0);
  return estimate;
}

TEST(SpeedEstimate, ALearnedLaneGivesItsSpeed) {
  SpeedEstimate estimate = learned();
  double last = 0.0;
  for (int i = 0; i < 20; ++i) last = estimate.take(6.3 / 30.0, 3.0).speed_mps;
  EXPECT_NEAR(last, 30.0, 1.5);
}

TEST(SpeedEstimate, OneLongPulseIsALorryAndNotAQueue) {
  SpeedEstimate estimate;
  for (int i = 0; i < 300; ++i) estimate.learn(i % 8 == 0 ? 18.0 : 6.3, 30.0);
  for (int i = 0; i < 20; ++i) estimate.take(6.3 / 30.0, 3.0);
  const auto lorry = estimate.take(18.0 / 28.0, 3.0);
  EXPECT_NEAR(lorry.speed_mps, 28.0, 3.5);
  EXPECT_NEAR(lorry.effective_m, 18.0, 2.5);
}

TEST(SpeedEstimate, ARowOfLongPulsesIsAQueue) {
  SpeedEstimate estimate = learned();
  for (int i = 0; i < 10; ++i) estimate.take(6.3 / 30.0, 3.0);
  for (int i = 0; i < 25; ++i) estimate.take(6.3 / 5.0, 4.0);
  EXPECT_NEAR(estimate.lane_mps(), 5.0, 1.0);
}

TEST(SpeedEstimate, NothingIsEverInfiniteOrNegative) {
  SpeedEstimate estimate;
  for (const double on_s : {0.0, 1e-6, 0.01, 1.0, 1e3, 1e9}) {
    const auto guess = estimate.take(on_s, on_s);
    EXPECT_TRUE(std::isfinite(guess.speed_mps));
    EXPECT_GE(guess.speed_mps, 0.0);
    EXPECT_LE(guess.speed_mps, 65.0);
  }
}

TEST(SpeedEstimate, SurvivesARestart) {
  const SpeedEstimate before = learned();
  ByteWriter writer;
  before.encode(writer);
  SpeedEstimate after;
  ByteReader reader(writer.bytes());
  ASSERT_TRUE(after.decode(reader));
  SpeedEstimate same = before;
  EXPECT_NEAR(after.take(0.21, 2.0).speed_mps, same.take(0.21, 2.0).speed_mps, 0.3);
  ByteReader cut(std::string_view(writer.bytes()).substr(0, 20));
  EXPECT_FALSE(after.decode(cut));
}

}  // namespace
}  // namespace berm::drivers::traffic
