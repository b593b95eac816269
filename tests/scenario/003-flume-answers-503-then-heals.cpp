// SPDX-License-Identifier: Apache-2.0
// The channel behind Flume is full for half an hour: every request waits 3 s for its 503. Nothing
// is set aside, nothing is lost, and the backlog arrives in order.
#include "tests/scenario/scenario.hpp"

namespace berm::scenario {

TEST(Scenario003, AFullChannelHoldsEventsAndRefusesNone) {
  Bed bed;
  bed.keep_lines("node.gap");
  bed.at(hours(1), [&] { bed.centre().set_flume_mood(FlumeMood::busy); });
  bed.at(hours(1) + minutes(30), [&] {
    EXPECT_GE(bed.waiting("flume"), 4 * 29);
    EXPECT_EQ(bed.waiting("broker"), 0);
    bed.centre().set_flume_mood(FlumeMood::sound);
  });
  bed.run(hours(2) + kCommitted);
  EXPECT_EQ(bed.received(bed.flume(), "traffic.lane"), 4 * 120);
  EXPECT_THAT(bed.kept_lines(), testing::IsEmpty());
  EXPECT_SOUND(bed);
}

TEST(Scenario003, A503AtOnceIsTakenForTheBatchLimitAndForgottenAgain) {
  Bed bed;
  bed.at(hours(1), [&] { bed.centre().set_flume_mood(FlumeMood::too_many); });
  bed.at(hours(2), [&] { bed.centre().set_flume_mood(FlumeMood::sound); });
  bed.run(hours(3) + kCommitted);
  EXPECT_EQ(bed.received(bed.flume(), "traffic.lane"), 4 * 180);
  EXPECT_EQ(bed.waiting("flume"), 0);
  EXPECT_SOUND(bed);
}

}  // namespace berm::scenario
