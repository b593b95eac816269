// SPDX-License-Identifier: Apache-2.0
// After a power cut a board without a clock begins in 1970, and nobody tells it the time for a
// week. It counts and delivers all the same, dated as well as it can and with `clock: "none"`; when
// a satellite tells the time, one event says by how much the week was off. Nothing is told twice.
#include "tests/scenario/scenario.hpp"

namespace berm::scenario {

TEST(Scenario012, AWeekWithoutAClockIsCountedAndCorrectedInOneEvent) {
  Bed bed({.flow_veh_h = 20});
  bed.oracle().excuse_clock();
  bed.keep_lines("node.clock");
  bed.at(hours(1), [&] {
    bed.cabinet().boot_clock = {.has_rtc = false, .known_after = hours(24 * 7)};
    bed.cabinet().power_cut(minutes(2));
  });
  bed.at(hours(24 * 6), [&] {
    EXPECT_EQ(bed.waiting("flume"), 0) << "after the hold nothing waits for the clock";
    EXPECT_THAT(bed.kept_lines(), testing::IsEmpty());
  });
  bed.run(hours(24 * 8));
  EXPECT_THAT(bed.kept_lines(), testing::Contains(testing::HasSubstr("traffic.lane")));
  EXPECT_SOUND(bed);
}

}  // namespace berm::scenario
