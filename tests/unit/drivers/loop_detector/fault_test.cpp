// SPDX-License-Identifier: Apache-2.0
// Loops that fail, as the node sees it: alarms with begin and end, what periods say meanwhile, and
// what is left of it after a restart.
#include <algorithm>

#include "tests/unit/drivers/loop_detector/lane_bed.hpp"

namespace berm::test {
namespace {

class FaultTest : public LaneBed {
 protected:
  bool was_said(const std::string& what) {
    return std::count(bed_.alarms().begin(), bed_.alarms().end(), what) > 0;
  }
  // Cars on "left" and "right" every 3 s; `left` says which loops of it work.
  void traffic(std::int64_t from_ms, std::int64_t to_ms, bool is_a = true, bool is_b = true) {
    for (std::int64_t ms = from_ms; ms < to_ms; ms += 3000) {
      if (is_a) edge(kLeftA, ms, true);
      if (is_b) edge(kLeftB, ms + 225, true);
      if (is_a) edge(kLeftA, ms + 300, false);
      if (is_b) edge(kLeftB, ms + 525, false);
      car(kRightA, ms + 1000);
    }
  }
};

TEST_F(FaultTest, ADeadLoopIsSaidAndTheOtherGoesOnCounting) {
  for (const bool is_first : {true, false}) {
    bed_.periods().clear();
    bed_.alarms().clear();
    bed_.set_checkpoint("");
    origin_ = bed_.now() + Microseconds{60'000'000 - us_of(bed_.clock().wall().time) % 60'000'000};
    bed_.run_to(origin_);
    start();
    traffic(100, 240'000);
    traffic(240'100, 600'000, !is_first, is_first);
    run_to_ms(606'000);
    const std::string subject = std::string("bed/left/") + (is_first ? "LA" : "LB");
    EXPECT_TRUE(was_said("begin loop_dead/" + subject));
    EXPECT_EQ(bed_.alarms().size(), 1u);
    const auto seen = periods("left");
    ASSERT_GE(seen.size(), 10u);
    for (std::size_t i = 5; i < 10; ++i) {
      EXPECT_EQ(seen[i].count, 20) << i;
      EXPECT_EQ(seen[i].defect, 1);
      EXPECT_EQ(seen[i].coverage, 1.0);
      EXPECT_NE(seen[i].flags.find("loop_dead"), std::string::npos);
      EXPECT_NE(seen[i].flags.find("estimate"), std::string::npos);
      EXPECT_NEAR(*seen[i].classes[1].speed_kmh, 72.0, 5.0);
    }
    traffic(606'100, 660'000);
    EXPECT_TRUE(was_said("end loop_dead/" + subject));
    run_to_ms(726'000);
    bed_.stop();
  }
}

TEST_F(FaultTest, WithBothLoopsStuckNothingIsCountedAndNothingCovered) {
  start();
  traffic(100, 120'000);
  edge(kLeftA, 121'000, true);
  edge(kLeftB, 121'200, true);
  traffic(122'000, 480'000, false, false);
  edge(kLeftA, 480'000, false);
  edge(kLeftB, 480'200, false);
  traffic(481'000, 600'000);
  run_to_ms(606'000);
  EXPECT_TRUE(was_said("begin max_presence/bed/left/LA"));
  EXPECT_TRUE(was_said("end max_presence/bed/left/LB"));
  const auto seen = periods("left");
  ASSERT_EQ(seen.size(), 10u);
  EXPECT_EQ(seen[6].coverage, 0.0);
  EXPECT_FALSE(seen[6].count);
  EXPECT_EQ(seen[9].coverage, 1.0);
  EXPECT_EQ(seen[9].count, 20);
  EXPECT_EQ(seen[9].flags, "");
}

TEST_F(FaultTest, ChatterIsNotCountedAndNotCovered) {
  start();
  for (std::int64_t ms = 100; ms < 60'000; ms += 3000) pulse(kRamp, ms);
  for (std::int64_t ms = 60'000; ms < 150'000; ms += 50) pulse(kRamp, ms, 25);
  for (std::int64_t ms = 180'100; ms < 240'000; ms += 3000) pulse(kRamp, ms);
  run_to_ms(246'000);
  EXPECT_EQ(bed_.alarms(),
            (std::vector<std::string>{"begin chatter/bed/ramp", "end chatter/bed/ramp"}));
  const auto seen = periods("ramp");
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[0].count, 20);
  EXPECT_EQ(seen[1].coverage, 0.0);
  EXPECT_NEAR(*seen[2].coverage, 28.0 / 60.0, 0.01);
  EXPECT_EQ(seen[2].count, 0);
  EXPECT_EQ(seen[3].count, 20);
  EXPECT_EQ(seen[3].coverage, 1.0);
}

TEST_F(FaultTest, ALoopThatWasDeadIsStillDeadAfterARestart) {
  start();
  traffic(100, 120'000);
  traffic(120'100, 180'000, false, true);
  ASSERT_TRUE(was_said("begin loop_dead/bed/left/LA"));
  bed_.stop();
  bed_.alarms().clear();
  run_to_ms(240'000);
  start();
  traffic(240'100, 300'000, false, true);
  run_to_ms(306'000);
  const auto seen = periods("left");
  EXPECT_EQ(seen.back().count, 20);
  EXPECT_EQ(seen.back().defect, 1);
  // Said again: an alarm that nobody says after a restart is over.
  EXPECT_EQ(bed_.alarms(), std::vector<std::string>{"begin loop_dead/bed/left/LA"});
  traffic(306'100, 330'000);
  EXPECT_TRUE(was_said("end loop_dead/bed/left/LA"));
}

TEST_F(FaultTest, AQuietNightIsNoAlarm) {
  start();
  for (std::int64_t minute = 0; minute < 20; ++minute)
    traffic(minute * 60'000 + 100, minute * 60'000 + 30'000);
  for (std::int64_t hour = 1; hour < 12; ++hour) car(kLeftA, hour * 3'600'000);
  run_to_ms(12 * 3'600'000);
  EXPECT_TRUE(bed_.alarms().empty());
}

TEST_F(FaultTest, AWrongWayDriverIsAnAlarm) {
  start();
  traffic(100, 60'000);
  edge(kLeftB, 70'000, true);
  edge(kLeftA, 70'225, true);
  edge(kLeftB, 70'300, false);
  edge(kLeftA, 70'525, false);
  run_to_ms(126'000);
  EXPECT_TRUE(was_said("begin wrong_way/bed/left"));
  EXPECT_EQ(periods("left")[1].count, 1);
  EXPECT_NE(periods("left")[1].flags.find("wrong_way"), std::string::npos);
  traffic(130'000, 480'000);
  EXPECT_TRUE(was_said("end wrong_way/bed/left"));
}

TEST_F(FaultTest, AReversingVehicleIsAnAlarmAndNoCount) {
  start();
  traffic(100, 60'000);
  edge(kLeftA, 70'000, true);
  edge(kLeftB, 71'000, true);
  edge(kLeftB, 75'000, false);
  edge(kLeftA, 76'000, false);
  run_to_ms(126'000);
  EXPECT_TRUE(was_said("begin reversing/bed/left"));
  EXPECT_EQ(periods("left")[1].count, 0);
  EXPECT_NE(periods("left")[1].flags.find("reversing"), std::string::npos);
  traffic(130'000, 480'000);
  EXPECT_TRUE(was_said("end reversing/bed/left"));
}

TEST_F(FaultTest, ExchangedWiresAreFoundAndSpeedsAreRightAgain) {
  start();
  for (std::int64_t ms = 100; ms < 240'000; ms += 3000) {
    edge(kLeftB, ms, true);
    edge(kLeftA, ms + 225, true);
    edge(kLeftB, ms + 300, false);
    edge(kLeftA, ms + 525, false);
  }
  run_to_ms(246'000);
  EXPECT_TRUE(was_said("begin swapped_pair/bed/left"));
  EXPECT_TRUE(was_said("end wrong_way/bed/left"));
  const auto seen = periods("left");
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[3].count, 20);
  EXPECT_NEAR(seen[3].classes[1].speed_kmh.value_or(0), 72.0, 0.1);
}

}  // namespace
}  // namespace berm::test
