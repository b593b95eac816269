// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/vehicle_gate.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace berm::drivers::traffic {
namespace {

constexpr std::int64_t kMs = 1000;

class GateTest : public testing::Test {
 protected:
  GateTest() : gate_(true, PairGeometry{2.0, 4.5}) { gate_.begin(0); }

  void edge(int loop, std::int64_t ms, bool on) {
    edge_us(loop, ms * kMs, on);
    collect();
  }
  void edge_us(int loop, std::int64_t us, bool on, std::uint32_t resolution_us = 1) {
    gate_.take(loop, us, {.resolution_us = resolution_us, .on = on});
  }
  // 4.5 m/225 ms = 20 m/s; 300 ms on: 4 m long.
  void car(std::int64_t ms) {
    edge(0, ms, true);
    edge(1, ms + 225, true);
    edge(0, ms + 300, false);
    edge(1, ms + 525, false);
  }
  void settle(std::int64_t ms) {
    gate_.settle(ms * kMs);
    decide({}, ms);
  }
  // What the engine would say of every pulse that is due.
  void decide(const Verdict& verdict, std::int64_t ms = 1'000'000) {
    gate_.settle(ms * kMs);
    LonePulse pulse;
    while (gate_.undecided(ms * kMs, INT64_MIN, pulse)) gate_.decide(pulse, verdict);
    collect();
  }
  void collect() {
    Passage passage;
    while (gate_.pop(passage)) seen_.push_back(passage);
  }

