// SPDX-License-Identifier: Apache-2.0
#include "drivers/gps_position/fix_filter.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace berm::drivers::gps_position {
namespace {

constexpr double kLat = 51.12;
constexpr double kLon = 4.41;
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

// Degrees of latitude for so many metres.
double north(double metres) {
  return metres / kEarthRadiusM * 180.0 / M_PI;
}

hal::PositionFix good(double lat = kLat, double lon = kLon) {
  hal::PositionFix fix;
  fix.mode = 3;
  fix.lat = lat;
  fix.lon = lon;
  fix.error_m = 5.0;
  fix.alt_m = 12.0;
  fix.speed_mps = 10.0;
  fix.satellites = 8;
  return fix;
}

MonoTime at(double s) {
  return mono_us(1'000'000'000 + std::llround(s * 1e6));
}

class FixFilterTest : public testing::Test {
 protected:
  FixVerdict take(const hal::PositionFix& fix, double s = 0.0) { return filter_.take(fix, at(s)); }
  FixFilter filter_{FilterOptions{}};
};

TEST(Haversine, GivesKnownDistances) {
  EXPECT_EQ(distance_m({kLat, kLon}, {kLat, kLon}), 0.0);
  // A degree of latitude, and of longitude at the equator, of the mean sphere.
  EXPECT_NEAR(distance_m({0, 0}, {1, 0}), 111'195.1, 0.1);
  EXPECT_NEAR(distance_m({0, 0}, {0, 1}), 111'195.1, 0.1);
  EXPECT_NEAR(distance_m({60, 0}, {60, 1}), 55'597.0, 3.0);
  // Brussels to Antwerp (Grote Markt to Grote Markt).
  EXPECT_NEAR(distance_m({50.8467, 4.3525}, {51.2213, 4.3997}), 41'790.0, 50.0);
}

TEST(Haversine, IsShortAcrossTheDateLineAndWholeBetweenAntipodes) {
  EXPECT_NEAR(distance_m({0, 179.9999}, {0, -179.9999}), 22.24, 0.01);
  EXPECT_NEAR(distance_m({0, 0}, {0, 180}), M_PI * kEarthRadiusM, 1.0);
  EXPECT_NEAR(distance_m({90, 0}, {-90, 77}), M_PI * kEarthRadiusM, 1.0);
}

TEST_F(FixFilterTest, TakesTheFirstGoodFixAtOnce) {
  EXPECT_EQ(filter_.report(), nullptr);
  EXPECT_EQ(take(good()), FixVerdict::event);
  const PositionReport& report = *filter_.report();
  EXPECT_EQ(report.place.lat, kLat);
  EXPECT_EQ(report.speed_kmh, 36.0);
  EXPECT_EQ(report.alt_m, 12.0);
  EXPECT_EQ(report.accuracy_m, 5.0);
  EXPECT_EQ(report.satellites, 8);
  EXPECT_EQ(report.mode, 3);
  EXPECT_EQ(report.elapsed_s, 0);
  EXPECT_EQ(report.distance_m, 0.0);
}

TEST_F(FixFilterTest, RefusesWhatHasNoFix) {
  hal::PositionFix fix = good();
  fix.mode = 0;
  EXPECT_EQ(take(fix), FixVerdict::no_mode);
  fix.mode = 4;
  EXPECT_EQ(take(fix), FixVerdict::no_mode);
  fix.mode = -1;
  EXPECT_EQ(take(fix), FixVerdict::no_mode);
  fix.mode = 1;
  EXPECT_EQ(take(fix), FixVerdict::no_fix);
  fix.mode = 2;
  EXPECT_EQ(take(fix), FixVerdict::event);
  EXPECT_FALSE(filter_.report()->alt_m) << "an altitude needs mode 3";
}

TEST_F(FixFilterTest, RefusesPositionsThatAreNone) {
  hal::PositionFix fix = good();
  fix.lat.reset();
  EXPECT_EQ(take(fix), FixVerdict::no_position);
  fix = good();
  fix.lon.reset();
  EXPECT_EQ(take(fix), FixVerdict::no_position);
  EXPECT_EQ(take(good(0.0, 0.0)), FixVerdict::no_position);
  EXPECT_EQ(take(good(kNotANumber, kLon)), FixVerdict::no_position);
  EXPECT_EQ(take(good(kLat, std::numeric_limits<double>::infinity())), FixVerdict::no_position);
  EXPECT_EQ(take(good(90.0001, 0.0)), FixVerdict::no_position);
  EXPECT_EQ(take(good(0.0, -180.0001)), FixVerdict::no_position);
  EXPECT_EQ(take(good(90.0, -180.0)), FixVerdict::event);
}

TEST_F(FixFilterTest, TakesErrorsUpToTheLimitOnly) {
  hal::PositionFix fix = good();
  fix.error_m.reset();
  EXPECT_EQ(take(fix), FixVerdict::no_error);
  fix.error_m = kNotANumber;
  EXPECT_EQ(take(fix), FixVerdict::no_error);
  fix.error_m = -1.0;
  EXPECT_EQ(take(fix), FixVerdict::no_error);
  fix.error_m = 100.001;
  EXPECT_EQ(take(fix), FixVerdict::coarse);
  fix.error_m = 100.0;
  EXPECT_EQ(take(fix), FixVerdict::event);
}

TEST_F(FixFilterTest, SpeaksAgainAfterTheMove) {
  EXPECT_EQ(take(good(), 0), FixVerdict::event);
  EXPECT_EQ(take(good(kLat + north(24.9)), 1), FixVerdict::quiet);
  EXPECT_EQ(take(good(kLat + north(25.1)), 2), FixVerdict::event);
  EXPECT_EQ(take(good(kLat + north(49.9)), 3), FixVerdict::quiet) << "counted from the last event";
  EXPECT_EQ(take(good(kLat + north(50.3)), 4), FixVerdict::event);
}

TEST_F(FixFilterTest, SpeaksAgainAfterTheInterval) {
  EXPECT_EQ(take(good(), 0), FixVerdict::event);
  EXPECT_EQ(take(good(), 59.999), FixVerdict::quiet);
  EXPECT_EQ(take(good(), 60), FixVerdict::event);
  EXPECT_EQ(take(good(), 119.999), FixVerdict::quiet);
  EXPECT_EQ(take(good(), 121), FixVerdict::event);
}

TEST_F(FixFilterTest, BadFixesNeitherSpeakNorResetTheInterval) {
  EXPECT_EQ(take(good(), 0), FixVerdict::event);
  hal::PositionFix lost = good();
  lost.mode = 1;
  EXPECT_EQ(take(lost, 60), FixVerdict::no_fix);
  EXPECT_EQ(take(good(), 61), FixVerdict::event);
}

TEST_F(FixFilterTest, LeavesOutSpeedsThatCannotBe) {
  hal::PositionFix fix = good();
  fix.speed_mps = 99.99;
  EXPECT_EQ(take(fix, 0), FixVerdict::event);
  EXPECT_TRUE(filter_.report()->speed_kmh);
  fix.speed_mps = 100.0;
  take(fix, 1);
  EXPECT_FALSE(filter_.report()->speed_kmh);
  fix.speed_mps = kNotANumber;
  take(fix, 2);
  EXPECT_FALSE(filter_.report()->speed_kmh);
  fix.speed_mps.reset();
  take(fix, 3);
  EXPECT_FALSE(filter_.report()->speed_kmh);
  EXPECT_EQ(filter_.absurd_speeds(), 2u);
  fix.speed_mps = 0.0;
  take(fix, 4);
  EXPECT_EQ(filter_.report()->speed_kmh, 0.0);
}

// After 8 s and the slack of 2 s one may have come 1000 m, and both errors of 5 m.
TEST_F(FixFilterTest, RefusesAPlaceThatCannotBeReached) {
  EXPECT_EQ(take(good(), 0), FixVerdict::event);
  EXPECT_EQ(take(good(kLat + north(1010.5)), 8), FixVerdict::jump);
  EXPECT_EQ(filter_.report()->place.lat, kLat);
  EXPECT_EQ(take(good(kLat + north(1009.5)), 8), FixVerdict::event);
}

TEST_F(FixFilterTest, ComesBackFromAnOutlier) {
  EXPECT_EQ(take(good(), 0), FixVerdict::event);
  for (int i = 1; i < kAgreeingFixes; ++i) {
    EXPECT_EQ(take(good(kLat + 1.0), i), FixVerdict::jump);
  }
  EXPECT_EQ(take(good(), 5), FixVerdict::quiet);
  EXPECT_EQ(take(good(kLat + 1.0), 6), FixVerdict::jump) << "it begins anew";
}

TEST_F(FixFilterTest, BelievesANewPlaceOnceManyAgree) {
  EXPECT_EQ(take(good(), 0), FixVerdict::event);
  for (int i = 1; i < kAgreeingFixes; ++i) {
    EXPECT_EQ(take(good(kLat + 1.0 + north(20.0 * i)), i), FixVerdict::jump);
  }
  EXPECT_EQ(take(good(kLat + 1.0 + north(100.0)), 5), FixVerdict::event);
  EXPECT_EQ(filter_.report()->distance_m, 0.0) << "nobody went that way";
  EXPECT_EQ(take(good(kLat + 1.0 + north(130.0)), 6), FixVerdict::event);
  EXPECT_NEAR(filter_.report()->distance_m, 30.0, 0.1);
}

TEST_F(FixFilterTest, JumpsThatDisagreeAreNeverBelieved) {
  EXPECT_EQ(take(good(), 0), FixVerdict::event);
  for (int i = 1; i <= 50; ++i) {
    EXPECT_EQ(take(good(i % 2 == 0 ? 10.0 : -10.0), i), FixVerdict::jump) << i;
  }
}

TEST_F(FixFilterTest, AParkedReceiverGoesNowhere) {
  take(good(), 0);
  for (int s = 1; s <= 3600; ++s) {
    take(good(kLat + north(12.0 * std::sin(s)), kLon + north(12.0 * std::cos(s * 1.7))), s);
  }
  EXPECT_EQ(filter_.report()->distance_m, 0.0);
  EXPECT_EQ(filter_.report()->elapsed_s, 3600);
}

TEST_F(FixFilterTest, AddsUpTheWayGone) {
  take(good(), 0);
  for (int s = 1; s <= 100; ++s) take(good(kLat + north(20.0 * s)), s);
  EXPECT_NEAR(filter_.report()->distance_m, 2000.0, 0.5);
  EXPECT_EQ(filter_.report()->elapsed_s, 100);
}

TEST_F(FixFilterTest, SlowWaysAreAddedToo) {
  take(good(), 0);
  // An event a minute, each less than move_m from the one before.
  for (int minute = 1; minute <= 10; ++minute) {
    EXPECT_EQ(take(good(kLat + north(20.0 * minute)), minute * 60.0), FixVerdict::event);
  }
  EXPECT_NEAR(filter_.report()->distance_m, 200.0, 0.5);
}

}  // namespace
}  // namespace berm::drivers::gps_position
