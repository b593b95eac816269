// SPDX-License-Identifier: Apache-2.0
// One event among all is refused by Flume with 400, whatever it stands beside: it alone is set
// aside, with a gap record for that uplink; the broker has it.
#include "tests/scenario/scenario.hpp"

namespace berm::scenario {

TEST(Scenario009, OneBadEventCostsOnlyItself) {
  Bed bed;
  bed.flume().excuse_order();
  bed.keep_lines("node.gap");
  bed.centre().flume().set_poison("\"name\":\"#200\"");
  bed.run(hours(3) + kCommitted);
  EXPECT_EQ(bed.received(bed.flume(), "traffic.lane"), 4 * 180 - 1);
  EXPECT_EQ(bed.received(bed.broker(), "traffic.lane"), 4 * 180);
  EXPECT_THAT(bed.kept_lines(), testing::Contains(testing::HasSubstr("\"cause\":\"refused\"")));
  EXPECT_SOUND(bed);
}

}  // namespace berm::scenario
