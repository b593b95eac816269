// SPDX-License-Identifier: Apache-2.0
// Promise outbox-4 where the file system, not the quota, is full: alarms, goes on, makes room,
// recovers.
#include <gtest/gtest.h>

#include "tests/support/outbox_account.hpp"
#include "tests/support/outbox_bed.hpp"

namespace berm::test {
namespace {

class OutboxFullDisk : public ::testing::Test {
 protected:
  void append(int events) {
    for (int i = 0; i < events; ++i) {
      std::string noise;
      while (noise.size() < 600) noise += std::to_string(bed_.random().next_u64());
      const hal::WallReading wall = bed_.clock().wall();
      if (bed_.append(drivers::LanePeriod{.start = {bed_.clock().mono(), wall.time, wall.source},
                                          .uid = 1,
                                          .lane = "R",
                                          .count = 1,
                                          .flags = noise},
                      [this] { ++acknowledged_; })) {
        ++produced_;
      }
      if (i % 10 == 9) bed_.run_for(Seconds{2});
    }
    bed_.run_for(Seconds{2});
  }
  void expect_all_accounted() {
    OutboxAccount account("flume");
    for (const event::Event& event : bed_.drain(0)) account.receive(event);
    EXPECT_EQ(account.fault(), "");
    EXPECT_EQ(account.vehicles_received() + account.vehicles_in_gaps(), produced_);
  }
  OutboxBed bed_;
  std::int64_t produced_ = 0;
  std::int64_t acknowledged_ = 0;
};

TEST_F(OutboxFullDisk, MakesRoomByItsBallastAndTheOldestEvents) {
  bed_.options.max_bytes = 1ll << 26;
  ASSERT_TRUE(bed_.open());
  append(2000);
  ASSERT_TRUE(bed_.disk().exists("/state/berm/outbox.ballast"));
  bed_.disk().volume().set_capacity(bed_.disk().volume().used() + 300'000);
  append(6000);
  bed_.run_for(Seconds{200});
  EXPECT_EQ(acknowledged_, produced_) << "it goes on committing";
  EXPECT_GT(bed_.outbox().status().integer("gaps_total"), 0);
  bed_.disk().volume().set_capacity(std::uint64_t{1} << 30);
  bed_.run_for(Seconds{120});
  EXPECT_TRUE(bed_.disk().exists("/state/berm/outbox.ballast")) << "made again";
  expect_all_accounted();
}

TEST_F(OutboxFullDisk, WithNothingToGiveItAlarmsKeepsSamplingAndRecovers) {
  ASSERT_TRUE(bed_.open());
  append(5);
  bed_.drain(0);
  bed_.disk().volume().inject({.operation = hal::DiskOperation::write,
                               .kind = hal::DiskFaultKind::no_space,
                               .is_lasting = true});
  const std::int64_t before = acknowledged_;
  append(100);
  EXPECT_EQ(acknowledged_, before);
  EXPECT_TRUE(bed_.alarms().on.contains("disk_full/outbox"));
  bed_.disk().volume().clear_faults();
  bed_.run_for(Seconds{120});
  EXPECT_FALSE(bed_.alarms().on.contains("disk_full/outbox"));
  EXPECT_EQ(acknowledged_, produced_);
  EXPECT_EQ(only(bed_.drain(0), "traffic.lane").size(), 100u);
}

// Nothing was stored that could make room. What is free later is too little for a new ballast.
TEST_F(OutboxFullDisk, FilledBeforeItsFirstEventItGrowsOnceThereIsRoom) {
  bed_.options.max_bytes = 1ll << 26;
  ASSERT_TRUE(bed_.open());
  bed_.disk().volume().set_capacity(bed_.disk().volume().used());
  append(500);
  EXPECT_EQ(acknowledged_, 0);
  EXPECT_TRUE(bed_.alarms().on.contains("disk_full/outbox"));
  bed_.disk().volume().set_capacity(bed_.disk().volume().used() + (7u << 20));
  bed_.run_for(Seconds{65});  // the longest pause between two tries
  EXPECT_FALSE(bed_.alarms().on.contains("disk_full/outbox"));
  append(2000);
  EXPECT_EQ(acknowledged_, produced_);
  EXPECT_EQ(bed_.outbox().status().integer("gaps_total"), 0) << "there was room for all";
  expect_all_accounted();
}

// The ceiling it had on the full file system is not its quota: no event goes for it later.
TEST_F(OutboxFullDisk, ThrowsNothingAwayOnceThereIsRoom) {
  bed_.options.max_bytes = 1ll << 26;
  ASSERT_TRUE(bed_.open());
  append(500);
  bed_.disk().volume().set_capacity(bed_.disk().volume().used());
  append(500);
  bed_.disk().volume().set_capacity(bed_.disk().volume().used() + (7u << 20));
  const std::int64_t gaps = bed_.outbox().status().integer("gaps_total");
  append(4000);
  bed_.run_for(Seconds{65});
  EXPECT_EQ(acknowledged_, produced_);
  EXPECT_EQ(bed_.outbox().status().integer("gaps_total"), gaps);
  expect_all_accounted();
}

TEST_F(OutboxFullDisk, ItStartsOnAFullFileSystemByItsBallast) {
  ASSERT_TRUE(bed_.open());
  append(300);
  for (const bool is_killed : {true, false}) {
    SCOPED_TRACE(is_killed ? "killed" : "closed in order");
    bed_.disk().volume().set_capacity(std::uint64_t{1} << 30);
    bed_.run_for(Seconds{120});
    ASSERT_TRUE(bed_.disk().exists("/state/berm/outbox.ballast"));
    is_killed ? bed_.kill() : bed_.close();
    bed_.disk().volume().set_capacity(bed_.disk().volume().used());
    const auto opened = bed_.open();
    ASSERT_TRUE(opened) << opened.error().text;
    append(5);
    EXPECT_EQ(acknowledged_, produced_) << "it commits";
  }
  EXPECT_FALSE(bed_.alarms().ever.contains("outbox_damaged/outbox"));
  expect_all_accounted();
}

// Somebody has taken what the ballast gave. A database that has its size already takes its log
// back.
TEST_F(OutboxFullDisk, ItStartsWithoutABallastByCopyingItsLogBack) {
  bed_.options.max_bytes = 1 << 20;
  ASSERT_TRUE(bed_.open());
  append(1500);
  for (int phase = 0; phase < 12; ++phase) {
    SCOPED_TRACE("phase " + std::to_string(phase));
    append(37);
    bed_.kill();
    if (bed_.disk().exists("/state/berm/outbox.ballast")) {
      ASSERT_TRUE(bed_.disk().remove("/state/berm/outbox.ballast"));
    }
    bed_.disk().volume().set_capacity(bed_.disk().volume().used());
    const auto opened = bed_.open();
    ASSERT_TRUE(opened) << opened.error().text;
    bed_.disk().volume().set_capacity(std::uint64_t{1} << 30);
  }
  EXPECT_FALSE(bed_.alarms().ever.contains("outbox_damaged/outbox"));
  expect_all_accounted();
}

TEST_F(OutboxFullDisk, DeliveryGoesOnWhileNothingCanBeWritten) {
  ASSERT_TRUE(bed_.open());
  append(500);
  bed_.disk().volume().inject({.operation = hal::DiskOperation::write,
                               .kind = hal::DiskFaultKind::no_space,
                               .is_lasting = true});
  const auto events = bed_.drain(0);
  EXPECT_EQ(only(events, "traffic.lane").size(), 500u);
  bed_.disk().volume().clear_faults();
  bed_.kill();
  ASSERT_TRUE(bed_.open());
  const auto again = bed_.drain(0);
  ASSERT_EQ(again.size(), events.size()) << "repeats, nothing lost";
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(again[i].line, events[i].line);
}

}  // namespace
}  // namespace berm::test
