// SPDX-License-Identifier: Apache-2.0
// Odd edges and inputs that fail: flagged, counted, never a silent zero.
#include "tests/unit/drivers/loop_detector/lane_bed.hpp"

namespace berm::test {
namespace {

using Inputs = LaneBed;

TEST_F(Inputs, EveryOddEdgeIsCountedAndFlagged) {
  start();
  edge(kRamp, 1000, false);
  edge(kLeftA, 2000, true);
  edge(kLeftA, 2100, true);
  edge(kLeftA, 2200, false);
  edge(kRightA, 9000, true);
  edge(kRightA, 8000, false);
  run_to_ms(61'000);
  EXPECT_EQ(periods("ramp")[0].flags, "off_while_off");
  EXPECT_EQ(periods("left")[0].flags, "half on_while_on");
  EXPECT_EQ(periods("left")[0].count, 1);
  EXPECT_EQ(periods("right")[0].flags, "half out_of_order");
  EXPECT_EQ(bed_.driver().status().integer("odd_edges"), 3);
}

TEST_F(Inputs, LostEdgesLowerTheCoverageOfTheirLaneOnly) {
  start();
  pulse(kRamp, 10'000);
  edge(kRamp, 22'300, true, 4);
  edge(kRamp, 22'600, false);
  run_to_ms(61'000);
  EXPECT_EQ(periods("ramp")[0].coverage, 0.8);
  EXPECT_EQ(periods("ramp")[0].availability_percent, 100.0);
  EXPECT_EQ(periods("ramp")[0].count, 2);
  EXPECT_EQ(periods("ramp")[0].flags, "estimate lost_edges");
  EXPECT_EQ(periods("left")[0].coverage, 1.0);
}

TEST_F(Inputs, AFailedInputIsAnAlarmAndNotAZero) {
  start();
  car(kLeftA, 10'000);
  run_to_ms(30'000);
  bed_.input_state(false, at_ms(30'000));
  run_to_ms(121'000);
  EXPECT_EQ(periods("left")[0].coverage, 0.5);
  EXPECT_EQ(periods("left")[0].availability_percent, 50.0);
  EXPECT_EQ(periods("left")[0].count, 1);
  EXPECT_EQ(periods("left")[0].flags, "input_down");
  EXPECT_EQ(periods("left")[1].coverage, 0.0);
  EXPECT_FALSE(periods("left")[1].count);
  bed_.input_state(true, at_ms(135'000));
  car(kLeftA, 150'000);
  run_to_ms(181'000);
  EXPECT_EQ(periods("left")[2].coverage, 0.75);
  EXPECT_EQ(periods("left")[2].count, 1);
  EXPECT_EQ(bed_.alarms(),
            (std::vector<std::string>{"begin input_down/bed", "end input_down/bed"}));
}

TEST_F(Inputs, ALineThatIsOnWhenTheInputComesBackIsNoNewVehicle) {
  start();
  bed_.input_state(false, at_ms(10'000));
  run_to_ms(20'000);
  bed_.input_state(true, at_ms(20'000));
  level(kRamp, 20'001, true);
  edge(kRamp, 21'000, false);
  pulse(kRamp, 25'000);
  run_to_ms(61'000);
  EXPECT_EQ(periods("ramp")[0].count, 1);
}

TEST_F(Inputs, OfTwoThatAreThereAtTheStartTheOneThatComesIsCounted) {
  start();
  level(kRamp, 0, true);
  pulse(kLeftA, 1);
  edge(kRamp, 1'000, false);
  run_to_ms(61'000);
  EXPECT_EQ(periods("ramp")[0].count, 0);
  EXPECT_EQ(periods("left")[0].count, 1);
  EXPECT_EQ(periods("left")[0].coverage, 1.0);
}

TEST_F(Inputs, AStampFromAnotherClockIsNotBelieved) {
  start();
  const hal::Edge edges[] = {{mono_us(kBedStartS * 1'000'000), 1, 0, kRamp, true},
                             {at_ms(300), 1, 0, kRamp, false},
                             {at_ms(400), 1, 0, 99, false}};
  run_to_ms(500);
  bed_.feed(edges);
  run_to_ms(61'000);
  EXPECT_EQ(periods("ramp")[0].count, 1);
  EXPECT_EQ(periods("ramp")[0].flags, "estimate implausible out_of_order");
  EXPECT_EQ(bed_.driver().status().integer("odd_edges"), 3);
}

TEST_F(Inputs, AVeryCoarsePairOnlyCounts) {
  start();
  for (int i = 0; i < 5; ++i) {
    const std::int64_t at = 5000 + i * 5000;
    edge(kLeftA, at, true, 0, 50'000);
    edge(kLeftB, at + 200, true, 0, 50'000);
    edge(kLeftA, at + 300, false, 0, 50'000);
    edge(kLeftB, at + 500, false, 0, 50'000);
  }
  run_to_ms(61'000);
  EXPECT_EQ(periods("left")[0].count, 5);
  EXPECT_EQ(periods("left")[0].unclassified_count, 5);
  EXPECT_EQ(periods("left")[0].flags, "coarse");
  EXPECT_FALSE(periods("left")[0].unrest);
}

}  // namespace
}  // namespace berm::test
