// SPDX-License-Identifier: Apache-2.0
// What single vehicles become, across lanes.
#include "tests/unit/drivers/loop_detector/lane_bed.hpp"

namespace berm::test {
namespace {

using Passages = LaneBed;

TEST_F(Passages, AVehicleOfAPairHasEverything) {
  start();
  car(kLeftA, 1000);
  car(kLeftA, 4000);
  const auto seen = vehicles("left");
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(us_of(*seen[1].leading_edge.wall), kBedStartS * 1'000'000 + 4'000'000);
  EXPECT_EQ(seen[1].leading_edge.clock, ClockSource::ntp);
  EXPECT_EQ(seen[1].uid, 1);
  EXPECT_EQ(seen[1].speed_kmh, 72.0);
  EXPECT_EQ(seen[1].length_m, 4.0);
  EXPECT_EQ(seen[1].length_class, 2);
  EXPECT_EQ(seen[1].on_ms, 300);
  EXPECT_EQ(seen[1].headway_ms, 3000);
  EXPECT_EQ(seen[1].gap_ms, 2700);
  EXPECT_EQ(seen[1].flags, "");
  EXPECT_FALSE(seen[0].headway_ms);
}

TEST_F(Passages, VehiclesAreReportedOnlyOnRequest) {
  start("");
  car(kLeftA, 1000);
  run_to_ms(61'000);
  EXPECT_TRUE(bed_.vehicles().empty());
  EXPECT_EQ(periods("left")[0].count, 1);
}

TEST_F(Passages, AnUnknownClockLeavesTheWallTimeEmpty) {
  bed_.bed_clock().source = ClockSource::none;
  start();
  car(kLeftA, 1000);
  ASSERT_EQ(vehicles("left").size(), 1u);
  EXPECT_FALSE(vehicles("left")[0].leading_edge.wall);
  EXPECT_EQ(vehicles("left")[0].leading_edge.mono, at_ms(1000));
}

TEST_F(Passages, ASingleLoopKnowsTimesAndEstimatesTheRest) {
  start();
  pulse(kRamp, 1000, 400);
  run_to_ms(1700);
  ASSERT_EQ(vehicles("ramp").size(), 1u);
  EXPECT_EQ(vehicles("ramp")[0].on_ms, 400);
  EXPECT_TRUE(vehicles("ramp")[0].speed_kmh);
  EXPECT_EQ(vehicles("ramp")[0].flags, "estimate");
}

TEST_F(Passages, OneThatChangesLaneBetweenTheLoopsCountsOnce) {
  start();
  car(kLeftA, 20'000);
  car(kRightA, 20'100);
  pulse(kLeftA, 22'000);
  pulse(kRightB, 22'225);
  car(kLeftA, 24'000);
  car(kRightA, 24'100);
  run_to_ms(61'000);
  EXPECT_EQ(periods("left")[0].count, 3);
  EXPECT_EQ(periods("left")[0].flags, "half");
  EXPECT_EQ(periods("right")[0].count, 2);
  EXPECT_EQ(periods("right")[0].flags, "second_only");
  EXPECT_EQ(vehicles("right").size(), 2u);
  EXPECT_EQ(vehicles("left")[2].speed_kmh, 72.0);
}

TEST_F(Passages, SecondLoopOnlyCountsWhereNoNeighbourHasItsFirstHalf) {
  start();
  pulse(kRightB, 22'225);
  run_to_ms(61'000);
  EXPECT_EQ(periods("right")[0].count, 1);
  EXPECT_EQ(periods("right")[0].flags, "first_missed");
  EXPECT_EQ(periods("right")[0].unclassified_count, 1);
}

TEST_F(Passages, AHalfOfAnotherTimeIsNotItsFirstHalf) {
  start();
  pulse(kLeftA, 15'000);
  pulse(kRightB, 22'225);
  run_to_ms(61'000);
  EXPECT_EQ(periods("left")[0].count, 1);
  EXPECT_EQ(periods("right")[0].count, 1);
}

TEST_F(Passages, OneHalfSpeaksForOneSecondHalfOnly) {
  start();
  pulse(kLeftA, 22'000);
  pulse(kRightB, 22'225);
  run_to_ms(25'000);
  pulse(kRightB, 29'000);
  run_to_ms(61'000);
  EXPECT_EQ(periods("right")[0].count, 1);
}

TEST_F(Passages, AHalfPassageIsAVehicleWithoutSpeed) {
  start();
  pulse(kLeftA, 22'000);
  run_to_ms(40'000);
  ASSERT_EQ(vehicles("left").size(), 1u);
  EXPECT_EQ(vehicles("left")[0].flags, "half");
  EXPECT_FALSE(vehicles("left")[0].speed_kmh);
  EXPECT_EQ(vehicles("left")[0].on_ms, 300);
}

TEST_F(Passages, StatusAndLanesShowTheLastPeriod) {
  start();
  car(kLeftA, 1000);
  edge(kRamp, 2000, false);
  run_to_ms(61'000);
  const Status status = bed_.driver().status();
  EXPECT_EQ(status.integer("edges"), 5);
  EXPECT_EQ(status.integer("odd_edges"), 1);
  EXPECT_EQ(status.integer("vehicles"), 1);
  const Status* const left = status.child("lanes")->child("left");
  ASSERT_NE(left, nullptr);
  EXPECT_EQ(left->integer("count"), 1);
  EXPECT_EQ(left->number("speed_kmh"), 72.0);
  EXPECT_EQ(left->number("coverage"), 1.0);
  EXPECT_GT(left->number("occupancy_percent"), 0.0);
  auto commands = bed_.driver().commands();
  ASSERT_EQ(commands.size(), 1u);
  EXPECT_NE(commands[0].run({}).text.find("72.0"), std::string::npos);
  const CommandAnswer json = commands[0].run({.words = {}, .json = true});
  const auto parsed = Json::parse(json.text);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_NE(json.text.find("\"left\""), std::string::npos);
  EXPECT_EQ(commands[0].run({.words = {"x"}}).exit_code, 2);
}

}  // namespace
}  // namespace berm::test
