// SPDX-License-Identifier: Apache-2.0
// The n-th write, sync, open, rename … of a short life fails once: nothing acknowledged is lost,
// what was not is tried again, and it goes on.
#include <gtest/gtest.h>

#include <set>

#include "tests/support/outbox_account.hpp"
#include "tests/support/outbox_bed.hpp"

namespace berm::test {
namespace {

using hal::DiskFaultKind;
using hal::DiskOperation;

// Returns whether the fault was met.
bool live(DiskOperation operation, DiskFaultKind kind, std::uint64_t let_pass) {
  OutboxBed bed(let_pass + 1);
  bed.disk().volume().inject({.operation = operation, .kind = kind, .let_pass = let_pass});
  OutboxAccount account("flume");
  if (!bed.open()) {
    // A clear error; the service is started again.
    const auto again = bed.open();
    EXPECT_TRUE(again) << again.error().text;
    if (!again) return true;
  }
  std::int64_t acknowledged = 0;
  for (int i = 0; i < 12; ++i) {
    for (int k = 0; k < 5; ++k) bed.append_lane(1, [&] { ++acknowledged; });
    bed.append_row("node.alarm");
    bed.run_for(Seconds{3});
    if (i % 3 == 0) {
      for (const event::Event& event : bed.drain(0, {.max_events = 7})) account.receive(event);
    }
  }
  bed.run_for(Seconds{200});
  EXPECT_EQ(acknowledged, 60) << "what failed is tried again";
  EXPECT_TRUE(bed.alarms().on.empty());
  for (const event::Event& event : bed.drain(0)) account.receive(event);
  EXPECT_EQ(bed.outbox().waiting(0), 0);
  EXPECT_EQ(account.fault(), "");
  EXPECT_EQ(account.vehicles_received(), 60);
  EXPECT_EQ(bed.outbox().status().integer("lost_before_commit"), 0);
  const std::uint64_t operations = bed.disk().volume().operations(operation);
  bed.disk().volume().clear_faults();
  bed.kill();
  const auto opened = bed.open();
  EXPECT_TRUE(opened);
  for (const event::Event& event : bed.drain(0)) account.receive(event);
  EXPECT_EQ(account.fault(), "");
  return operations > let_pass;
}

class OutboxFailingCalls
    : public ::testing::TestWithParam<std::pair<DiskOperation, DiskFaultKind>> {};

TEST_P(OutboxFailingCalls, EveryOneOfAShortLife) {
  const auto [operation, kind] = GetParam();
  std::uint64_t n = 0;
  // Beyond the first ones (the open) every third is enough.
  while (live(operation, kind, n) && !HasFailure() && n < 400) n += n < 80 ? 1 : 3;
  EXPECT_FALSE(HasFailure()) << "the call number " << n;
  EXPECT_GT(n, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Calls, OutboxFailingCalls,
    ::testing::Values(std::pair(DiskOperation::write, DiskFaultKind::io),
                      std::pair(DiskOperation::write, DiskFaultKind::no_space),
                      std::pair(DiskOperation::write, DiskFaultKind::short_write),
                      std::pair(DiskOperation::sync, DiskFaultKind::io),
                      std::pair(DiskOperation::open, DiskFaultKind::io),
                      std::pair(DiskOperation::rename, DiskFaultKind::io),
                      std::pair(DiskOperation::sync_directory, DiskFaultKind::io)));

}  // namespace
}  // namespace berm::test
