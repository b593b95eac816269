// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/lane_period.hpp"

#include <gtest/gtest.h>

namespace berm::drivers::traffic {
namespace {

constexpr std::int64_t kMinute = 60'000'000;

Passage passage(double speed, int length_class, Flags flags = {}) {
  Passage made;
  made.speed_kmh = speed;
  made.length_class = static_cast<std::uint8_t>(length_class);
  made.flags = flags;
  return made;
}

LanePeriod filled(const LanePeriodSum& sum, std::int64_t unseen_us = 0, bool is_pair = true) {
  LanePeriod period;
  sum.fill(period, kMinute, unseen_us, is_pair, Flags{});
  return period;
}

TEST(LanePeriodSum, NoVehicleIsZeroNotNullButItsSpeedsAreNull) {
  const LanePeriod period = filled(LanePeriodSum{});
  EXPECT_EQ(period.count, 0);
  EXPECT_EQ(period.unclassified_count, 0);
  for (const ClassMeasure& measure : period.classes) {
    EXPECT_EQ(measure.count, 0);
    EXPECT_EQ(measure.speed_count, 0);
    EXPECT_FALSE(measure.speed_kmh);
    EXPECT_FALSE(measure.speed_harmonic_kmh);
  }
  EXPECT_EQ(period.occupancy_percent, 0.0);
  EXPECT_EQ(period.availability_percent, 100.0);
  EXPECT_EQ(period.coverage, 1.0);
  EXPECT_FALSE(period.unrest);
  EXPECT_EQ(period.valid, 0);
  EXPECT_EQ(period.defect, 0);
  EXPECT_EQ(period.flags, "");
}

TEST(LanePeriodSum, MeansAreArithmeticAndHarmonicPerClass) {
  LanePeriodSum sum;
  sum.add(passage(60.0, 2));
  sum.add(passage(120.0, 2));
  sum.add(passage(90.0, 5));
  const LanePeriod period = filled(sum);
  EXPECT_EQ(period.count, 3);
  EXPECT_EQ(period.classes[1].count, 2);
  EXPECT_EQ(period.classes[1].speed_kmh, 90.0);
  EXPECT_EQ(period.classes[1].speed_harmonic_kmh, 80.0);
  EXPECT_EQ(period.classes[4].speed_kmh, 90.0);
  EXPECT_EQ(period.unrest, 600.0);  // (3600 + 14400 + 8100)/3 − 90²
}

TEST(LanePeriodSum, OneWithoutSpeedCountsButEntersNoMean) {
  LanePeriodSum sum;
  sum.add(passage(kUnknown, 0, Flag::half));
  sum.add(passage(50.0, 2));
  const LanePeriod period = filled(sum);
  EXPECT_EQ(period.count, 2);
  EXPECT_EQ(period.unclassified_count, 1);
  EXPECT_EQ(period.classes[1].speed_count, 1);
  EXPECT_EQ(period.flags, "half");
  EXPECT_EQ(period.valid, 0);
}

TEST(LanePeriodSum, OneThatDoesNotCountOnlyLeavesItsFlag) {
  LanePeriodSum sum;
  Passage second = passage(kUnknown, 0, Flag::second_only);
  second.counts = false;
  sum.add(second);
  EXPECT_EQ(filled(sum).count, 0);
  EXPECT_EQ(filled(sum).flags, "second_only");
}

TEST(LanePeriodSum, OccupancyIsOfTheObservedTimeAndNeverOverHundred) {
  LanePeriodSum sum;
  sum.add_occupied(15'000'000);
  EXPECT_EQ(filled(sum).occupancy_percent, 25.0);
  const LanePeriod half = filled(sum, kMinute / 2);
  EXPECT_EQ(half.occupancy_percent, 50.0);
  EXPECT_EQ(half.coverage, 0.5);
  EXPECT_EQ(half.availability_percent, 50.0);
  EXPECT_EQ(filled(sum, kMinute - 1'000'000).occupancy_percent, 100.0);
}

TEST(LanePeriodSum, LostStretchesLowerCoverageNotAvailability) {
  LanePeriodSum sum;
  sum.add_unseen(6'000'000);
  const LanePeriod period = filled(sum);
  EXPECT_EQ(period.coverage, 0.9);
  EXPECT_EQ(period.availability_percent, 100.0);
  EXPECT_EQ(period.valid, 1);
}

TEST(LanePeriodSum, APeriodNobodySawHasNullCounts) {
  const LanePeriod period = filled(LanePeriodSum{}, kMinute);
  EXPECT_EQ(period.coverage, 0.0);
  EXPECT_FALSE(period.count);
  EXPECT_FALSE(period.unclassified_count);
  EXPECT_FALSE(period.classes[0].count);
  EXPECT_FALSE(period.occupancy_percent);
  EXPECT_EQ(period.valid, 2);
}

TEST(LanePeriodSum, ValidFallsBelowHalfCoverage) {
  EXPECT_EQ(filled(LanePeriodSum{}, kMinute / 2).valid, 1);
  EXPECT_EQ(filled(LanePeriodSum{}, kMinute / 2 + 10'000).valid, 2);
}

TEST(LanePeriodSum, OverTwentyPercentBadCountsIsDefectTwo) {
  for (const int good : {25, 24}) {
    LanePeriodSum sum;
    for (int i = 0; i < good; ++i) sum.add(passage(90.0, 2));
    for (int i = 0; i < 5; ++i) sum.add_odd(Flag::on_while_on);
    const LanePeriod period = filled(sum);
    EXPECT_EQ(period.defect, good == 25 ? 0 : 2);
    EXPECT_EQ(period.valid, good == 25 ? 1 : 3);
  }
}

TEST(LanePeriodSum, OneSilentLoopOfAPairIsDefectOne) {
  for (const int pulses : {4, 5}) {
    LanePeriodSum sum;
    for (int i = 0; i < pulses; ++i) sum.add_pulse(0);
    EXPECT_EQ(filled(sum).defect, pulses == 5 ? 1 : 0);
    EXPECT_EQ(filled(sum, 0, false).defect, 0);
  }
}

TEST(LanePeriodSum, SurvivesItsBytes) {
  LanePeriodSum sum;
  sum.add(passage(60.0, 2));
  sum.add(passage(130.0, 5, Flag::coarse));
  sum.add_occupied(123);
  sum.add_unseen(456);
  ByteWriter writer;
  sum.encode(writer);
  ByteReader reader(writer.bytes());
  LanePeriodSum read;
  ASSERT_TRUE(read.decode(reader));
  EXPECT_TRUE(reader.is_at_end());
  ByteWriter again;
  read.encode(again);
  EXPECT_EQ(again.bytes(), writer.bytes());
}

TEST(LanePeriodSum, RefusesTornBytes) {
  LanePeriodSum sum;
  sum.add(passage(60.0, 2));
  ByteWriter writer;
  sum.encode(writer);
  for (std::size_t size = 0; size < writer.bytes().size(); ++size) {
    ByteReader reader(std::string_view(writer.bytes()).substr(0, size));
    LanePeriodSum read;
    EXPECT_FALSE(read.decode(reader));
    EXPECT_EQ(read.count(), 0);
  }
}

}  // namespace
}  // namespace berm::drivers::traffic
