// SPDX-License-Identifier: Apache-2.0
// Promise outbox-4: a ceiling, an order of what goes first, and a gap record for all that went
// undelivered.
#include <gtest/gtest.h>

#include <algorithm>

#include "firmware/outbox/sql.hpp"
#include "firmware/outbox/sqlite.hpp"
#include "tests/support/outbox_account.hpp"
#include "tests/support/outbox_bed.hpp"

namespace berm::test {
namespace {

class OutboxRetention : public ::testing::Test {
 protected:
  // Lane periods that do not compress, each with 3 vehicles, committed in small groups.
  void fill(int events) {
    for (int i = 0; i < events; ++i) {
      std::string noise;
      while (noise.size() < 600) noise += std::to_string(bed_.random().next_u64());
      const hal::WallReading wall = bed_.clock().wall();
      is_taken_ =
          bed_.append(drivers::LanePeriod{.start = {bed_.clock().mono(), wall.time, wall.source},
                                          .uid = 1,
                                          .lane = "R",
                                          .count = 3,
                                          .flags = noise});
      if (is_taken_) ++produced_;
      if (i % 5 == 4) bed_.run_for(Seconds{2});
    }
    bed_.run_for(Seconds{2});
  }
  OutboxAccount received_by(outbox::UplinkIndex uplink) {
    OutboxAccount account(bed_.options.uplinks[uplink].name);
    for (const event::Event& event : bed_.drain(uplink)) account.receive(event);
    return account;
  }
  void expect_all_accounted(const OutboxAccount& account) {
    EXPECT_EQ(account.fault(), "");
    EXPECT_EQ(account.vehicles_received() + account.vehicles_in_gaps(), 3 * produced_);
  }
  OutboxBed bed_;
  std::int64_t produced_ = 0;
  bool is_taken_ = false;
};

constexpr std::int64_t kSmall = 1 << 20;

TEST_F(OutboxRetention, OldestGoWhenFullAndTheRestAddsUp) {
  bed_.options.max_bytes = kSmall;
  ASSERT_TRUE(bed_.open());
  fill(4000);
  const Status status = bed_.outbox().status();
  EXPECT_LE(status.integer("disk_bytes"), kSmall);
  EXPECT_EQ(status.integer("lost_before_commit"), 0);
  EXPECT_GT(status.integer("gaps_total"), 0);
  const OutboxAccount account = received_by(0);
  expect_all_accounted(account);
  EXPECT_GT(account.explained(), 1000);
  EXPECT_TRUE(account.has(bed_.outbox().epoch() + "/traffic.lane/4000")) << "the newest stay";
  EXPECT_TRUE(account.has(bed_.outbox().epoch() + "/node.epoch/1")) << "the ledger goes last";
}

// Databases made before 0004-pages-of-the-outbox-are-2-kb keep their pages.
TEST_F(OutboxRetention, DatabaseWithPagesOf4KbKeepsToTheSameCeiling) {
  bed_.options.max_bytes = kSmall;
  {
    auto older = outbox::Database::open("/state/berm/outbox.db", bed_.disk().sqlite_vfs());
    ASSERT_TRUE(older);
    ASSERT_TRUE((*older)->execute(
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL;"
        "PRAGMA journal_mode=WAL"));
    ASSERT_TRUE((*older)->execute(outbox::sql::kMigration0001Initial));
    ASSERT_TRUE((*older)->execute("PRAGMA user_version=1; PRAGMA wal_checkpoint(TRUNCATE)"));
    (*older)->tidy_on_close(true);
  }
  ASSERT_TRUE(bed_.open());
  fill(4000);
  EXPECT_LE(bed_.outbox().status().integer("disk_bytes"), kSmall);
  EXPECT_GT(bed_.outbox().status().integer("disk_bytes"), kSmall / 2);
  EXPECT_LE(static_cast<std::int64_t>(bed_.disk().volume().used()), kSmall + (64 << 10));
  expect_all_accounted(received_by(0));
  bed_.close();
  const auto head = bed_.disk().read_at("/state/berm/outbox.db", 16, 2);
  ASSERT_TRUE(head);
  EXPECT_EQ(*head, std::string("\x10\x00", 2)) << "its pages are as they were";
}

TEST_F(OutboxRetention, SequencesGoOnAfterEverythingWasDeletedAndRestarted) {
  bed_.options.keep_delivered_s = 60;
  ASSERT_TRUE(bed_.open());
  fill(10);
  bed_.drain(0);
  bed_.run_for(Seconds{600});
  EXPECT_EQ(bed_.outbox().status().integer("events"), 1) << "their manifest";
  bed_.drain(0);
  bed_.run_for(Seconds{600});
  EXPECT_EQ(bed_.outbox().status().integer("events"), 0);
  bed_.close();
  ASSERT_TRUE(bed_.open());
  EXPECT_EQ(bed_.outbox().status().integer("events"), 0);
  fill(1);
  const auto events = bed_.drain(0);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].seq, 11);
}

