// SPDX-License-Identifier: Apache-2.0
// Something else fills the disk for an hour. Sampling goes on, the alarm says so, what fits in
// memory is committed afterwards, and nothing that was acknowledged is lost.
#include "tests/scenario/scenario.hpp"

namespace berm::scenario {

TEST(Scenario008, AFullDiskIsAlarmedAndOutlived) {
  Bed bed({.flow_veh_h = 600});
  hal::SimVolume& volume = bed.cabinet().disk().volume();
  const std::uint64_t before = volume.capacity();
  bed.at(hours(1), [&] { volume.set_capacity(volume.used()); });
  bed.at(hours(2), [&] { volume.set_capacity(before); });
  bed.run(hours(3) + kCommitted);
  EXPECT_TRUE(bed.cabinet().is_running());
  EXPECT_FALSE(bed.is_alarmed("disk_full"));
  EXPECT_EQ(bed.received(bed.flume(), "traffic.lane"), 4 * 180);
  EXPECT_SOUND(bed);
}

TEST(Scenario008, ItStartsWhileTheDiskIsFull) {
  Bed bed({.flow_veh_h = 600});
  hal::SimVolume& volume = bed.cabinet().disk().volume();
  const std::uint64_t before = volume.capacity();
  bed.at(hours(1), [&] { volume.set_capacity(volume.used()); });
  bed.at(hours(1) + minutes(5), [&] { bed.cabinet().kill(Seconds{1}); });
  bed.at(hours(1) + minutes(10), [&] { bed.cabinet().restart(Seconds{1}); });
  bed.at(hours(1) + minutes(15), [&] { bed.cabinet().power_cut(Seconds{20}); });
  bed.at(hours(1) + minutes(20), [&] {
    EXPECT_TRUE(bed.cabinet().is_running());
    EXPECT_EQ(bed.cabinet().last_start_error(), "");
  });
  bed.at(hours(2), [&] { volume.set_capacity(before); });
  bed.run(hours(3) + kCommitted);
  EXPECT_SOUND(bed);
}

}  // namespace berm::scenario
