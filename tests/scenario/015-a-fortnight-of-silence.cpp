// SPDX-License-Identifier: Apache-2.0
// Nobody listens for a fortnight, the outbox holds one megabyte, and the power fails in the middle.
// Passages go, minutes become quarter hours, and every vehicle is still counted.
#include "tests/scenario/scenario.hpp"

namespace berm::scenario {

TEST(Scenario015, AFortnightOfSilenceIsMergedAndNoVehicleIsLost) {
  Bed bed({.flow_veh_h = 20, .vehicles = true, .max_bytes = 1 << 20});
  bed.keep_lines("node.gap");
  const auto listen = [&bed](bool does_listen) {
    bed.centre().set_flume_up(does_listen);
    bed.centre().set_broker_up(does_listen);
  };
  bed.at(hours(1), [&] { listen(false); });
  bed.at(hours(170), [&] { bed.cabinet().power_cut(minutes(3)); });
  bed.at(hours(14 * 24), [&] { listen(true); });
  bed.run(hours(14 * 24) + kCommitted);
  EXPECT_SOUND(bed);
  int merged = 0;
  for (const std::string& line : bed.kept_lines()) {
    const bool is_lane = line.contains(R"("of":"traffic.lane")");
    if (is_lane && line.contains(R"("cause":"merged")")) ++merged;
    EXPECT_FALSE(is_lane && line.contains(R"("cause":"full")")) << line;
  }
  EXPECT_GT(merged, 0);
  EXPECT_LT(bed.received(bed.flume(), "traffic.lane"), 4 * 60 * 24 * 14 / 2);
}

}  // namespace berm::scenario
