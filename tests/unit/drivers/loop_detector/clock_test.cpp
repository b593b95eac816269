// SPDX-License-Identifier: Apache-2.0
// Periods while the wall clock steps, is unknown, becomes known.
#include <set>

#include "tests/unit/drivers/loop_detector/lane_bed.hpp"

namespace berm::test {
namespace {

class Clocks : public LaneBed {
 protected:
  void step(std::int64_t seconds) { bed_.bed_clock().offset_us += seconds * 1'000'000; }

  // No (start, period_s) twice, and the periods follow without hole in monotonic time.
  void expect_unique_and_whole() {
    std::set<std::pair<std::int64_t, std::int64_t>> seen;
    MonoTime end{};
    for (const auto& period : periods("left")) {
      if (period.start.wall) {
        EXPECT_TRUE(seen.emplace(s_of(*period.start.wall), period.period_s).second)
            << s_of(*period.start.wall) << " " << period.period_s;
      }
      if (end != MonoTime{}) {
        EXPECT_LE(std::abs((period.start.mono - end).count()), 1'000'000);
      }
      end = period.start.mono + Seconds{period.period_s};
    }
  }
};

TEST_F(Clocks, AForwardStepSplitsNoPeriodAndIsBridged) {
  start();
  run_to_ms(30'000);
  step(17);
  run_to_ms(300'000);
  const auto seen = periods("left");
  EXPECT_EQ(s_of(*seen[0].start.wall), kBedStartS);
  EXPECT_EQ(seen[0].period_s, 60);
  EXPECT_EQ(seen[0].flags, "");
  EXPECT_EQ(s_of(*seen[1].start.wall), kBedStartS + 77);
  EXPECT_EQ(seen[1].period_s, 43);
  EXPECT_EQ(seen[1].flags, "unaligned");
  EXPECT_EQ(seen[1].coverage, 1.0);
  EXPECT_EQ(s_of(*seen[2].start.wall), kBedStartS + 120);
  EXPECT_EQ(seen[2].flags, "");
  expect_unique_and_whole();
}

TEST_F(Clocks, ABackwardStepMakesNoStartTwice) {
  start();
  run_to_ms(250'000);
  step(-150);
  run_to_ms(400'000);
  step(-90);
  run_to_ms(1'200'000);
  expect_unique_and_whole();
  const auto seen = periods("left");
  EXPECT_EQ(seen.back().flags, "");
  EXPECT_EQ(s_of(*seen.back().start.wall) % 60, 0);
}

TEST_F(Clocks, AnUnknownClockGivesRealLengthsAndNoWallTime) {
  bed_.bed_clock().source = ClockSource::none;
  bed_.run_for(Seconds{7});
  start();
  car(kLeftA, 8000);
  run_to_ms(68'000);
  const auto seen = periods("left");
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_FALSE(seen[0].start.wall);
  EXPECT_EQ(seen[0].start.mono, at_ms(7000));
  EXPECT_EQ(seen[0].period_s, 60);
  EXPECT_EQ(seen[0].coverage, 1.0);
  EXPECT_EQ(seen[0].flags, "unaligned");
  EXPECT_EQ(seen[0].count, 1);
}

TEST_F(Clocks, OnceKnownTheNextPeriodBridgesToTheMinute) {
  bed_.bed_clock().source = ClockSource::none;
  bed_.run_for(Seconds{7});
  start();
  run_to_ms(100'000);
  bed_.bed_clock().source = ClockSource::gps;
  run_to_ms(260'000);
  const auto seen = periods("left");
  ASSERT_GE(seen.size(), 4u);
  EXPECT_EQ(s_of(*seen[1].start.wall), kBedStartS + 67);
  EXPECT_EQ(seen[1].start.clock, ClockSource::gps);
  EXPECT_EQ(seen[1].flags, "unaligned");
  EXPECT_EQ(seen[1].period_s, 61) << "no estimate can be like it";
  EXPECT_EQ(s_of(*seen[2].start.wall), kBedStartS + 128);
  EXPECT_EQ(seen[2].period_s, 52);
  EXPECT_EQ(seen[3].flags, "");
  EXPECT_EQ(s_of(*seen[3].start.wall), kBedStartS + 180);
  expect_unique_and_whole();
}

}  // namespace
}  // namespace berm::test
