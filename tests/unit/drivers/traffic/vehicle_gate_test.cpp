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
  ASSERT_EQ(seen_.size(), 3u);
  EXPECT_EQ(seen_[1].flags, Flags(Flag::half));
  EXPECT_TRUE(seen_[1].counts);
  EXPECT_EQ(seen_[1].length_class, 0);
  EXPECT_DOUBLE_EQ(seen_[2].speed_kmh, 72.0);
  EXPECT_DOUBLE_EQ(seen_[2].length_m, 4.0);
}

TEST_F(GateTest, AHalfPassageEndsByItselfAfterTheLongestCrossing) {
  edge(0, 11'000, true);
  edge(0, 11'300, false);
  const std::int64_t due = 11'000 * kMs + longest_crossing_us(300 * kMs, {2.0, 4.5});
  EXPECT_EQ(gate_.next_due_us(), due);
  gate_.settle(due - 1);
  collect();
  EXPECT_TRUE(seen_.empty());
  gate_.settle(due);
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
  EXPECT_TRUE(gate_.holds_before(2000 * kMs));
  edge(1, 61'000, false);
  settle(62'000);
  EXPECT_EQ(seen_.size(), 1u);
}

TEST_F(GateTest, SecondOnlyWaitsForADecision) {
  edge(1, 20'000, true);
  edge(1, 20'300, false);
  PairTimes second;
  const std::int64_t due = 20'300 * kMs + kSecondOnlyWaitUs;
  EXPECT_FALSE(gate_.undecided(due - 1, INT64_MIN, second));
  ASSERT_TRUE(gate_.undecided(due, INT64_MIN, second));
  EXPECT_EQ(second.b_on_us, 20'000 * kMs);
  gate_.decide(true);
  collect();
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_FALSE(seen_[0].counts);
  EXPECT_EQ(seen_[0].flags, Flags(Flag::second_only));
}

TEST_F(GateTest, SecondOnlyThatNobodyElseSawCounts) {
  edge(1, 20'000, true);
  edge(1, 20'300, false);
  gate_.decide(false);
  collect();
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
  gate_.decide(false);
  collect();
  ASSERT_EQ(seen_.size(), 2u);
  EXPECT_FALSE(seen_[1].counts);
}

TEST_F(GateTest, SecondOnlyJustAfterTheStartIsNotCounted) {
  edge(1, 300, true);
  edge(1, 600, false);
  gate_.decide(false);
  collect();
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
  EXPECT_TRUE(gate_.holds_before(60'000 * kMs));
  EXPECT_FALSE(gate_.holds_before(58'000 * kMs));
  gate_.force_before(60'000 * kMs);
  collect();
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].flags, Flags(Flag::still_on));
  edge(1, 70'000, true);
  edge(0, 71'000, false);
  edge(1, 73'000, false);
  settle(100'000);
  PairTimes second;
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

TEST(SingleLoopGate, CountsAtTheTrailingEdgeWithoutClass) {
  VehicleGate gate(false, PairGeometry{});
  gate.begin(0);
  gate.take(0, 1000, {.on = true});
  EXPECT_FALSE(gate.is_ready());
  gate.take(0, 301'000, {.on = false});
  Passage passage;
  ASSERT_TRUE(gate.pop(passage));
  EXPECT_EQ(passage.on_us, 300'000);
  EXPECT_EQ(passage.length_class, 0);
  EXPECT_TRUE(passage.flags.empty());
}

}  // namespace
}  // namespace berm::drivers::traffic