  VehicleGate gate_;
  std::vector<Passage> seen_;
};

TEST_F(GateTest, APairGivesSpeedLengthClassHeadwayAndGap) {
  car(10'000);
  car(12'000);
  ASSERT_EQ(seen_.size(), 2u);
  EXPECT_DOUBLE_EQ(seen_[0].speed_kmh, 72.0);
  EXPECT_DOUBLE_EQ(seen_[0].length_m, 4.0);
  EXPECT_EQ(seen_[0].length_class, 2);
  EXPECT_EQ(seen_[0].on_us, 300 * kMs);
  EXPECT_EQ(seen_[0].headway_us, -1);
  EXPECT_EQ(seen_[1].headway_us, 2000 * kMs);
  EXPECT_EQ(seen_[1].gap_us, 1700 * kMs);
  EXPECT_TRUE(seen_[1].flags.empty());
}

TEST_F(GateTest, OneThatLeftTheLaneIsHalfAndSpoilsNeitherNeighbour) {
  car(10'000);
  edge(0, 11'000, true);
  edge(0, 11'300, false);
  car(12'000);
  ASSERT_EQ(seen_.size(), 1u);  // the others are asked first whose it is
  settle(12'525);
  ASSERT_EQ(seen_.size(), 3u);
  EXPECT_EQ(seen_[1].flags, Flags(Flag::half));
  EXPECT_TRUE(seen_[1].counts);
  EXPECT_EQ(seen_[1].length_class, 0);
  EXPECT_DOUBLE_EQ(seen_[2].speed_kmh, 72.0);
  EXPECT_DOUBLE_EQ(seen_[2].length_m, 4.0);
}

TEST_F(GateTest, OneThatStoodOverBothLoopsAndWentBackIsNotCounted) {
  car(10'000);
  edge(0, 20'000, true);
  edge(1, 21'000, true);
  edge(1, 24'500, false);
  settle(24'800);
  edge(0, 26'000, false);
  settle(40'000);
  car(50'000);
  ASSERT_EQ(seen_.size(), 3u);
  EXPECT_EQ(seen_[1].flags, Flags(Flag::reversing));
  EXPECT_FALSE(seen_[1].counts);
  EXPECT_DOUBLE_EQ(seen_[2].speed_kmh, 72.0);
}

TEST_F(GateTest, ALorryWhosePulseBreaksWhileItCreepsDoesNotReverse) {
  // 3 m/s, 14 m: 1.5 s from loop to loop, on each for 5.33 s; the second breaks for half a second.
  edge(0, 20'000, true);
  edge(1, 21'500, true);
  edge(1, 23'500, false);
  settle(23'800);
  edge(1, 24'000, true);
  edge(0, 25'333, false);
  edge(1, 26'833, false);
  settle(40'000);
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].flags, Flags(Flag::breakup));
  EXPECT_NEAR(seen_[0].speed_kmh, 10.8, 0.01);
  EXPECT_NEAR(seen_[0].length_m, 14.0, 0.01);
}

TEST_F(GateTest, OneThatBacksSlowlyOverBothLoopsIsNotCounted) {
  car(10'000);
  // Backwards at 1.5 m/s: 3 s from loop to loop, on each for 4 s.
  edge(1, 20'000, true);
  edge(0, 23'000, true);
  edge(1, 24'000, false);
  settle(26'000);
  edge(0, 27'000, false);
  settle(60'000);
  car(70'000);
  ASSERT_EQ(seen_.size(), 3u);
  EXPECT_EQ(seen_[1].flags, Flags(Flag::reversing) | Flag::half);
  EXPECT_FALSE(seen_[1].counts);
  EXPECT_NEAR(seen_[1].wrong_way_kmh, 5.4, 0.01);
  EXPECT_TRUE(seen_[2].counts);
}

TEST_F(GateTest, AFollowerInAJamIsNoReversingVehicle) {
  // The leader's first pulse was missed; the follower comes to the first loop while it is on the
  // second, and goes on.
  car(10'000);
  edge(1, 20'000, true);
  edge(0, 21'000, true);
  edge(1, 22'000, false);
  edge(0, 23'500, false);
  edge(1, 24'000, true);
  edge(1, 26'500, false);
  settle(60'000);
  ASSERT_EQ(seen_.size(), 3u);
  int counted = 0;
  for (const Passage& passage : seen_) {
    EXPECT_FALSE(passage.flags.has(Flag::reversing));
    counted += passage.counts ? 1 : 0;
  }
  EXPECT_EQ(counted, 3);
}

TEST_F(GateTest, AHalfPassageEndsByItselfAfterTheLongestCrossing) {
  edge(0, 11'000, true);
  edge(0, 11'300, false);
  const std::int64_t due = 11'000 * kMs + longest_crossing_us(300 * kMs, {2.0, 4.5});
  EXPECT_EQ(gate_.next_due_us(), due);
  LonePulse half;
  gate_.settle(due - 1);
  EXPECT_FALSE(gate_.undecided(due - 1, INT64_MIN, half));
  gate_.settle(due);
  ASSERT_TRUE(gate_.undecided(due, INT64_MIN, half));
  gate_.decide(half, {});
  collect();
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].flags, Flags(Flag::half));
}

TEST_F(GateTest, AVehicleStandingOnTheSecondLoopIsWaitedFor) {
  edge(0, 1000, true);
  edge(1, 2000, true);
  edge(0, 3000, false);
  settle(60'000);
  EXPECT_TRUE(seen_.empty());
  EXPECT_TRUE(gate_.holds_before(2000 * kMs, 60'000 * kMs));
  edge(1, 61'000, false);
  settle(62'000);
  EXPECT_EQ(seen_.size(), 1u);
}

TEST_F(GateTest, SecondOnlyWaitsForADecision) {
  edge(1, 20'000, true);
  edge(1, 20'300, false);
  gate_.settle(20'500 * kMs);
  LonePulse second;
  const std::int64_t due = 20'300 * kMs + kSecondOnlyWaitUs;
  EXPECT_FALSE(gate_.undecided(due - 1, INT64_MIN, second));
  ASSERT_TRUE(gate_.undecided(due, INT64_MIN, second));
  EXPECT_EQ(second.on_us, 20'000 * kMs);
  gate_.decide(second, {.is_elsewhere = true});
  collect();
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_FALSE(seen_[0].counts);
  EXPECT_EQ(seen_[0].flags, Flags(Flag::second_only));
}

TEST_F(GateTest, SecondOnlyThatNobodyElseSawCounts) {
  edge(1, 20'000, true);
  edge(1, 20'300, false);
  decide({});
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_TRUE(seen_[0].counts);
  EXPECT_EQ(seen_[0].flags, Flags(Flag::first_missed));
}

TEST_F(GateTest, ABrokenSecondPulseIsNoSecondVehicle) {
  edge(0, 10'000, true);
  edge(1, 10'225, true);
  edge(0, 10'300, false);
  edge(1, 10'525, false);
  edge(1, 10'625, true);  // 100 ms later: the truck's trailer
  edge(1, 10'900, false);
  decide({});
  ASSERT_EQ(seen_.size(), 2u);
  EXPECT_FALSE(seen_[1].counts);
}

TEST_F(GateTest, SecondOnlyJustAfterTheStartIsNotCounted) {
  edge(1, 300, true);
  edge(1, 600, false);
  decide({});
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_FALSE(seen_[0].counts);
}

TEST_F(GateTest, AHalfIsClaimedOnceByTheNeighbourThatFits) {
  edge(0, 11'000, true);
  edge(0, 11'300, false);
  const PairTimes fits{0, 0, 11'225 * kMs, 11'525 * kMs, 1};
  const PairTimes too_late{0, 0, 13'630 * kMs, 13'930 * kMs, 1};
  const PairTimes too_early{0, 0, 11'000 * kMs, 11'300 * kMs, 1};
  EXPECT_FALSE(gate_.claim(too_early));
  EXPECT_FALSE(gate_.claim(too_late));
  EXPECT_TRUE(gate_.claim(fits));
  EXPECT_FALSE(gate_.claim(fits));
}

TEST_F(GateTest, OneStillOnIsForcedOnceAndItsEndIsAbsorbed) {
  edge(0, 58'000, true);
  EXPECT_TRUE(gate_.holds_before(60'000 * kMs, 60'200 * kMs));
  EXPECT_FALSE(gate_.holds_before(58'000 * kMs, 60'200 * kMs));
  gate_.force_before(60'000 * kMs);
  collect();
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].flags, Flags(Flag::still_on));
  edge(1, 70'000, true);
  edge(0, 71'000, false);
  edge(1, 73'000, false);
  gate_.settle(100'000 * kMs);
  LonePulse second;
  EXPECT_FALSE(gate_.undecided(INT64_MAX, INT64_MAX, second));
  EXPECT_EQ(seen_.size(), 1u);
}

TEST_F(GateTest, TheSecondLoopsEdgesMayArriveFirst) {
  edge(1, 10'225, true);
  edge(1, 10'525, false);
  edge(0, 10'000, true);
  edge(0, 10'300, false);
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_DOUBLE_EQ(seen_[0].speed_kmh, 72.0);
}

TEST_F(GateTest, AnImplausibleSpeedIsFlaggedAndHasNoClass) {
  for (const int ms : {65, 64}) {  // 249.2 and 253.1 km/h
    seen_.clear();
    const std::int64_t at = 100'000 - ms * 1000;
    edge(0, at, true);
    edge(0, at + 100, false);
    edge(1, at + ms, true);
    edge(1, at + ms + 100, false);
    ASSERT_EQ(seen_.size(), 1u);
    EXPECT_EQ(seen_[0].flags.has(Flag::implausible), ms == 64);
    EXPECT_EQ(seen_[0].has_speed(), ms == 65);
    EXPECT_EQ(seen_[0].length_class == 0, ms == 64);
  }
}

TEST_F(GateTest, ResolutionDecidesWhatIsSaid) {
  struct Case {
    std::uint32_t resolution;
    bool coarse, speed;
  };
  std::int64_t at = 0;
  for (const Case& c : {Case{5'000, false, true}, Case{5'001, true, true}, Case{20'000, true, true},
                        Case{20'001, true, false}}) {
    seen_.clear();
    at += 20'000'000;
    edge_us(0, at, true);
    edge_us(1, at + 225'000, true, c.resolution);
    edge_us(0, at + 300'000, false);
    edge_us(1, at + 525'000, false);
    collect();
    ASSERT_EQ(seen_.size(), 1u);
    EXPECT_EQ(seen_[0].flags.has(Flag::coarse), c.coarse) << c.resolution;
    EXPECT_EQ(seen_[0].has_speed(), c.speed) << c.resolution;
    EXPECT_EQ(seen_[0].length_class == 0, !c.speed) << c.resolution;
  }
}

TEST_F(GateTest, AFailedInputEndsWhatIsInHandWithoutSpeed) {
  edge(0, 10'000, true);
  gate_.fail(10'100 * kMs);
  collect();
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].flags, Flags(Flag::input_down));
  EXPECT_EQ(seen_[0].on_us, -1);
  gate_.resume(20'000 * kMs);
  car(30'000);
  ASSERT_EQ(seen_.size(), 2u);
  EXPECT_EQ(seen_[1].headway_us, -1);
}

TEST_F(GateTest, LostEdgesEndThePassageUnclassified) {
  edge(0, 10'000, true);
  gate_.take(0, 14'000 * kMs, {.lost_before = 2, .on = true});
  collect();
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].flags, Flags(Flag::lost_edges));
  EXPECT_EQ(seen_[0].length_class, 0);
}

TEST_F(GateTest, MoreThanItCanHoldEndsTheOldest) {
  for (int i = 0; i < 40; ++i) {
    edge(0, 10'000 + i * 20, true);
    edge(0, 10'010 + i * 20, false);
  }
  settle(1'000'000);
  ASSERT_EQ(seen_.size(), 40u);
  for (std::size_t i = 1; i < seen_.size(); ++i) EXPECT_GT(seen_[i].lead_us, seen_[i - 1].lead_us);
}

TEST_F(GateTest, ABrokenFirstPulseIsOneVehicle) {
  for (const int hole_at : {20, 100, 250}) {  // ms into the pulse
    seen_.clear();
    const std::int64_t at = 20'000 + hole_at * 100;
    edge(0, at, true);
    edge(0, at + hole_at, false);
    edge(1, at + 225, true);
    edge(0, at + hole_at + 40, true);
    edge(0, at + 300, false);
    edge(1, at + 525, false);
    decide({}, at + 5'000);
    ASSERT_EQ(seen_.size(), 1u) << hole_at;
    EXPECT_EQ(seen_[0].lead_us, at * kMs);
    EXPECT_TRUE(seen_[0].flags.has(Flag::breakup));
    EXPECT_NEAR(seen_[0].speed_kmh, 72.0, 0.1);
    EXPECT_EQ(seen_[0].length_class, 2);
  }
}

TEST_F(GateTest, ABrokenSecondPulseIsOneVehicle) {
  edge(0, 10'000, true);
  edge(1, 10'225, true);
  edge(0, 10'300, false);
  edge(1, 10'350, false);
  edge(1, 10'400, true);
  edge(1, 10'525, false);
  decide({});
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_TRUE(seen_[0].flags.has(Flag::breakup));
  EXPECT_NEAR(seen_[0].speed_kmh, 72.0, 0.1);
  EXPECT_NEAR(seen_[0].length_m, 4.0, 0.05);
}

TEST_F(GateTest, TwoThatFollowCloselyAreTwo) {
  car(10'000);
  // 16 m behind each other at 72 km/h: 150 ms from end to begin, 5 m from bumper to bumper.
  edge(0, 12'000, true);
  edge(1, 12'225, true);
  edge(0, 12'300, false);
  edge(0, 12'450, true);
  edge(1, 12'525, false);
  edge(1, 12'675, true);
  edge(0, 12'750, false);
  edge(1, 12'975, false);
  decide({});
  ASSERT_EQ(seen_.size(), 3u);
  EXPECT_NEAR(seen_[1].length_m, 4.0, 0.01);
  EXPECT_NEAR(seen_[2].length_m, 4.0, 0.01);
}

TEST_F(GateTest, ATrailerBrokenOffOnBothLoopsIsNoVehicle) {
  // 72 km/h, 2 m between the parts: 100 ms less the loop's.
  edge(0, 12'000, true);
  edge(1, 12'225, true);
  edge(0, 12'400, false);
  edge(0, 12'500, true);
  edge(1, 12'625, false);
  edge(1, 12'725, true);
  edge(0, 12'900, false);
  edge(1, 13'125, false);
  decide({});
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_TRUE(seen_[0].flags.has(Flag::breakup));
  EXPECT_NEAR(seen_[0].length_m, 16.0, 0.01);
  EXPECT_EQ(seen_[0].length_class, 5);
}

TEST_F(GateTest, AShadowOfANeighbourDoesNotCount) {
  edge(0, 11'000, true);
  edge(0, 11'300, false);
  decide({.is_shadow = true});
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_FALSE(seen_[0].counts);
  EXPECT_TRUE(seen_[0].flags.has(Flag::crosstalk));
}

TEST_F(GateTest, SawIsWithinAPulseOfTheSameLoopAndAtLeastHalfOfIt) {
  car(10'000);
  EXPECT_TRUE(gate_.saw({0, 10'000 * kMs, 10'300 * kMs}));
  EXPECT_TRUE(gate_.saw({0, 10'030 * kMs, 10'200 * kMs}));   // begins with it
  EXPECT_FALSE(gate_.saw({0, 10'031 * kMs, 10'269 * kMs}));  // neither begins nor ends with it
  EXPECT_FALSE(gate_.saw({0, 10'000 * kMs, 10'134 * kMs}));  // less than half of it
  EXPECT_FALSE(gate_.saw({0, 9'980 * kMs, 10'300 * kMs}));   // began before it
  EXPECT_FALSE(gate_.saw({1, 10'000 * kMs, 10'300 * kMs}));  // the other loop
}

TEST_F(GateTest, OneThatDrivesBackwardsCountsOnceAndIsSaid) {
  edge(1, 10'000, true);
  edge(0, 10'225, true);
  edge(1, 10'300, false);
  edge(0, 10'525, false);
  decide({});
  int counted = 0;
  bool is_said = false;
  for (const Passage& passage : seen_) {
    counted += passage.counts ? 1 : 0;
    is_said = is_said || passage.flags.has(Flag::wrong_way);
    EXPECT_FALSE(passage.has_speed());
  }
  EXPECT_EQ(counted, 1);
  EXPECT_TRUE(is_said);
}

TEST_F(GateTest, WithOneLoopOutOfUseTheOtherCountsAndEstimates) {
  for (int i = 0; i < 60; ++i) car(10'000 + i * 2000);
  for (const LoopUse use : {LoopUse::first, LoopUse::second}) {
    gate_.use(use);
    seen_.clear();
    const std::int64_t at = use == LoopUse::first ? 200'000 : 300'000;
    for (int i = 0; i < 10; ++i) car(at + i * 2000);
    decide({}, at + 30'000);
    ASSERT_EQ(seen_.size(), 10u);
    for (const Passage& passage : seen_) {
      EXPECT_TRUE(passage.flags.has(Flag::estimate));
      EXPECT_NEAR(passage.speed_kmh, 72.0, 8.0);
      EXPECT_NEAR(passage.length_m, 4.0, 0.8);
    }
    // By the second loop the leading edge on the first is an estimate too.
    EXPECT_NEAR(static_cast<double>(seen_[9].lead_us - (at + 18'000) * kMs), 0.0, 40'000.0);
  }
  gate_.use(LoopUse::none);
  seen_.clear();
  car(400'000);
  decide({});
  EXPECT_TRUE(seen_.empty());
}

TEST(SingleLoopGate, EstimatesSpeedLengthAndClassAndSaysSo) {
  VehicleGate gate(false, PairGeometry{});
  gate.begin(0);
  gate.take(0, 1000, {.on = true});
  gate.take(0, 301'000, {.on = false});
  Passage passage;
  EXPECT_FALSE(gate.pop(passage));  // the rest of a broken pulse may follow
  gate.settle(501'000);
  ASSERT_TRUE(gate.pop(passage));
  EXPECT_EQ(passage.on_us, 300'000);
  EXPECT_EQ(passage.flags, Flags(Flag::estimate));
  EXPECT_GT(passage.speed_kmh, 40.0);
  EXPECT_LT(passage.speed_kmh, 130.0);
}

TEST(SingleLoopGate, TooCoarseASignalIsNotGuessedFrom) {
  VehicleGate gate(false, PairGeometry{});
  gate.begin(0);
  gate.take(0, 1000, {.resolution_us = 20'001, .on = true});
  gate.take(0, 301'000, {.resolution_us = 20'001, .on = false});
  gate.settle(501'000);
  Passage passage;
  ASSERT_TRUE(gate.pop(passage));
  EXPECT_FALSE(passage.has_speed());
  EXPECT_EQ(passage.length_class, 0);
}

}  // namespace
}  // namespace berm::drivers::traffic
