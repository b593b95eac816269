// SPDX-License-Identifier: Apache-2.0
// The night of 31 October 2027, when Brussels sets its clocks back: events stay in UTC, so the
// night has as many minutes as any other, each told once.
#include "tests/scenario/scenario.hpp"

namespace berm::scenario {

TEST(Scenario011, TheNightOfTheLongHourHasNoDoubleMinute) {
  constexpr std::int64_t kEveS = 1'824'936'000;  // 2027-10-30 22:40 UTC, 00:40 in Brussels
  Bed bed({.start = wall_s(kEveS), .flow_veh_h = 200, .timezone = "Europe/Brussels"});
  bed.run(hours(5) + kCommitted);
  EXPECT_EQ(bed.received(bed.flume(), "traffic.lane"), 4 * 300);
  EXPECT_EQ(bed.oracle().rows(), 4 * 300);
  EXPECT_SOUND(bed);
}

}  // namespace berm::scenario
