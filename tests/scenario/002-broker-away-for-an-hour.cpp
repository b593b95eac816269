// SPDX-License-Identifier: Apache-2.0
// The broker is gone for an hour: its events wait, the other uplink does not notice, and it is
// alarmed once.
#include "tests/scenario/scenario.hpp"

namespace berm::scenario {

TEST(Scenario002, WhatABrokerMissesForAnHourArrivesAfterwards) {
  Bed bed;
  bed.at(hours(1), [&] { bed.centre().set_broker_up(false); });
  bed.at(hours(2) - minutes(1), [&] {
    EXPECT_GE(bed.waiting("broker"), 4 * 58);
    EXPECT_EQ(bed.waiting("flume"), 0);
    EXPECT_TRUE(bed.is_alarmed("uplink_down"));
  });
  bed.at(hours(2), [&] { bed.centre().set_broker_up(true); });
  bed.run(hours(3) + kCommitted);
  EXPECT_EQ(bed.waiting("broker"), 0);
  EXPECT_FALSE(bed.is_alarmed("uplink_down"));
  EXPECT_EQ(bed.received(bed.broker(), "traffic.lane"), 4 * 180);
  EXPECT_EQ(bed.broker().repeats(), 0);
  EXPECT_SOUND(bed);
}

}  // namespace berm::scenario
