// SPDX-License-Identifier: Apache-2.0
// Promise outbox-6: whatever is damaged, the node starts, goes on, and says what it lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "firmware/outbox/sqlite.hpp"
#include "tests/support/outbox_account.hpp"
#include "tests/support/outbox_bed.hpp"

namespace berm::test {
namespace {

constexpr const char* kDatabase = "/state/berm/outbox.db";
constexpr const char* kLog = "/state/berm/outbox.db-wal";

class OutboxDamage : public ::testing::Test {
 protected:
  // A kilobyte-sized outbox with undelivered lane periods; closed in order, or left with its log.
  void live(bool is_closed) {
    ASSERT_TRUE(bed_.open());
    for (int i = 0; i < 30; ++i) {
      bed_.append_lane(2);
      bed_.run_for(Seconds{2});
    }
    old_ = bed_.outbox().epoch();
    is_closed ? bed_.close() : bed_.kill();
  }
  std::string bytes_of(const char* path) {
    auto bytes = bed_.disk().read(path, 1u << 26);
    EXPECT_TRUE(bytes) << path;
    return bytes ? *bytes : std::string();
  }
  // The agent goes on: commits, delivers, alarms.
  std::vector<event::Event> go_on() {
    const auto opened = bed_.open();
    EXPECT_TRUE(opened) << opened.error().text;
    if (!opened) return {};
    bool is_durable = false;
    bed_.append_lane(1, [&] { is_durable = true; });
    bed_.run_for(Seconds{2});
    EXPECT_TRUE(is_durable);
    return bed_.drain(0);
  }
  void expect_replaced(const std::vector<event::Event>& events) {
    EXPECT_TRUE(bed_.alarms().on.contains("outbox_damaged/outbox"));
    EXPECT_NE(bed_.outbox().epoch(), old_);
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events[0].schema->name, "node.epoch");
    EXPECT_EQ(field_of(events[0], "previous"), old_);
    EXPECT_EQ(field_of(events[0], "reason"), "damaged");
    std::set<std::string> lost;
    for (const event::Event& gap : only(events, "node.gap")) {
      EXPECT_EQ(field_of(gap, "of_epoch"), old_);
      EXPECT_EQ(field_of(gap, "ranges"), "1-");
      EXPECT_EQ(field_of(gap, "count"), "null");
      EXPECT_EQ(field_of(gap, "cause"), "damaged");
      lost.insert(field_of(gap, "of"));
    }
    EXPECT_EQ(lost, (std::set<std::string>{"node.epoch", "traffic.lane"}));
    EXPECT_EQ(only(events, "traffic.lane").size(), 1u);
  }
  // Replaced, and all that was in it delivered all the same.
  void expect_salvaged(const std::vector<event::Event>& events) {
    EXPECT_TRUE(bed_.alarms().ever.contains("outbox_damaged/outbox"));
    EXPECT_FALSE(bed_.alarms().on.contains("outbox_damaged/outbox"));
    EXPECT_NE(bed_.outbox().epoch(), old_);
    EXPECT_EQ(only(events, "traffic.lane").size(), 31u);
    OutboxAccount account("flume");
    for (const event::Event& event : events) account.receive(event);
    EXPECT_EQ(account.fault(), "");
    EXPECT_TRUE(bed_.disk().exists("/state/berm/outbox.db.salvaged-1"));
  }
  bool is_kept_aside() const {
    const auto names = bed_.disk().list("/state/berm");
    return std::ranges::find(*names, "outbox.db.damaged-1") != names->end();
  }
  void cut_at_any_length(const std::string& log) {
    const std::string bytes = bytes_of(kDatabase);
    for (std::size_t size = 0; size < bytes.size(); size += 512) {
      SCOPED_TRACE("cut at " + std::to_string(size));
      bed_.disk().prepare_file(kDatabase, bytes.substr(0, size));
      bed_.disk().prepare_file(kLog, log);
      OutboxAccount account("flume");
      for (const event::Event& event : go_on()) account.receive(event);
      EXPECT_EQ(account.fault(), "");
      bed_.close();
    }
  }
  mutable OutboxBed bed_;
  std::string old_;
};

TEST_F(OutboxDamage, DatabaseOfZeroBytes) {
  live(true);
  bed_.disk().prepare_file(kDatabase, "");
  expect_replaced(go_on());
}

TEST_F(OutboxDamage, DatabaseGone) {
  live(true);
  ASSERT_TRUE(bed_.disk().remove(kDatabase));
  expect_replaced(go_on());
}

TEST_F(OutboxDamage, DatabaseOfGarbage) {
  live(true);
  bed_.disk().prepare_file(kDatabase, std::string(50000, 'x'));
  expect_replaced(go_on());
  EXPECT_TRUE(is_kept_aside());
}

TEST_F(OutboxDamage, DatabaseCutInHalf) {
  live(true);
  const std::string bytes = bytes_of(kDatabase);
  bed_.disk().prepare_file(kDatabase, bytes.substr(0, bytes.size() / 2));
  const auto events = go_on();
  EXPECT_NE(bed_.outbox().epoch(), old_);
  EXPECT_TRUE(bed_.alarms().ever.contains("outbox_damaged/outbox"));
  OutboxAccount account("flume");
  for (const event::Event& event : events) account.receive(event);
  EXPECT_EQ(account.fault(), "");
}

TEST_F(OutboxDamage, SomebodyElsesDatabase) {
  live(true);
  std::string bytes = bytes_of(kDatabase);
  bytes[63] = 0;  // user_version
  bed_.disk().prepare_file(kDatabase, bytes);
  expect_salvaged(go_on());
}

TEST_F(OutboxDamage, DatabaseCutShortAtAnyLength) {
  live(true);
  cut_at_any_length("");
}

TEST_F(OutboxDamage, DatabaseCutShortAtAnyLengthUnderItsLog) {
  live(false);
  cut_at_any_length(bytes_of(kLog));
}

TEST_F(OutboxDamage, ColumnWithAnotherName) {
  live(true);
  std::string bytes = bytes_of(kDatabase);
  constexpr std::string_view kColumn = "next_seq INTEGER";
  std::size_t place = bytes.find(kColumn);
  ASSERT_NE(place, std::string::npos);
  // A page that was split keeps a dead copy of the schema.
  for (; place != std::string::npos; place = bytes.find(kColumn)) bytes[place] ^= 1;
  bed_.disk().prepare_file(kDatabase, bytes);
  expect_salvaged(go_on());
}

TEST_F(OutboxDamage, WhatIsThereTwiceIsDamage) {
  live(true);
  auto database = outbox::Database::open(kDatabase, bed_.disk().sqlite_vfs());
  ASSERT_TRUE(database);
  ASSERT_TRUE((*database)->execute("PRAGMA locking_mode=EXCLUSIVE"));
  const auto twice = (*database)->execute(
      "INSERT INTO epoch (epoch, node, reason) SELECT epoch, node, reason FROM epoch");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, ErrorCode::damaged);
}

