// SPDX-License-Identifier: Apache-2.0
// The SIM card has run out of credit: every request is answered 200 with a page to log in. That is
// no acknowledgement.
#include "tests/scenario/scenario.hpp"

namespace berm::scenario {

TEST(Scenario010, APageIsNoAcknowledgement) {
  Bed bed;
  bed.at(hours(1) + kCommitted, [&] { bed.centre().set_flume_mood(FlumeMood::portal); });
  bed.at(hours(3) - minutes(1), [&] {
    EXPECT_EQ(bed.received(bed.flume(), "traffic.lane"), 4 * 60);
    EXPECT_GE(bed.waiting("flume"), 4 * 118);
    EXPECT_TRUE(bed.is_alarmed("uplink_down"));
  });
  bed.at(hours(3), [&] { bed.centre().set_flume_mood(FlumeMood::sound); });
  bed.run(hours(4) + kCommitted);
  EXPECT_EQ(bed.received(bed.flume(), "traffic.lane"), 4 * 240);
  EXPECT_EQ(bed.flume().repeats(), 0);
  EXPECT_SOUND(bed);
}

}  // namespace berm::scenario
