// SPDX-License-Identifier: Apache-2.0
// A board without a clock starts in 1970 and is told the time two hours later. What could wait no
// longer left with `clock: "none"`; what came afterwards has true time; nothing is lost or changed.
#include "tests/scenario/scenario.hpp"

namespace berm::scenario {

TEST(Scenario005, EventsWaitForTheClockThenGoWithoutIt) {
  Bed bed;
  bed.oracle().excuse_clock();
  bed.keep_lines("traffic.lane");
  bed.at(hours(1), [&] {
    bed.cabinet().boot_clock = {.has_rtc = false, .known_after = hours(2)};
    bed.cabinet().power_cut(Seconds{30});
  });
  bed.at(hours(1) + minutes(8), [&] { EXPECT_GT(bed.waiting("flume"), 4 * 5); });
  bed.at(hours(2), [&] {
    EXPECT_THAT(bed.kept_lines(), testing::Contains(testing::HasSubstr("\"clock\":\"none\"")));
  });
  bed.run(hours(4));
  EXPECT_THAT(bed.kept_lines().back(), testing::HasSubstr("\"clock\":\"gps\""));
  EXPECT_SOUND(bed);
}

}  // namespace berm::scenario
