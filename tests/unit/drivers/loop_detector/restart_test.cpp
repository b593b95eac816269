// SPDX-License-Identifier: Apache-2.0
// What a stop, a power cut and an absence make of periods (outbox promise 8).
#include <set>

#include "drivers/traffic/limits.hpp"
#include "tests/unit/drivers/loop_detector/lane_bed.hpp"

namespace berm::test {
namespace {

class Restarts : public LaneBed {
 protected:
  // Milliseconds of the new boot's monotonic time since the bed's start by the wall.
  void reboot(std::int64_t off_s) {
    bed_.reboot(Seconds{off_s});
    origin_ = mono_us(kBedStartS * 1'000'000 - bed_.bed_clock().offset_us);
  }
  void expect_unique() {
    std::set<std::pair<std::int64_t, std::int64_t>> seen;
    for (const auto& period : periods("left")) {
      EXPECT_TRUE(seen.emplace(s_of(*period.start.wall), period.period_s).second);
    }
  }
};

TEST_F(Restarts, ARestartWithinThePeriodGoesOnInIt) {
  start();
  car(kLeftA, 10'000);
  run_to_ms(20'000);
  bed_.stop();
  run_to_ms(35'000);
  EXPECT_TRUE(bed_.periods().empty());
  start();
  car(kLeftA, 40'000);
  run_to_ms(61'000);
  ASSERT_EQ(periods("left").size(), 1u);
  EXPECT_EQ(periods("left")[0].count, 2);
  EXPECT_EQ(periods("left")[0].coverage, 0.75);
  EXPECT_EQ(periods("left")[0].flags, "interrupted");
}

TEST_F(Restarts, AfterAnAbsenceTheInterruptedAndTheMissedAreSaid) {
  start();
  car(kLeftA, 10'000);
  run_to_ms(30'000);
  bed_.stop();
  reboot(165);
  start();
  run_to_ms(241'000);
  const auto seen = periods("left");
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[0].count, 1);
  EXPECT_EQ(seen[0].coverage, 0.5);
  EXPECT_EQ(seen[0].flags, "interrupted");
  for (const std::size_t i : {1u, 2u}) {
    EXPECT_EQ(s_of(*seen[i].start.wall), kBedStartS + 60 * static_cast<std::int64_t>(i));
    EXPECT_EQ(seen[i].coverage, 0.0);
    EXPECT_FALSE(seen[i].count);
    EXPECT_FALSE(seen[i].classes[2].count);
    EXPECT_EQ(seen[i].flags, "missed");
  }
  EXPECT_EQ(s_of(*seen[3].start.wall), kBedStartS + 180);
  EXPECT_EQ(seen[3].coverage, 0.75);
  expect_unique();
}

TEST_F(Restarts, APowerCutKeepsWhatTheLastCheckpointHad) {
  start();
  car(kLeftA, 10'000);
  car(kLeftA, 60'050);
  run_to_ms(61'000);
  ASSERT_EQ(periods("left").size(), 1u);
  car(kLeftA, 70'000);
  run_to_ms(90'000);
  bed_.power_cut();
  reboot(60);
  start();
  run_to_ms(181'000);
  const auto seen = periods("left");
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[1].flags, "interrupted");
  EXPECT_EQ(s_of(*seen[1].start.wall), kBedStartS + 60);
  EXPECT_GT(*seen[1].coverage, 0.0);
  EXPECT_LT(*seen[1].coverage, 0.05);
  expect_unique();
}

TEST_F(Restarts, AVehicleOnTheLoopAcrossARestartCountsOnce) {
  start();
  edge(kLeftA, 10'000, true);
  run_to_ms(11'000);
  bed_.stop();
  EXPECT_EQ(vehicles("left").size(), 1u);
  run_to_ms(13'000);
  start();
  level(kLeftA, 13'001, true);
  edge(kLeftB, 13'500, true);
  edge(kLeftA, 14'000, false);
  edge(kLeftB, 14'500, false);
  run_to_ms(61'000);
  EXPECT_EQ(periods("left")[0].count, 1);
}

TEST_F(Restarts, ALongAbsenceIsOneDayOfPeriodsAndOneRecord) {
  start();
  run_to_ms(30'000);
  bed_.stop();
  reboot(3 * 86'400);
  start();
  bed_.run_for(Seconds{60});
  const auto seen = periods("left");
  std::int64_t missed = 0;
  std::int64_t rest_s = 0;
  for (const auto& period : seen) {
    if (period.flags != "missed") continue;
    missed += period.period_s == 60 ? 1 : 0;
    if (period.period_s != 60) rest_s += period.period_s;
  }
  EXPECT_EQ(missed, 1440);
  EXPECT_EQ(rest_s, 2 * 86'400 - 60);
  expect_unique();
}

TEST_F(Restarts, MissedPeriodsGoOutInBatchesAcrossAnotherPowerCut) {
  start();
  run_to_ms(30'000);
  bed_.stop();
  reboot(86'400);
  start();
  EXPECT_LE(bed_.periods().size(), 3u + drivers::traffic::kMaxMissedPerTurn);
  bed_.power_cut();
  reboot(30);
  start();
  bed_.run_for(Seconds{120});
  expect_unique();
  EXPECT_GE(periods("left").size(), 1440u);
}

TEST_F(Restarts, GarbageAsACheckpointIsAsNone) {
  for (const char* bytes : {"x", "BTL1", "BTL1aaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}) {
    bed_.set_checkpoint(bytes);
    start();
    bed_.power_cut();
  }
  start();
  run_to_ms(61'000);
  EXPECT_EQ(periods("left").size(), 1u);
}

TEST_F(Restarts, ATornOrChangedCheckpointIsAsNone) {
  start();
  car(kLeftA, 1000);
  run_to_ms(61'000);
  bed_.power_cut();
  const std::string whole = bed_.last_checkpoint();
  ASSERT_FALSE(whole.empty());
  for (std::size_t i = 0; i < whole.size(); i += 7) {
    bed_.set_checkpoint(whole.substr(0, i));
    start();
    bed_.power_cut();
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 0x55);
    bed_.set_checkpoint(changed);
    start();
    bed_.power_cut();
  }
  EXPECT_EQ(periods("left").size(), 1u);
}

TEST_F(Restarts, ANewLaneCoversOnlyItsOwnTime) {
  bed_.start(drivers::loop_detector_driver, R"({"lanes": {"left": {"uid": 1, "loops": ["x"]}}})");
  run_to_ms(30'000);
  bed_.stop();
  bed_.start(drivers::loop_detector_driver, R"({"lanes": {"left": {"uid": 1, "loops": ["x"]},
                                                          "new": {"uid": 9, "loops": ["y"]}}})");
  run_to_ms(61'000);
  EXPECT_EQ(periods("left")[0].coverage, 1.0);
  EXPECT_EQ(periods("new")[0].coverage, 0.5);
}

}  // namespace
}  // namespace berm::test
