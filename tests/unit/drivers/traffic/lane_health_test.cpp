// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/lane_health.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "drivers/traffic/limits.hpp"

namespace berm::drivers::traffic {
namespace {

constexpr std::int64_t kMs = 1000;

class HealthTest : public testing::Test {
 protected:
  HealthTest() { health_.begin(0); }
  void pulse(int loop, std::int64_t ms, std::int64_t on_ms = 200) {
    health_.on_edge(loop, ms * kMs, true);
    health_.on_edge(loop, (ms + on_ms) * kMs, false);
    collect();
  }
  void car(std::int64_t ms) {
    health_.on_edge(0, ms * kMs, true);
    health_.on_edge(1, (ms + 150) * kMs, true);
    health_.on_edge(0, (ms + 200) * kMs, false);
    health_.on_edge(1, (ms + 350) * kMs, false);
    collect();
  }
  void tick(std::int64_t ms, std::uint64_t others = 0) {
    around_.others = others;
    health_.tick(ms * kMs, around_);
    collect();
  }
  void collect() {
    while (const auto news = health_.next_news()) {
      said_.push_back((news->begins ? "begin " : "end ") + std::string(name_of(news->fault)) +
                      (news->loop >= 0 ? " " + std::to_string(news->loop) : ""));
    }
  }
  using Said = std::vector<std::string>;

