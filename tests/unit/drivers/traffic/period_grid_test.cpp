// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/period_grid.hpp"

#include <gtest/gtest.h>

namespace berm::drivers::traffic {
namespace {

constexpr std::int64_t kBase = 1'700'000'040;  // a whole minute

Moment at(std::int64_t mono_s, double wall_s, ClockSource source = ClockSource::ntp) {
  return {mono_s * kSecondUs, static_cast<std::int64_t>(wall_s * 1e6), source};
}

TEST(PeriodGrid, TheFirstPeriodBeganBeforeUs) {
  PeriodGrid grid(60);
  grid.begin(at(100, kBase + 20), "b", nullptr);
  const GridPeriod& period = grid.oldest();
  EXPECT_EQ(period.label_us, kBase * kSecondUs);
  EXPECT_EQ(period.start_us, 80 * kSecondUs);
  EXPECT_EQ(period.end_us, 140 * kSecondUs);
  EXPECT_EQ(period.unseen_us, 20 * kSecondUs);
  EXPECT_TRUE(period.flags.empty());
}

TEST(PeriodGrid, PeriodsFollowWithoutHole) {
  PeriodGrid grid(60);
  grid.begin(at(100, kBase), "b", nullptr);
  grid.open_next(at(160, kBase + 60));
  EXPECT_EQ(grid.newest().start_us, grid.oldest().end_us);
  EXPECT_EQ(grid.newest().label_us, (kBase + 60) * kSecondUs);
  EXPECT_EQ(grid.newest().period_s(), 60);
}

TEST(PeriodGrid, ADriftIsAbsorbed) {
  PeriodGrid grid(60);
  grid.begin(at(100, kBase), "b", nullptr);
  grid.open_next(at(160, kBase + 60.03));
  EXPECT_EQ(grid.newest().label_us, (kBase + 60) * kSecondUs);
  EXPECT_EQ(grid.newest().length_us(), 59'970'000);
  EXPECT_EQ(grid.newest().period_s(), 60);
  EXPECT_TRUE(grid.newest().flags.empty());
}

TEST(PeriodGrid, AStepForwardIsBridged) {
  PeriodGrid grid(60);
  grid.begin(at(100, kBase), "b", nullptr);
  grid.open_next(at(160, kBase + 60 + 17));
  EXPECT_EQ(grid.newest().label_us, (kBase + 77) * kSecondUs);
  EXPECT_EQ(grid.newest().period_s(), 43);
  EXPECT_EQ(grid.newest().length_us(), 43 * kSecondUs);
  EXPECT_TRUE(grid.newest().flags.has(Flag::unaligned));
  grid.open_next(at(203, kBase + 120));
  EXPECT_EQ(grid.newest().period_s(), 60);
  EXPECT_TRUE(grid.newest().flags.empty());
}

TEST(PeriodGrid, AStepBackwardMakesLongerPeriodsUntilFreshTime) {
  PeriodGrid grid(60);
  grid.begin(at(100, kBase), "b", nullptr);
  grid.open_next(at(160, kBase + 60));
  grid.open_next(at(220, kBase + 120));
  grid.close_oldest();
  grid.open_next(at(280, kBase + 60));  // two minutes back
  EXPECT_EQ(grid.newest().label_us, (kBase + 60) * kSecondUs);
  EXPECT_EQ(grid.newest().period_s(), 61);
  EXPECT_TRUE(grid.newest().flags.has(Flag::unaligned));
  grid.open_next(at(341, kBase + 121));
  EXPECT_EQ(grid.newest().period_s(), 61);
  grid.open_next(at(402, kBase + 182));  // fresh: bridge to the boundary
  EXPECT_EQ(grid.newest().period_s(), 58);
  grid.open_next(at(460, kBase + 240));
  EXPECT_EQ(grid.newest().period_s(), 60);
  EXPECT_TRUE(grid.newest().flags.empty());
}

TEST(PeriodGrid, WithoutTrueTimeAPeriodHasItsRealLength) {
  PeriodGrid grid(60);
  grid.begin(at(100, kBase + 13, ClockSource::none), "b", nullptr);
  EXPECT_EQ(grid.oldest().start_us, 100 * kSecondUs);
  EXPECT_EQ(grid.oldest().length_us(), 60 * kSecondUs);
  EXPECT_EQ(grid.oldest().unseen_us, 0);
  EXPECT_TRUE(grid.oldest().flags.has(Flag::unaligned));
  EXPECT_FALSE(grid.reported_start_us(grid.oldest(), at(160, kBase, ClockSource::none)));
  // Known now: the running one keeps its length, the next bridges to the boundary.
  grid.open_next(at(160, 5 * kBase / 4 + 25));
  EXPECT_TRUE(grid.newest().flags.has(Flag::unaligned));
  EXPECT_EQ(grid.newest().label_end_us % (60 * kSecondUs), 0);
  EXPECT_EQ(grid.reported_start_us(grid.oldest(), at(160, kBase + 500)), (kBase + 440) * kSecondUs);
}

TEST(PeriodGrid, APeriodThatEndedBeforeTheClockWasKnownIsNoneOfThoseThatLeftWithAnEstimate) {
  PeriodGrid grid(60);
  grid.begin(at(100, 13, ClockSource::none), "b", nullptr);
  grid.open_next(at(160, 73, ClockSource::none));
  // Both are open when the clock becomes known.
  const Moment unknown = at(161, 74, ClockSource::none);
  const Moment known = at(162, kBase + 300);
  EXPECT_EQ(grid.oldest_to_report(unknown).period_s(), 60);
  const GridPeriod period = grid.oldest_to_report(known);
  EXPECT_EQ(period.period_s(), 61);
  EXPECT_EQ(period.unseen_us, kSecondUs);
  EXPECT_EQ(grid.reported_start_us(period, known), (kBase + 238) * kSecondUs);
  grid.close_oldest();
  grid.open_next(known);
  EXPECT_EQ(grid.oldest_to_report(known).period_s(), 61);
  EXPECT_EQ(grid.oldest_to_report(known).unseen_us, 0) << "it really is a second longer";
}

PeriodGrid::Saved saved_at(PeriodGrid& grid, const Moment& moment) {
  ByteWriter writer;
  grid.save(moment, "b").encode(writer);
  ByteReader reader(writer.bytes());
  PeriodGrid::Saved saved;
  EXPECT_TRUE(saved.decode(reader));
  EXPECT_TRUE(reader.is_at_end());
  return saved;
}

TEST(PeriodGrid, ALaterLifeWithoutAClockMakesNoPeriodThatMayHaveBeenReported) {
  PeriodGrid first(60);
  first.begin(at(100, kBase), "b", nullptr);
  const auto saved = saved_at(first, at(160, kBase + 59));
  PeriodGrid next(60);
  next.begin(at(7, 32, ClockSource::none), "c", &saved);
  EXPECT_EQ(next.oldest().period_s(), 61);
  next.open_next(at(68, 93, ClockSource::none));
  EXPECT_EQ(next.newest().period_s(), 61);
  // It turns out that this is the very minute of before: the clock had been ahead.
  EXPECT_EQ(next.reported_start_us(next.oldest(), at(70, kBase + 63)), kBase * kSecondUs);
}

TEST(PeriodGrid, LongerPeriodsStayWithinAMinuteOfTheirLength) {
  PeriodGrid first(60);
  first.begin(at(100, kBase), "b", nullptr);
  auto saved = saved_at(first, at(160, kBase + 59));
  for (const std::uint32_t steps : {59u, 60u}) {
    saved.backward_steps = steps;
    PeriodGrid next(60);
    next.begin(at(7, 32, ClockSource::none), "c", &saved);
    EXPECT_EQ(next.oldest().period_s(), steps == 59 ? 120 : 61);
  }
}

TEST(PeriodGrid, ARestartWithinThePeriodGoesOnInIt) {
  PeriodGrid first(60);
  first.begin(at(100, kBase), "b", nullptr);
  const auto saved = saved_at(first, at(120, kBase + 20));
  for (const bool is_same_boot : {true, false}) {
    PeriodGrid next(60);
    const Moment now = is_same_boot ? at(135, kBase + 35) : at(7, kBase + 35);
    const auto begun = next.begin(now, is_same_boot ? "b" : "c", &saved);
    EXPECT_TRUE(begun.is_resumed);
    EXPECT_TRUE(begun.interrupted.empty());
    EXPECT_EQ(next.oldest().unseen_us, 15 * kSecondUs);
    EXPECT_EQ(next.oldest().end_us, now.mono_us + 25 * kSecondUs);
    EXPECT_TRUE(next.oldest().flags.has(Flag::interrupted));
    EXPECT_FALSE(next.has_missed());
  }
}

TEST(PeriodGrid, ALaterRestartGivesTheInterruptedAndTheMissed) {
  PeriodGrid first(60);
  first.begin(at(100, kBase), "b", nullptr);
  const auto saved = saved_at(first, at(120, kBase + 20));
  PeriodGrid next(60);
  const auto begun = next.begin(at(7, kBase + 190), "c", &saved);
  EXPECT_FALSE(begun.is_resumed);
  ASSERT_EQ(begun.interrupted.size(), 1u);
  EXPECT_EQ(begun.interrupted[0].unseen_us, 40 * kSecondUs);
  EXPECT_EQ(begun.interrupted[0].label_us, kBase * kSecondUs);
  EXPECT_TRUE(begun.interrupted[0].flags.has(Flag::interrupted));
  EXPECT_EQ(next.oldest().label_us, (kBase + 180) * kSecondUs);
  for (const std::int64_t s : {60, 120}) {
    const auto missed = next.next_missed();
    ASSERT_TRUE(missed);
    EXPECT_EQ(missed->label_us, (kBase + s) * kSecondUs);
    EXPECT_EQ(missed->period_s(), 60);
    EXPECT_EQ(missed->flags, Flags(Flag::missed));
  }
  EXPECT_FALSE(next.next_missed());
}

TEST(PeriodGrid, MissedPeriodsAreSingleForADayThenOne) {
  PeriodGrid first(3600);
  first.begin(at(100, 1'700'000'000 / 3600 * 3600), "b", nullptr);
  const auto saved = saved_at(first, at(200, 1'700'000'000 / 3600 * 3600 + 100));
  PeriodGrid next(3600);
  next.begin(at(7, 1'700'000'000 / 3600 * 3600 + 3600 * 101 + 5), "c", &saved);
  int singles = 0;
  std::int64_t last_s = 0;
  while (const auto missed = next.next_missed()) {
    singles += missed->period_s() == 3600 ? 1 : 0;
    last_s = missed->period_s();
  }
  EXPECT_EQ(singles, 24);
  EXPECT_EQ(last_s, 3600 * 76);
}

TEST(PeriodGrid, MissedPeriodsWaitForTheClock) {
  PeriodGrid first(60);
  first.begin(at(100, kBase), "b", nullptr);
  const auto saved = saved_at(first, at(120, kBase + 20));
  PeriodGrid next(60);
  const auto begun = next.begin(at(7, 30, ClockSource::none), "c", &saved);
  EXPECT_EQ(begun.interrupted.size(), 1u);
  EXPECT_FALSE(next.has_missed());
  next.open_next(at(67, kBase + 240));  // this life began at kBase + 180
  ASSERT_TRUE(next.has_missed());
  EXPECT_EQ(next.next_missed()->label_us, (kBase + 60) * kSecondUs);
  EXPECT_EQ(next.next_missed()->label_us, (kBase + 120) * kSecondUs);
  EXPECT_FALSE(next.next_missed());
}

TEST(PeriodGrid, ARestartIntoUsedTimeMakesNoSecondStart) {
  PeriodGrid first(60);
  first.begin(at(100, kBase), "b", nullptr);
  for (int i = 1; i < 5; ++i) {
    first.open_next(at(100 + i * 60, kBase + i * 60));
    first.close_oldest();
  }
  const auto saved = saved_at(first, at(350, kBase + 250));
  PeriodGrid next(60);
  next.begin(at(7, kBase + 60), "c", &saved);  // the clock of this boot is behind
  EXPECT_EQ(next.oldest().label_us, (kBase + 60) * kSecondUs);
  EXPECT_NE(next.oldest().period_s(), 60);
  EXPECT_TRUE(next.oldest().flags.has(Flag::unaligned));
}

TEST(PeriodGrid, AnInstantFallsIntoOneOpenPeriod) {
  PeriodGrid grid(60);
  grid.begin(at(100, kBase), "b", nullptr);
  grid.open_next(at(160, kBase + 60));
  EXPECT_EQ(grid.index_of(0), 0u);
  EXPECT_EQ(grid.index_of(160 * kSecondUs - 1), 0u);
  EXPECT_EQ(grid.index_of(160 * kSecondUs), 1u);
}

}  // namespace
}  // namespace berm::drivers::traffic
