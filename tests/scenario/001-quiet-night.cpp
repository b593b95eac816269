// SPDX-License-Identifier: Apache-2.0
// Nothing passes and nothing fails: every lane says so once a minute, and nothing waits.
#include "tests/scenario/scenario.hpp"

namespace berm::scenario {

TEST(Scenario001, AQuietNightIsFourRowsAMinuteAtBothReceivers) {
  Bed bed;
  bed.run(hours(8) + kCommitted);
  EXPECT_EQ(bed.received(bed.flume(), "traffic.lane"), 4 * 60 * 8);
  EXPECT_EQ(bed.received(bed.broker(), "traffic.lane"), 4 * 60 * 8);
  EXPECT_EQ(bed.flume().repeats(), 0);
  EXPECT_EQ(bed.broker().repeats(), 0);
  EXPECT_EQ(bed.waiting("flume"), 0);
  EXPECT_EQ(bed.oracle().epochs(), 1);
  for (const Receiver* receiver : {&bed.flume(), &bed.broker()}) {
    const auto [manifests, last] = bed.oracle().manifests_of(*receiver, "traffic.lane");
    EXPECT_GE(manifests, 8);
    EXPECT_LE(manifests, 10);
    EXPECT_GE(last, 4 * 60 * 7) << "at least hourly";
  }
  EXPECT_SOUND(bed);
}

TEST(Scenario001, EveryVehicleOfTheNightIsCountedOnce) {
  Bed bed({.flow_veh_h = 200, .vehicles = true});
  bed.run(hours(4));
  EXPECT_GT(bed.witness().vehicles_passed(), 4 * 4 * 150);
  EXPECT_GE(bed.received(bed.flume(), "traffic.vehicle") + 20, bed.witness().vehicles_passed());
  EXPECT_SOUND(bed);
}

}  // namespace berm::scenario
