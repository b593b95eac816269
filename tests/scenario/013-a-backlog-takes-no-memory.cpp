// SPDX-License-Identifier: Apache-2.0
// Both servers are gone for two busy days: fifty thousand events wait. They lie in the outbox and
// not in memory; when the servers are back, all of them arrive.
#include <malloc.h>

#include "tests/scenario/scenario.hpp"

namespace berm::scenario {
namespace {

constexpr std::int64_t kMostGrowth = 2 << 20;  // in memory the backlog would be ten times that

std::int64_t bytes_of(const hal::SimNode& node) {
  auto bytes = static_cast<std::int64_t>(node.seen.capacity() + node.medium.capacity());
  bytes += static_cast<std::int64_t>(node.unsynced.capacity() * sizeof(std::uint32_t));
  for (const auto& [name, child] : node.seen_entries) bytes += bytes_of(*child);
  return bytes;
}

// What the world beside the agent holds: the card, and what the witness has written down.
std::int64_t bytes_of_world(Bed& bed) {
  std::int64_t bytes = bytes_of(*bed.cabinet().disk().volume().find("/"));
  bytes += static_cast<std::int64_t>(bed.witness().emissions().capacity() * sizeof(Emission));
  for (const auto& [uid, times] : bed.witness().vehicles()) {
    bytes += static_cast<std::int64_t>(times.capacity() * sizeof(MonoTime));
  }
  return bytes;
}

std::int64_t bytes_in_use() {
  const struct mallinfo2 heap = mallinfo2();
  return static_cast<std::int64_t>(heap.uordblks + heap.hblkhd);
}

}  // namespace

TEST(Scenario013, ABacklogOfDaysTakesNoMemory) {
  if (bytes_in_use() == 0) GTEST_SKIP() << "this allocator does not say what it holds";
  Bed bed({.flow_veh_h = 200, .vehicles = true});
  std::int64_t before = 0;
  bed.at(hours(1), [&] {
    bed.centre().set_flume_up(false);
    bed.centre().set_broker_up(false);
  });
  bed.at(hours(4), [&] { before = bytes_in_use() - bytes_of_world(bed); });
  bed.at(hours(52), [&] {
    EXPECT_GE(bed.waiting("flume"), 45'000);
    EXPECT_LT(bytes_in_use() - bytes_of_world(bed) - before, kMostGrowth);
    bed.centre().set_flume_up(true);
    bed.centre().set_broker_up(true);
  });
  bed.run(hours(53));
  EXPECT_EQ(bed.received(bed.flume(), "traffic.lane"), bed.received(bed.broker(), "traffic.lane"));
  EXPECT_GE(bed.received(bed.flume(), "traffic.lane"), 4 * 60 * 52);
  EXPECT_SOUND(bed);
}

}  // namespace berm::scenario