  LaneHealth health_{true};
  LaneHealth::Surroundings around_;
  Said said_;
};

TEST_F(HealthTest, AHealthyPairIsSilent) {
  for (int i = 0; i < 500; ++i) {
    car(i * 3000);
    if (i % 5 == 0) tick(i * 3000 + 1000, static_cast<std::uint64_t>(i));
  }
  EXPECT_TRUE(said_.empty());
  EXPECT_EQ(health_.use(), LoopUse::both);
  EXPECT_EQ(health_.blind_since_us(), -1);
}

TEST_F(HealthTest, SixPulsesWithoutTheOtherLoopAreADeadOne) {
  car(0);
  for (int i = 1; i <= 5; ++i) pulse(0, i * 2000);
  EXPECT_TRUE(said_.empty());
  pulse(0, 12'000);
  EXPECT_EQ(said_, Said{"begin loop_dead 1"});
  EXPECT_EQ(health_.use(), LoopUse::first);
  EXPECT_TRUE(health_.has_bad_loop());
  for (int i = 0; i < 3; ++i) car(20'000 + i * 3000);
  EXPECT_EQ(health_.use(), LoopUse::first);
  car(30'000);
  EXPECT_EQ(health_.use(), LoopUse::both);
  EXPECT_EQ(said_.back(), "end loop_dead 1");
}

TEST_F(HealthTest, OneThatIsOnWhileTheOtherCountsIsStuck) {
  health_.on_edge(0, 1000 * kMs, true);
  for (int i = 0; i < 4; ++i) pulse(1, 2000 + i * 2000);
  EXPECT_EQ(said_, Said{"begin max_presence 0"});
  EXPECT_EQ(health_.use(), LoopUse::second);
}

TEST_F(HealthTest, ChatterIsFoundWithinASecondAndOverAfterTwo) {
  for (int i = 0; i < 8; ++i) pulse(0, 10'000 + i * 50, 25);
  EXPECT_EQ(said_, Said{"begin chatter 0"});
  EXPECT_EQ(health_.use(), LoopUse::second);
  EXPECT_EQ(health_.next_due_us(), (10'375 + 2000) * kMs);
  tick(12'374);
  EXPECT_EQ(said_.size(), 1u);
  tick(12'375);
  EXPECT_EQ(said_.back(), "end chatter 0");
  EXPECT_EQ(health_.use(), LoopUse::both);
}

TEST_F(HealthTest, SevenPulsesInASecondAreNoChatter) {
  for (int i = 0; i < 7; ++i) pulse(0, 10'000 + i * 140, 70);
  EXPECT_TRUE(said_.empty());
}

TEST_F(HealthTest, SilenceIsAFaultWhenItsOwnTrafficMakesItImpossible) {
  std::uint64_t others = 0;
  std::int64_t ms = 0;
  for (int i = 0; i < 100; ++i, ms += 5000) {
    car(ms);
    tick(ms + 1000, ++others);
  }
  ms -= 5000;
  const std::int64_t last = ms + 350;
  tick(last + 85'000, others + 20);  // 17 headways
  EXPECT_TRUE(said_.empty());
  tick(last + 95'000, others + 20);  // 19
  EXPECT_EQ(said_, Said{"begin no_activity"});
  EXPECT_EQ(health_.use(), LoopUse::none);
  EXPECT_GE(health_.blind_since_us(), last * kMs);
  EXPECT_LE(health_.blind_since_us(), (last + 6000) * kMs);
  car(last + 100'000);
  EXPECT_EQ(said_.back(), "end no_activity");
  EXPECT_EQ(health_.use(), LoopUse::both);
}

TEST_F(HealthTest, AQuietNightIsNoFault) {
  // One vehicle an hour, after a busy evening.
  std::uint64_t others = 0;
  std::int64_t ms = 0;
  std::int64_t gap = 4000;
  for (int i = 0; i < 400; ++i) {
    car(ms);
    for (std::int64_t t = ms + 10'000; t < ms + gap; t += 60'000) tick(t, others);
    ++others;
    ms += gap;
    if (i > 100) gap = std::min<std::int64_t>(3'600'000, gap + gap / 20);
  }
  EXPECT_TRUE(said_.empty());
}

TEST_F(HealthTest, ThePlanMayAskForLess) {
  around_.limits.no_activity_min = 10;
  for (int i = 0; i < 40; ++i) car(i * 600'000 / 2);
  tick(39 * 300'000 + 500'000);
  EXPECT_TRUE(said_.empty());
  tick(39 * 300'000 + 700'000);
  EXPECT_EQ(said_, Said{"begin no_activity"});
}

TEST_F(HealthTest, PresenceBeyondThePlanIsAFault) {
  car(0);
  health_.on_edge(0, 10'000 * kMs, true);
  health_.on_edge(1, 10'500 * kMs, true);
  tick(310'000);
  EXPECT_TRUE(said_.empty());
  tick(311'000);
  EXPECT_EQ(said_, (Said{"begin max_presence 0", "begin max_presence 1"}));
  EXPECT_EQ(health_.use(), LoopUse::none);
  EXPECT_EQ(health_.blind_since_us(), 10'500 * kMs);
  health_.on_edge(0, 400'000 * kMs, false);
  health_.on_edge(1, 400'500 * kMs, false);
  collect();
  EXPECT_EQ(health_.use(), LoopUse::both);
}

TEST_F(HealthTest, WhoWaitsForARedLightIsNoFault) {
  std::uint64_t others = 0;
  std::int64_t ms = 0;
  const auto stand = [&](std::int64_t on_ms) {
    health_.on_edge(0, ms * kMs, true);
    health_.on_edge(1, (ms + 300) * kMs, true);
    for (std::int64_t t = 10'000; t < on_ms; t += 10'000) tick(ms + t, others += 5);
    health_.on_edge(0, (ms + on_ms) * kMs, false);
    health_.on_edge(1, (ms + on_ms + 300) * kMs, false);
    collect();
    ms += on_ms + 5000;
  };
  for (int i = 0; i < 5; ++i) stand(60'000);
  stand(110'000);
  EXPECT_TRUE(said_.empty());
  stand(231'000);  // over twice the 110 s, and within the plan's five minutes
  EXPECT_EQ(said_.size(), 4u);
  EXPECT_EQ(said_.front(), "begin max_presence 0");
  EXPECT_EQ(health_.use(), LoopUse::both);
}

TEST_F(HealthTest, AStuckLoopThatTheOtherDisprovedHasToProveItself) {
  health_.on_edge(0, 1000 * kMs, true);
  for (int i = 0; i < 4; ++i) pulse(1, 2000 + i * 2000);
  EXPECT_EQ(health_.use(), LoopUse::second);
  health_.on_edge(0, 20'000 * kMs, false);
  for (int i = 0; i < 3; ++i) car(21'000 + i * 3000);
  EXPECT_EQ(health_.use(), LoopUse::second);
  car(30'000);
  EXPECT_EQ(health_.use(), LoopUse::both);
  EXPECT_EQ(said_.back(), "end max_presence 0");
}

Passage steady(double mismatch, std::int64_t at_us) {
  Passage passage;
  passage.lead_us = at_us;
  passage.on_us = 200'000;
  passage.mismatch_us = static_cast<std::int64_t>(mismatch * 200'000);
  passage.speed_kmh = 108.0;
  passage.length_m = 4.0;
  passage.length_class = 2;
  passage.is_steady = true;
  return passage;
}

TEST_F(HealthTest, APairWhoseLoopsDisagreeIsSaidWithItsShare) {
  for (int i = 0; i < 200; ++i) health_.on_passage(steady(0.07, i));
  collect();
  EXPECT_TRUE(said_.empty());
  for (int i = 0; i < 400; ++i) health_.on_passage(steady(0.14, 1000 + i));
  const auto news = health_.next_news();
  ASSERT_TRUE(news);
  EXPECT_EQ(news->fault, Fault::pair_mismatch);
  EXPECT_EQ(
      text_of({Fault::pair_mismatch, kWholeLane, true, 0, 0, 14.2}, "R10", "0A", "0B", "03:12"),
      "R10: pair: trailing loop 14 % longer on than leading: sensitivity or wiring (since 03:12)");
  for (int i = 0; i < 600; ++i) health_.on_passage(steady(0.0, 2000 + i));
  collect();
  EXPECT_EQ(said_, Said{"end pair_mismatch"});
}

TEST_F(HealthTest, FiveBackwardsInARowAreExchangedWires) {
  Passage backwards;
  backwards.on_us = 200'000;
  backwards.flags = Flags(Flag::wrong_way) | Flag::half;
  for (int i = 0; i < 4; ++i) health_.on_passage(backwards);
  collect();
  EXPECT_EQ(said_, Said{"begin wrong_way"});
  EXPECT_FALSE(health_.is_swapped());
  health_.on_passage(backwards);
  collect();
  EXPECT_EQ(said_, (Said{"begin wrong_way", "end wrong_way", "begin swapped_pair"}));
  EXPECT_TRUE(health_.is_swapped());
}

TEST_F(HealthTest, WhatIsHeldSurvivesARestart) {
  car(0);
  for (int i = 1; i <= 6; ++i) pulse(0, i * 2000);
  ByteWriter writer;
  health_.encode(writer);
  LaneHealth after(true);
  after.begin(50'000 * kMs);
  ByteReader reader(writer.bytes());
  ASSERT_TRUE(after.decode(reader, 50'000 * kMs));
  EXPECT_EQ(after.use(), LoopUse::first);
  EXPECT_TRUE(after.held().has(Flag::loop_dead));
  const auto again = after.next_news();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->fault, Fault::loop_dead);
  EXPECT_EQ(again->loop, 1);
  EXPECT_FALSE(after.next_news());
  ByteReader cut(std::string_view(writer.bytes()).substr(0, writer.bytes().size() - 1));
  EXPECT_FALSE(LaneHealth(true).decode(cut, 0));
  EXPECT_LT(writer.bytes().size(), 200u);
}

TEST(DayTest, HealthyAndSickDaysAreToldApart) {
  DaySamples day;
  day.samples = 2040;
  day.vehicles = 8000;
  day.empty = 300;
  for (std::size_t i = 0; i < day.spread.size(); ++i) day.spread[i] = 50;
  EXPECT_EQ(failed_test_of(day, {}), 0);
  DaySamples dead = day;
  dead.empty = 1300;
  EXPECT_EQ(failed_test_of(dead, {}), 1);
  DaySamples quiet = day;  // 600 vehicles leave three samples of four empty
  quiet.vehicles = 600;
  quiet.empty = 1500;
  EXPECT_EQ(failed_test_of(quiet, {}), 0);
  DaySamples hanging = day;
  hanging.uncounted = 51;
  EXPECT_EQ(failed_test_of(hanging, {}), 2);
  DaySamples crowded = day;
  crowded.crowded = 201;
  EXPECT_EQ(failed_test_of(crowded, {}), 3);
  DaySamples neighbour;
  neighbour.crowded = 150;
  EXPECT_EQ(failed_test_of(crowded, neighbour), 0);
  DaySamples constant = day;
  constant.spread.fill(0);
  constant.spread[7] = 1700;
  EXPECT_EQ(failed_test_of(constant, {}), 4);
  DaySamples half_a_day = dead;
  half_a_day.samples = 1000;
  EXPECT_EQ(failed_test_of(half_a_day, {}), 0);
}

TEST(DetectorPlanTest, RowsHoldOverMidnightAndEndBeforeTheirLastMinute) {
  DetectorPlan plan;
  plan.rows.push_back({22 * 60, 6 * 60, {120, 0, 50}});
  EXPECT_EQ(plan.at(22 * 60).no_activity_min, 120);
  EXPECT_EQ(plan.at(0).no_activity_min, 120);
  EXPECT_EQ(plan.at(6 * 60 - 1).no_activity_min, 120);
  EXPECT_EQ(plan.at(6 * 60).no_activity_min, 0);
  EXPECT_EQ(plan.at(22 * 60 - 1).max_presence_min, 5);
}

}  // namespace
}  // namespace berm::drivers::traffic
