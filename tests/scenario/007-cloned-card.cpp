// SPDX-License-Identifier: Apache-2.0
// A card is copied into a second machine, and both run under one name: the copy begins an epoch of
// its own, so no identity is used twice; both contend for the broker until one is taken away.
#include "tests/scenario/scenario.hpp"

namespace berm::scenario {

TEST(Scenario007, ACopyOfACardBeginsAnEpochOfItsOwn) {
  Bed bed;
  bed.oracle().excuse_clock();
  bed.keep_lines("node.epoch");
  bed.at(hours(1), [&] { bed.add_twin("machine-2").power_on(); });
  bed.at(hours(2), [&] {
    EXPECT_TRUE(bed.is_alarmed("identity_used_twice"));
    bed.cabinet().power_cut(hours(1));  // the copy has the broker for itself
  });
  bed.run(hours(3) - Seconds{30});
  EXPECT_EQ(bed.oracle().epochs(), 2);
  EXPECT_THAT(bed.kept_lines(), testing::Contains(testing::HasSubstr("another machine")));
  bed.remove_twin();
  EXPECT_SOUND(bed);
}

TEST(Scenario007, ACardMovedToAnotherMachineKeepsWhatItHolds) {
  Bed bed;
  bed.at(minutes(50), [&] { bed.centre().set_flume_up(false); });
  bed.at(hours(1), [&] { bed.cabinet().move_card("machine-2", minutes(5)); });
  bed.at(hours(2), [&] { bed.centre().set_flume_up(true); });
  bed.run(hours(3) + kCommitted);
  EXPECT_EQ(bed.oracle().epochs(), 2);
  EXPECT_EQ(bed.received(bed.flume(), "traffic.lane"), 4 * 180);
  EXPECT_SOUND(bed);
}

}  // namespace berm::scenario