TEST_F(OutboxDamage, LogOfGarbageGivesNoSequenceOutAgain) {
  live(false);
  const std::string log = bytes_of(kLog);
  ASSERT_GT(log.size(), 10000u);
  bed_.disk().prepare_file(kLog, std::string(log.size(), 'x'));
  const auto events = go_on();
  EXPECT_NE(bed_.outbox().epoch(), old_);
  EXPECT_TRUE(bed_.alarms().on.contains("outbox_damaged/outbox"));
}

TEST_F(OutboxDamage, LogThatIsGoneAfterAKillIsMissed) {
  for (const bool is_emptied : {false, true}) {
    SCOPED_TRACE(is_emptied ? "emptied" : "gone");
    live(false);
    ASSERT_GT(bytes_of(kLog).size(), 10000u);
    if (is_emptied) {
      bed_.disk().prepare_file(kLog, "");
    } else {
      ASSERT_TRUE(bed_.disk().remove(kLog));
    }
    const auto events = go_on();
    EXPECT_NE(bed_.outbox().epoch(), old_);
    EXPECT_TRUE(bed_.alarms().on.contains("outbox_damaged/outbox"));
    bool is_said = false;
    for (const event::Event& gap : only(events, "node.gap")) {
      is_said =
          is_said || (field_of(gap, "of") == "traffic.lane" && field_of(gap, "of_epoch") == old_ &&
                      field_of(gap, "ranges").back() == '-');
    }
    EXPECT_TRUE(is_said);
    bed_.close();
    bed_.alarms().on.clear();
  }
}

