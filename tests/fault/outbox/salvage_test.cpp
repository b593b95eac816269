// SPDX-License-Identifier: Apache-2.0
// Promise outbox-6, the background: what SQLite can still read of a damaged database is delivered
// under its old epoch, as it was; the rest is in gap records; sampling never waits for it.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "firmware/outbox/sqlite.hpp"
#include "tests/support/outbox_account.hpp"
#include "tests/support/outbox_bed.hpp"

namespace berm::test {
namespace {

constexpr const char* kDatabase = "/state/berm/outbox.db";
constexpr std::size_t kPage = 1024;

class OutboxSalvage : public ::testing::Test {
 protected:
  // Lane periods of two vehicles, in commits of five.
  void live(int commits) {
    for (int i = 0; i < commits; ++i) {
      for (int k = 0; k < 5; ++k) bed_.append_lane(2);
      bed_.run_for(Seconds{2});
    }
    produced_ += 10 * commits;
  }
  void begin(int commits) {
    ASSERT_TRUE(bed_.open());
    live(commits);
    old_ = bed_.outbox().epoch();
  }
  std::string bytes() { return *bed_.disk().read(kDatabase, 1u << 26); }
  void put(const std::string& bytes) { bed_.disk().prepare_file(kDatabase, bytes); }
  // Where the tree of a table begins.
  std::size_t root_of(const std::string& table) {
    auto database = outbox::Database::open(kDatabase, bed_.disk().sqlite_vfs());
    const auto page =
        (*database)->integer("SELECT rootpage FROM sqlite_schema WHERE name = '" + table + "'");
    return static_cast<std::size_t>(*page - 1) * kPage;
  }
  void zero(std::size_t offset) {
    std::string content = bytes();
    content.replace(offset, kPage, kPage, '\0');
    put(content);
  }
  // The leaves of the tree of pages at `offset`, in their order: an inner page (kind 5) points at
  // its children, before each cell and, at byte 8, behind the last.
  void gather_leaves(std::string_view content, std::size_t offset,
                     std::vector<std::size_t>& leaves) {
    const std::string_view page = content.substr(offset, kPage);
    if (page[0] != 0x05) return leaves.push_back(offset);
    const auto number = [&](std::size_t at, std::size_t size) {
      std::size_t value = 0;
      for (std::size_t i = 0; i < size; ++i)
        value = value << 8 | static_cast<unsigned char>(page[at + i]);
      return value;
    };
    for (std::size_t cell = 0; cell < number(3, 2); ++cell) {
      gather_leaves(content, (number(number(12 + 2 * cell, 2), 4) - 1) * kPage, leaves);
    }
    gather_leaves(content, (number(8, 4) - 1) * kPage, leaves);
  }
  // A page of rows amid the others of the table of segments.
  std::size_t some_leaf(std::size_t which = 1, std::size_t of = 2) {
    const std::size_t root = root_of("segment");
    const std::string content = bytes();
    std::vector<std::size_t> leaves;
    gather_leaves(content, root, leaves);
    EXPECT_GT(leaves.size(), 4u);
    return leaves[leaves.size() * which / of];
  }
  // Runs and delivers until all that was salvaged is.
  void gather(Seconds time = Seconds{60}) {
    for (Seconds done{0}; done < time; done += Seconds{2}) {
      bed_.run_for(Seconds{2});
      receive(bed_.drain(0));
    }
  }
  void receive(const std::vector<event::Event>& events) {
    for (const event::Event& event : events) {
      account_.receive(event);
      received_.push_back(event);
    }
  }
  std::size_t lanes_of(const std::string& epoch) const {
    std::set<std::int64_t> lanes;
    for (const event::Event& event : received_) {
      if (event.schema->name == "traffic.lane" && event.epoch == epoch) lanes.insert(event.seq);
    }
    return lanes.size();
  }
  void expect_over() {
    EXPECT_EQ(account_.fault(), "");
    EXPECT_TRUE(bed_.alarms().ever.contains("outbox_damaged/outbox"));
    EXPECT_FALSE(bed_.alarms().on.contains("outbox_damaged/outbox"));
    EXPECT_EQ(bed_.outbox().status().integer("salvaged_percent"), 100);
    EXPECT_EQ(bed_.outbox().status().integer("waiting"), 0);
  }
  OutboxBed bed_;
  OutboxAccount account_{"flume"};
  std::vector<event::Event> received_;
  std::string old_;
  std::int64_t produced_ = 0;
};

TEST_F(OutboxSalvage, PageOfRowsCostsThoseRowsOnly) {
  begin(200);
  bed_.close();
  zero(some_leaf());
  ASSERT_TRUE(bed_.open());
  bool is_durable = false;
  bed_.append_lane(1, [&] { is_durable = true; });
  bed_.run_for(Seconds{2});
  EXPECT_TRUE(is_durable) << "it does not wait";
  gather();
  expect_over();
  EXPECT_NE(bed_.outbox().epoch(), old_);
  EXPECT_GT(lanes_of(old_), 950u);
  EXPECT_LT(lanes_of(old_), 1000u);
  EXPECT_LE(1000u - lanes_of(old_), static_cast<std::size_t>(account_.explained()));
  EXPECT_TRUE(bed_.disk().exists("/state/berm/outbox.db.salvaged-1"));
  for (const event::Event& gap : only(received_, "node.gap")) {
    EXPECT_NE(field_of(gap, "ranges").back(), '-') << "it was closed in order: " << gap.line;
  }
}

TEST_F(OutboxSalvage, TableOfNamesGoneIsNamedByTheSidecar) {
  begin(60);
  bed_.close();
  zero(root_of("series"));
  ASSERT_TRUE(bed_.open());
  gather();
  expect_over();
  EXPECT_EQ(lanes_of(old_), 300u);
}

TEST_F(OutboxSalvage, AnyOtherTableGoneCostsNoEvent) {
  for (const char* table : {"undelivered", "uplink", "checkpoint", "set_aside", "boot", "anchor",
                            "meta", "epoch", "segment_unsettled"}) {
    SCOPED_TRACE(table);
    begin(40);
    bed_.close();
    zero(root_of(table));
    ASSERT_TRUE(bed_.open());
    live(1);
    gather();
    EXPECT_EQ(account_.fault(), "");
    std::set<std::string> lanes;
    for (const event::Event& event : only(received_, "traffic.lane")) lanes.insert(id_of(event));
    EXPECT_EQ(static_cast<std::int64_t>(2 * lanes.size()), produced_);
    bed_.close();
  }
}

TEST_F(OutboxSalvage, WhatWasDeliveredIsNotSentAgain) {
  begin(100);
  receive(bed_.drain(0));
  live(20);
  bed_.close();
  zero(root_of("checkpoint"));
  ASSERT_TRUE(bed_.open());
  gather();
  expect_over();
  EXPECT_EQ(lanes_of(old_), 600u) << "received before, or salvaged";
  EXPECT_EQ(account_.repeats(), 0);
}

TEST_F(OutboxSalvage, EndsWithItsLogExactlyWhereTheLogIsWhole) {
  begin(30);
  bed_.kill();
  zero(0);  // the log still has most of the first page's successors
  const auto opened = bed_.open();
  ASSERT_TRUE(opened);
  gather();
  EXPECT_EQ(account_.fault(), "");
}

TEST_F(OutboxSalvage, SurvivesAKillAndAPowerCutAtAnyStep) {
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE(round);
    OutboxBed bed(static_cast<std::uint64_t>(round) + 1);
    OutboxAccount account("flume");
    ASSERT_TRUE(bed.open());
    for (int i = 0; i < 300; ++i) {
      for (int k = 0; k < 3; ++k) bed.append_lane(1);
      bed.run_for(Seconds{2});
    }
    bed.close();
    std::string content = *bed.disk().read(kDatabase, 1u << 26);
    for (const std::size_t part : {3u, 5u}) {
      const std::size_t at = content.size() * part / 7 / kPage * kPage;
      content.replace(at, kPage, kPage, '\0');
    }
    bed.disk().prepare_file(kDatabase, content);
    for (int life = 0; life < 4; ++life) {
      ASSERT_TRUE(bed.open());
      bed.run_for(Milliseconds{130 + 70 * round});
      if (const auto batch = bed.take(0, {.max_events = 200})) {
        for (const event::Event& event : batch->events) account.receive(event);
        if (life % 2 == 0) bed.settle(0, batch->events);
      }
      round % 2 == 0 ? bed.kill() : bed.power_cut();
    }
    ASSERT_TRUE(bed.open());
    for (int i = 0; i < 60; ++i) {
      bed.run_for(Seconds{2});
      for (const event::Event& event : bed.drain(0)) account.receive(event);
    }
    EXPECT_EQ(account.fault(), "");
    EXPECT_FALSE(bed.alarms().on.contains("outbox_damaged/outbox"));
    EXPECT_GT(account.received(), 500);
  }
}

TEST_F(OutboxSalvage, DamageWhileItSalvagesLosesNothingUnsaid) {
  begin(400);
  bed_.close();
  zero(some_leaf(1, 3));
  ASSERT_TRUE(bed_.open());
  EXPECT_FALSE(bed_.take(0, {.max_events = 5000})) << "here it is met";
  for (int i = 0; i < 10; ++i) bed_.append_lane(2);
  bed_.run_for(Milliseconds{150});
  const std::string second = bed_.outbox().epoch();
  ASSERT_TRUE(bed_.alarms().on.contains("outbox_damaged/outbox")) << "not over yet";
  bed_.close();
  zero(root_of("checkpoint"));
  ASSERT_TRUE(bed_.open());
  gather(Seconds{120});
  expect_over();
  EXPECT_NE(bed_.outbox().epoch(), second);
  EXPECT_GT(lanes_of(old_), 1900u);
  EXPECT_EQ(lanes_of(second), 10u);
}

TEST_F(OutboxSalvage, EventsThatWaitForAClockKeepTheirOwn) {
  bed_.does_know_time = false;
  bed_.clock().set_source(ClockSource::none);
  begin(20);
  bed_.close();
  zero(root_of("checkpoint"));
  ASSERT_TRUE(bed_.open());
  gather(Seconds{10});
  EXPECT_EQ(lanes_of(old_), 0u) << "their time is not known";
  bed_.clock().set_source(ClockSource::ntp);
  gather();
  expect_over();
  EXPECT_EQ(lanes_of(old_), 100u);
  for (const event::Event& event : only(received_, "traffic.lane")) {
    EXPECT_EQ(field_of(event, "clock"), "ntp");
  }
}

// Zeroed pages, flips and cuts anywhere in the database: what a receiver had before and has in the
// end adds up, and no id has two bodies.
TEST_F(OutboxSalvage, RandomDamageIsAlwaysAccountedFor) {
  std::size_t salvaged = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    hal::SimRandom random(seed);
    OutboxBed bed(seed);
    OutboxAccount account("flume");
    ASSERT_TRUE(bed.open());
    for (int i = 0; i < 60; ++i) {
      for (int k = 0; k < 4; ++k) bed.append_lane(k);
      bed.run_for(Seconds{2});
    }
    const auto batch = bed.take(0, {.max_events = 1 + random.below(200)});
    for (const event::Event& event : batch->events) account.receive(event);
    if (random.below(2) == 0) bed.settle(0, batch->events);
    random.below(2) == 0 ? bed.close() : bed.kill();
    std::string content = *bed.disk().read(kDatabase, 1u << 26);
    for (std::uint64_t left = 1 + random.below(6); left > 0; --left) {
      const std::size_t at = random.below(content.size());
      switch (random.below(3)) {
        case 0:
          content[at] ^= static_cast<char>(1 + random.below(255));
          break;
        case 1:
          content.replace(at / kPage * kPage, kPage, kPage, '\0');
          break;
        default:
          if (random.below(4) == 0) content.resize(std::max<std::size_t>(at, 1));
      }
    }
    bed.disk().prepare_file(kDatabase, content);
    ASSERT_TRUE(bed.open());
    for (int i = 0; i < 40; ++i) {
      bed.append_lane(1);
      bed.run_for(Seconds{2});
      for (const event::Event& event : bed.drain(0)) account.receive(event);
    }
    EXPECT_EQ(account.fault(), "");
    EXPECT_EQ(bed.outbox().status().integer("waiting"), 0);
    salvaged += static_cast<std::size_t>(bed.outbox().status().integer("salvaged_events"));
  }
  EXPECT_GT(salvaged, 5000u) << "there was nothing to salvage";
}

}  // namespace
}  // namespace berm::test