TEST_F(OutboxRetention, DeliveredEventsAreKeptTheirTimeThenGoWithoutAGap) {
  bed_.options.keep_delivered_s = 3600;
  ASSERT_TRUE(bed_.open());
  fill(10);
  bed_.drain(0);
  bed_.run_for(Seconds{3000});
  EXPECT_EQ(bed_.outbox().status().integer("events"), 12) << "with their manifest";
  bed_.drain(0);
  bed_.run_for(Seconds{1800});
  EXPECT_EQ(bed_.outbox().status().integer("events"), 0);
  EXPECT_EQ(bed_.outbox().waiting(0), 0);
}

TEST_F(OutboxRetention, DeliveredOnesGoBeforeUndeliveredOnes) {
  bed_.options.max_bytes = kSmall;
  ASSERT_TRUE(bed_.open());
  OutboxAccount account("flume");
  for (int round = 0; round < 10; ++round) {
    fill(400);
    for (const event::Event& event : bed_.drain(0)) account.receive(event);
  }
  expect_all_accounted(account);
  EXPECT_EQ(account.explained(), 0);
  EXPECT_GE(account.received(), 4001) << "and manifests";
}

TEST_F(OutboxRetention, WhenFullTheShelfLosesRefusedEventsButNoGapRecord) {
  bed_.options.max_bytes = kSmall;
  ASSERT_TRUE(bed_.open());
  fill(10);
  for (const char* what : {"periods", "their gap records"}) {
    const auto batch = bed_.take(0);
    ASSERT_TRUE(batch) << what;
    bed_.settle(0, batch->events, outbox::Settlement::refused);
  }
  const auto count = [&](std::string_view stream) {
    return std::ranges::count(bed_.set_aside(), stream,
                              [](const outbox::SetAside& one) { return one.event.stream; });
  };
  EXPECT_EQ(count("traffic.lane"), 10);
  const auto gaps = count("node.gap");
  EXPECT_GE(gaps, 1);
  fill(4000);
  EXPECT_EQ(count("traffic.lane"), 0);
  EXPECT_EQ(count("node.gap"), gaps);
}

TEST_F(OutboxRetention, PartlyDeliveredOnesGoFirstAndTheGapNamesWhoMissedThem) {
  bed_.options.max_bytes = kSmall;
  bed_.options.uplinks = {{.name = "flume"}, {.name = "broker"}};
  ASSERT_TRUE(bed_.open());
  OutboxAccount flume("flume");
  for (int round = 0; round < 10; ++round) {
    fill(300);
    for (const event::Event& event : bed_.drain(0)) flume.receive(event);
  }
  expect_all_accounted(flume);
  EXPECT_EQ(flume.explained(), 0) << "flume has had everything";
  const OutboxAccount broker = received_by(1);
  expect_all_accounted(broker);
  EXPECT_GT(broker.explained(), 1000);
}

TEST_F(OutboxRetention, UplinkThatDoesNotHoldHoldsNothingBack) {
  bed_.options.keep_delivered_s = 60;
  bed_.options.uplinks = {{.name = "flume"}, {.name = "stick", .hold = false}};
  ASSERT_TRUE(bed_.open());
  fill(10);
  OutboxAccount flume("flume");
  for (const event::Event& event : bed_.drain(0)) flume.receive(event);
  bed_.run_for(Seconds{600});
  EXPECT_LT(bed_.outbox().status().integer("events"), 10);
  for (const event::Event& event : bed_.drain(0)) flume.receive(event);
  EXPECT_EQ(flume.explained(), 0);
  const OutboxAccount stick = received_by(1);
  EXPECT_EQ(stick.fault(), "");
  EXPECT_EQ(stick.vehicles_in_gaps(), 30);
}

TEST_F(OutboxRetention, StreamsAgeLimitIsKeptWhoeverWaits) {
  bed_.options.policies = {{.stream = "traffic.lane", .max_age_s = 600}};
  ASSERT_TRUE(bed_.open());
  fill(10);
  bed_.run_for(Seconds{500});
  EXPECT_EQ(bed_.outbox().status().integer("events"), 11);
  bed_.run_for(Seconds{300});
  const auto events = bed_.drain(0);
  ASSERT_EQ(only(events, "traffic.lane").size(), 0u);
  ASSERT_GE(only(events, "node.gap").size(), 1u);
  EXPECT_EQ(field_of(only(events, "node.gap")[0], "cause"), "retention");
  EXPECT_EQ(field_of(only(events, "node.gap")[0], "uplink"), "null");
}

