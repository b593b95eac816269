// SPDX-License-Identifier: Apache-2.0
// Somebody sets the clock back by an hour and forward again the next: no period is told twice, none
// is split, nothing is reordered.
#include "tests/scenario/scenario.hpp"

namespace berm::scenario {

TEST(Scenario006, AStepBackwardTellsNoPeriodTwice) {
  Bed bed({.flow_veh_h = 600});
  bed.oracle().excuse_clock();
  bed.at(hours(3) + Seconds{20}, [&] { bed.cabinet().clock().step(-hours(1)); });
  bed.at(hours(5) + Seconds{40}, [&] { bed.cabinet().clock().step(hours(1)); });
  bed.run(hours(7));
  EXPECT_GE(bed.received(bed.flume(), "traffic.lane"), 4 * 405);
  EXPECT_EQ(bed.flume().repeats(), 0);
  EXPECT_SOUND(bed);
}

}  // namespace berm::scenario
