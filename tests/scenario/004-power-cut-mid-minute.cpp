// SPDX-License-Identifier: Apache-2.0
// The power goes in the middle of a minute and comes back: the interrupted minute says what share
// of it was seen, the minutes without power say that nothing was, and what was committed is there.
#include "tests/scenario/scenario.hpp"

namespace berm::scenario {

TEST(Scenario004, AfterAPowerCutEveryMinuteIsTold) {
  Bed bed({.flow_veh_h = 600});
  bed.keep_lines("traffic.lane");
  bed.at(hours(1) + Seconds{30}, [&] { bed.cabinet().power_cut(minutes(10)); });
  bed.run(hours(2) + kCommitted);
  EXPECT_EQ(bed.cabinet().boots(), 2u);
  EXPECT_EQ(bed.oracle().epochs(), 1);
  EXPECT_THAT(bed.kept_lines(), testing::Contains(testing::HasSubstr("interrupted")));
  EXPECT_THAT(bed.kept_lines(),
              testing::Contains(testing::AllOf(testing::HasSubstr("missed"),
                                               testing::HasSubstr("\"count\":null"),
                                               testing::HasSubstr("\"coverage\":0.0"))));
  EXPECT_EQ(bed.received(bed.flume(), "traffic.lane"), 4 * 120);
  EXPECT_SOUND(bed);
}

TEST(Scenario004, APowerCutAtAnyOperationOfTheDiskLosesNothingAcknowledged) {
  for (std::uint64_t operation = 1; operation <= 40; ++operation) {
    Bed bed({.seed = operation, .flow_veh_h = 600});
    bed.at(minutes(10) + Seconds{40},
           [&] { bed.cabinet().power_cut_at_operation(operation, Seconds{20}); });
    bed.run(minutes(20));
    EXPECT_SOUND(bed) << "operation " << operation;
  }
}

}  // namespace berm::scenario