TEST_F(OutboxRetention, NothingAgesWhileTheTimeIsUnknown) {
  bed_.options.policies = {{.stream = "traffic.lane", .max_age_s = 600}};
  ASSERT_TRUE(bed_.open());
  fill(10);
  bed_.clock().set_source(ClockSource::none);
  bed_.clock().step(Seconds{10'000'000});
  bed_.run_for(Seconds{1200});
  EXPECT_EQ(bed_.outbox().status().integer("events"), 11);
}

TEST_F(OutboxRetention, StreamThatRefusesKeepsItsOldEventsAndCountsTheNewOnesAsLost) {
  bed_.options.max_bytes = kSmall;
  bed_.options.policies = {{.stream = "traffic.lane", .when_full = event::WhenFull::refuse}};
  ASSERT_TRUE(bed_.open());
  fill(3000);
  EXPECT_FALSE(is_taken_);
  EXPECT_GT(bed_.outbox().status().integer("lost_before_commit"), 500);
  EXPECT_TRUE(bed_.alarms().on.contains("outbox_refusing/traffic.lane"));
  const OutboxAccount account = received_by(0);
  expect_all_accounted(account);
  EXPECT_EQ(account.explained(), 0);
  bed_.run_for(Seconds{120});  // delivered ones make room now
  fill(10);
  EXPECT_TRUE(is_taken_);
  EXPECT_FALSE(bed_.alarms().on.contains("outbox_refusing/traffic.lane"));
}

TEST_F(OutboxRetention, EventsInFlightAreNeverTaken) {
  bed_.options.max_bytes = kSmall;
  ASSERT_TRUE(bed_.open());
  fill(100);
  const auto batch = bed_.take(0, {.max_events = 60});
  ASSERT_TRUE(batch);
  fill(3000);
  OutboxAccount account("flume");
  for (const event::Event& event : batch->events) account.receive(event);
  bed_.settle(0, batch->events);
  for (const event::Event& event : bed_.drain(0)) account.receive(event);
  expect_all_accounted(account);
}

TEST_F(OutboxRetention, WithoutAnyUplinkItIsARecorderUpToItsCeiling) {
  bed_.options.max_bytes = kSmall;
  bed_.options.uplinks = {};
  ASSERT_TRUE(bed_.open());
  fill(3000);
  EXPECT_LE(bed_.outbox().status().integer("disk_bytes"), kSmall);
  EXPECT_GT(bed_.outbox().status().integer("gaps_total"), 0);
  bed_.close();
  bed_.options.uplinks = {{.name = "flume"}};
  ASSERT_TRUE(bed_.open());
  expect_all_accounted(received_by(0));
}

TEST_F(OutboxRetention, EveryRandomHistoryAddsUp) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    hal::SimRandom random(seed);
    OutboxBed bed(seed);
    bed.options.max_bytes = kSmall;
    bed.options.keep_delivered_s = 300;
    bed.options.uplinks = {{.name = "a"}, {.name = "b"}, {.name = "c", .hold = false}};
    ASSERT_TRUE(bed.open());
    std::vector<OutboxAccount> accounts{OutboxAccount("a"), OutboxAccount("b"), OutboxAccount("c")};
    std::int64_t vehicles = 0;
    for (int step = 0; step < 1500; ++step) {
      const auto count = static_cast<std::int64_t>(random.below(50));
      std::string noise;
      while (noise.size() < 700) noise += std::to_string(random.next_u64());
      const hal::WallReading wall = bed.clock().wall();
      if (bed.append(drivers::LanePeriod{.start = {bed.clock().mono(), wall.time, wall.source},
                                         .uid = 1,
                                         .lane = "R",
                                         .count = count,
                                         .flags = noise})) {
        vehicles += count;
      }
      if (random.below(3) == 0) bed.run_for(Seconds{static_cast<std::int64_t>(random.below(60))});
      if (random.below(20) != 0) continue;
      const outbox::UplinkIndex uplink = random.below(3);
      const auto batch = bed.take(uplink, {.max_events = 1 + random.below(200)});
      ASSERT_TRUE(batch);
      for (const event::Event& event : batch->events) accounts[uplink].receive(event);
      bed.settle(uplink, batch->events);
    }
    bed.flush();
    std::int64_t explained = 0;
    for (outbox::UplinkIndex uplink = 0; uplink < 3; ++uplink) {
      for (const event::Event& event : bed.drain(uplink)) accounts[uplink].receive(event);
      EXPECT_EQ(accounts[uplink].fault(), "");
      EXPECT_EQ(accounts[uplink].vehicles_received() + accounts[uplink].vehicles_in_gaps(),
                vehicles);
      explained += accounts[uplink].explained();
    }
    EXPECT_GT(explained, 0);
  }
}

}  // namespace
}  // namespace berm::test