TEST_F(OutboxDamage, NoLogAfterAnOrderlyEndIsAsItShouldBe) {
  live(true);
  EXPECT_FALSE(bed_.disk().exists(kLog));
  EXPECT_FALSE(bed_.disk().exists("/state/berm/outbox.open"));
  go_on();
  EXPECT_EQ(bed_.outbox().epoch(), old_);
  EXPECT_TRUE(bed_.alarms().ever.empty());
}

TEST_F(OutboxDamage, LogDamagedInTheMiddleKeepsWhatIsBeforeAndOpensAnEpoch) {
  live(false);
  std::string log = bytes_of(kLog);
  log[log.size() / 2] ^= 1;
  bed_.disk().prepare_file(kLog, log);
  const auto events = go_on();
  EXPECT_NE(bed_.outbox().epoch(), old_);
  EXPECT_TRUE(bed_.alarms().on.contains("outbox_damaged/outbox"));
  OutboxAccount account("flume");
  for (const event::Event& event : events) account.receive(event);
  EXPECT_EQ(account.fault(), "");
  EXPECT_GT(only(events, "traffic.lane").size(), 5u) << "the part before the damage is delivered";
  bool is_explained = false;
  for (const event::Event& gap : only(events, "node.gap")) {
    const std::string ranges = field_of(gap, "ranges");
    is_explained = is_explained || (field_of(gap, "of") == "traffic.lane" && ranges.back() == '-');
  }
  EXPECT_TRUE(is_explained);
}

TEST_F(OutboxDamage, OneBodyThatCannotBeReadCostsItsOwnEventsOnly) {
  live(true);
  {
    auto database = outbox::Database::open(kDatabase, bed_.disk().sqlite_vfs());
    ASSERT_TRUE(database);
    ASSERT_TRUE((*database)->execute(
        "PRAGMA locking_mode=EXCLUSIVE; UPDATE segment SET body = zeroblob(length(body))"
        " WHERE place = (SELECT max(place) FROM segment)"));
    (*database)->tidy_on_close(true);
  }
  const auto events = go_on();
  EXPECT_EQ(bed_.outbox().epoch(), old_);
  EXPECT_TRUE(bed_.alarms().on.contains("outbox_damaged/outbox"));
  OutboxAccount account("flume");
  for (const event::Event& event : events) account.receive(event);
  for (const event::Event& event : bed_.drain(0)) account.receive(event);
  EXPECT_EQ(account.fault(), "");
  EXPECT_EQ(account.vehicles_received() + account.vehicles_in_gaps(), 61);
  EXPECT_EQ(account.explained(), 1);
}

TEST_F(OutboxDamage, NoMoreThanTwoDamagedDatabasesAreKept) {
  for (int i = 0; i < 4; ++i) {
    live(true);
    bed_.disk().prepare_file(kDatabase, "garbage that is no database");
    go_on();
    bed_.close();
  }
  const auto names = bed_.disk().list("/state/berm");
  ASSERT_TRUE(names);
  std::vector<std::string> kept;
  for (const std::string& name : *names) {
    if (name.find("damaged") != std::string::npos) kept.push_back(name);
  }
  EXPECT_EQ(kept, (std::vector<std::string>{"outbox.db.damaged-3", "outbox.db.damaged-4"}));
}

