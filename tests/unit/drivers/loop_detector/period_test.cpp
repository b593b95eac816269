// SPDX-License-Identifier: Apache-2.0
// To which period a vehicle belongs, and when a period is emitted.
#include "tests/unit/drivers/loop_detector/lane_bed.hpp"

namespace berm::test {
namespace {

using Periods = LaneBed;

TEST_F(Periods, AQuietRoadIsZerosWithFullCoverageEveryMinute) {
  start();
  run_to_ms(181'000);
  const auto seen = periods("left");
  ASSERT_EQ(seen.size(), 3u);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(s_of(*seen[i].start.wall), kBedStartS + 60 * static_cast<std::int64_t>(i));
    EXPECT_EQ(seen[i].period_s, 60);
    EXPECT_EQ(seen[i].count, 0);
    EXPECT_EQ(seen[i].coverage, 1.0);
    EXPECT_EQ(seen[i].flags, "");
  }
}

TEST_F(Periods, TheFirstPeriodOfANodeCoversOnlyWhatWasSeen) {
  bed_.run_for(Seconds{15});
  start();
  run_to_ms(61'000);
  EXPECT_EQ(s_of(*periods("left")[0].start.wall), kBedStartS);
  EXPECT_EQ(periods("left")[0].coverage, 0.75);
}

TEST_F(Periods, AQuietPeriodIsEmittedAFifthOfASecondAfterItsEnd) {
  start();
  run_to_ms(60'199);
  EXPECT_TRUE(bed_.periods().empty());
  run_to_ms(60'200);
  EXPECT_EQ(bed_.periods().size(), 3u);
}

TEST_F(Periods, ALateEdgeFallsIntoItsOwnPeriod) {
  start();
  run_to_ms(60'150);
  car(kLeftA, 59'300);  // arrives 0.85 s late
  run_to_ms(121'000);
  EXPECT_EQ(periods("left")[0].count, 1);
  EXPECT_EQ(periods("left")[1].count, 0);
}

TEST_F(Periods, AnEdgeAfterItsPeriodWasEmittedIsFlaggedLate) {
  start();
  run_to_ms(62'000);
  car(kLeftA, 59'000);
  run_to_ms(121'000);
  EXPECT_EQ(periods("left")[0].count, 0);
  EXPECT_EQ(periods("left")[1].count, 1);
  EXPECT_EQ(periods("left")[1].flags, "late");
}

TEST_F(Periods, ALeadingEdgeOnTheBoundaryBelongsToTheNextPeriod) {
  start();
  car(kLeftA, 59'999);
  car(kRightA, 60'000);
  run_to_ms(121'000);
  EXPECT_EQ(periods("left")[0].count, 1);
  EXPECT_EQ(periods("left")[1].count, 0);
  EXPECT_EQ(periods("right")[0].count, 0);
  EXPECT_EQ(periods("right")[1].count, 1);
}

TEST_F(Periods, AVehicleOnTheLoopsIsWaitedForAndClassified) {
  start();
  edge(kLeftA, 59'000, true);
  edge(kLeftB, 60'000, true);
  run_to_ms(62'000);
  EXPECT_TRUE(bed_.periods().empty());
  edge(kLeftA, 62'100, false);
  edge(kLeftB, 63'100, false);
  EXPECT_EQ(bed_.periods().size(), 3u);
  EXPECT_EQ(periods("left")[0].count, 1);
  EXPECT_EQ(periods("left")[0].unclassified_count, 0);
}

TEST_F(Periods, OneStillOnAfterFiveSecondsIsUnclassifiedAndItsEndDoesNotCount) {
  start();
  edge(kLeftA, 59'000, true);
  run_to_ms(64'999);
  EXPECT_TRUE(bed_.periods().empty());
  run_to_ms(65'000);
  ASSERT_EQ(periods("left").size(), 1u);
  EXPECT_EQ(periods("left")[0].count, 1);
  EXPECT_EQ(periods("left")[0].unclassified_count, 1);
  EXPECT_EQ(periods("left")[0].flags, "still_on");
  edge(kLeftB, 70'000, true);
  edge(kLeftA, 71'000, false);
  edge(kLeftB, 73'000, false);
  run_to_ms(121'000);
  EXPECT_EQ(periods("left")[1].count, 0);
  EXPECT_EQ(vehicles("left").size(), 1u);
}

TEST_F(Periods, AnOccupiedLoopIsSplitAtTheBorder) {
  start();
  edge(kRamp, 54'000, true);
  edge(kRamp, 63'000, false);
  run_to_ms(121'000);
  EXPECT_EQ(periods("ramp")[0].occupancy_percent, 10.0);
  EXPECT_EQ(periods("ramp")[1].occupancy_percent, 5.0);
}

TEST_F(Periods, ALoopOnForEverOccupiesEveryPeriodAndCountsOnce) {
  start();
  edge(kRamp, 30'000, true);
  run_to_ms(260'000);
  const auto seen = periods("ramp");
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[0].count, 1);
  EXPECT_EQ(seen[0].occupancy_percent, 50.0);
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(seen[i].count, 0);
    EXPECT_EQ(seen[i].occupancy_percent, 100.0);
  }
}

TEST_F(Periods, OneSecondPeriodsLoseNothingWhileOneStands) {
  start("\"period_s\": 1,");
  edge(kRamp, 500, true);
  for (int i = 0; i < 20; ++i) car(kLeftA, 1000 + i * 1000);
  edge(kRamp, 21'500, false);
  run_to_ms(30'100);
  std::int64_t left = 0;
  for (const auto& period : periods("left")) {
    EXPECT_LE(*period.count, 1);
    left += *period.count;
  }
  EXPECT_EQ(left, 20);
  EXPECT_EQ(periods("left").size(), 29u);
  EXPECT_EQ(periods("ramp")[0].count, 1);
}

TEST_F(Periods, EdgesAheadOfTheLoopFallIntoTheirPeriods) {
  start();
  std::vector<hal::Edge> edges;
  for (int minute = 0; minute < 5; ++minute) {
    edges.push_back({at_ms(minute * 60'000 + 10'000), 1, 0, kRamp, true});
    edges.push_back({at_ms(minute * 60'000 + 10'300), 1, 0, kRamp, false});
  }
  bed_.feed(edges);
  run_to_ms(301'000);
  const auto seen = periods("ramp");
  ASSERT_EQ(seen.size(), 5u);
  for (const auto& period : seen) EXPECT_EQ(period.count, 1);
}

TEST_F(Periods, ThePlaceIsTheLanesElseTheSites) {
  bed_.bed_site().place.road = "E19";
  bed_.bed_site().place.km = 31.2;
  bed_.start(drivers::loop_detector_driver,
             R"({"lanes": {"a": {"uid": 1, "loops": ["x"], "km": 30.0, "direction": "north"}}})");
  run_to_ms(61'000);
  EXPECT_EQ(periods("a")[0].place.road, "E19");
  EXPECT_EQ(periods("a")[0].place.km, 30.0);
  EXPECT_EQ(periods("a")[0].place.direction, "north");
  EXPECT_FALSE(periods("a")[0].place.lat);
}

TEST_F(Periods, AQuietRoadWakesTheLoopOnceAMinute) {
  start();
  auto& loop = static_cast<hal::SimLoop&>(bed_.loop());
  const std::uint64_t before = loop.steps();
  run_to_ms(600'500);
  EXPECT_LE(loop.steps() - before, 10u);
}

}  // namespace
}  // namespace berm::test
