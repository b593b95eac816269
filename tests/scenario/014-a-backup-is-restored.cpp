// SPDX-License-Identifier: Apache-2.0
// The state directory of two hours ago is unpacked over today's. What it holds is older than what
// the centre has: the node begins an epoch of its own, so no number is given out a second time, and
// what the backup still believed to be undelivered is a repeat, byte for byte.
#include "tests/scenario/scenario.hpp"

namespace berm::scenario {

TEST(Scenario014, ARestoredBackupGivesNoNumberOutAgain) {
  Bed bed({.flow_veh_h = 200, .vehicles = true});
  bed.oracle().excuse_clock();
  bed.keep_lines("node.epoch");
  bed.at(hours(1) - minutes(20), [&] { bed.centre().set_flume_up(false); });
  bed.at(hours(1), [&] {
    bed.oracle().mark_backup();
    bed.cabinet().back_up();
    bed.centre().set_flume_up(true);
  });
  bed.at(hours(3), [&] {
    bed.oracle().excuse_restored();
    bed.cabinet().restore_backup(minutes(5));
  });
  bed.run(hours(5) + kCommitted);
  EXPECT_EQ(bed.oracle().epochs(), 2);
  EXPECT_THAT(bed.kept_lines(), testing::Contains(testing::HasSubstr("another directory")));
  EXPECT_GT(bed.flume().repeats(), 4 * 15) << "it did not know any more that they had arrived";
  EXPECT_SOUND(bed);
}

}  // namespace berm::scenario