TEST_F(OutboxDamage, AnyOtherFileMissingOrGarbageStopsNothing) {
  for (const char* name :
       {"outbox.identity", "outbox.ballast", "outbox.lock", "outbox.db-shm", "outbox.open"}) {
    for (const bool is_garbage : {false, true}) {
      SCOPED_TRACE(std::string(name) + (is_garbage ? " garbage" : " missing"));
      live(true);
      const std::string path = std::string("/state/berm/") + name;
      if (is_garbage) {
        bed_.disk().prepare_file(path, "\x01\x02 garbage");
      } else if (bed_.disk().exists(path)) {
        ASSERT_TRUE(bed_.disk().remove(path));
      }
      go_on();
      EXPECT_EQ(bed_.outbox().epoch(), old_);
      bed_.close();
    }
  }
}

TEST_F(OutboxDamage, DirectoryInTheSteadOfAFileMakesWay) {
  for (const char* name : {"outbox.db", "outbox.db-wal", "outbox.db-shm", "outbox.db-journal",
                           "outbox.identity", "outbox.lock", "outbox.ballast", "outbox.open"}) {
    for (const bool is_closed : {true, false}) {
      SCOPED_TRACE(std::string(name) + (is_closed ? " closed" : " killed"));
      live(is_closed);
      const std::string path = std::string("/state/berm/") + name;
      if (bed_.disk().exists(path)) {
        ASSERT_TRUE(bed_.disk().remove(path));
      }
      bed_.disk().prepare_directory(path + "/kept");
      go_on();
      EXPECT_TRUE(bed_.disk().exists(path + ".displaced-" + (is_closed ? "1" : "2") + "/kept"));
      const bool is_damage = std::string_view(name).starts_with("outbox.db") &&
                             !std::string_view(name).ends_with("-shm");
      EXPECT_EQ(bed_.outbox().epoch() != old_, is_damage);
      EXPECT_EQ(bed_.alarms().ever.contains("outbox_damaged/outbox"), is_damage);
      bed_.close();
      bed_.alarms().ever.clear();
    }
  }
}

TEST_F(OutboxDamage, OldCopyThatCannotBeRemovedStopsNothing) {
  for (const char* name : {"outbox.db.damaged-1", "outbox.db.damaged-2"}) {
    bed_.disk().prepare_directory(std::string("/state/berm/") + name + "/kept");
  }
  live(true);
  bed_.disk().prepare_file(kDatabase, "garbage that is no database");
  expect_replaced(go_on());
  EXPECT_TRUE(bed_.disk().exists("/state/berm/outbox.db.damaged-3"));
}

// Flipped bytes anywhere in database or log: it starts, commits and delivers; and no id has two
// bodies.
TEST_F(OutboxDamage, RandomFlipsNeverStopIt) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    hal::SimRandom random(seed);
    OutboxBed bed(seed);
    ASSERT_TRUE(bed.open());
    OutboxAccount account("flume");
    for (int i = 0; i < 25; ++i) {
      for (int k = 0; k < 8; ++k) bed.append_lane(k);
      bed.run_for(Seconds{2});
    }
    const auto batch = bed.take(0, {.max_events = 100});
    for (const event::Event& event : batch->events) account.receive(event);
    random.below(2) == 0 ? bed.close() : bed.kill();
    const char* path = bed.disk().exists(kLog) && random.below(2) == 0 ? kLog : kDatabase;
    auto bytes = bed.disk().read(path, 1u << 26);
    ASSERT_TRUE(bytes);
    if (bytes->empty()) continue;
    for (std::uint64_t i = 0; i <= random.below(8); ++i) {
      (*bytes)[random.below(bytes->size())] ^= static_cast<char>(1 + random.below(255));
    }
    bed.disk().prepare_file(path, *bytes);
    const auto opened = bed.open();
    ASSERT_TRUE(opened) << opened.error().text;
    int durable = 0;
    for (int i = 0; i < 10; ++i) {
      bed.append_lane(1, [&] { ++durable; });
      bed.run_for(Seconds{5});
      const auto taken = bed.take(0, {.max_events = 1000});
      if (taken) bed.settle(0, taken->events);
    }
    bed.run_for(Seconds{120});
    EXPECT_EQ(durable, 10);
  }
}

}  // namespace
}  // namespace berm::test
