// SPDX-License-Identifier: Apache-2.0
// Manifests: they tile, they hold, and there is never a second one of a range.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "firmware/analytics/audit.hpp"
#include "firmware/outbox/manifest_sums.hpp"
#include "firmware/outbox/sql.hpp"
#include "firmware/outbox/sqlite.hpp"
#include "tests/support/outbox_bed.hpp"

namespace berm::test {
namespace {

using outbox::ManifestDebt;
using outbox::Range;
using outbox::RangeSet;
using outbox::Settlement;

class OutboxManifest : public ::testing::Test {
 protected:
  // A lane period each minute; what waits is delivered each `drain_every` minutes (0: never).
  void minutes(int count, int drain_every, outbox::UplinkIndex uplink = 0) {
    for (int minute = 1; minute <= count; ++minute) {
      bed_.append_lane(minute % 50);
      bed_.run_for(Seconds{60});
      if (drain_every > 0 && minute % drain_every == 0) deliver(uplink);
    }
  }
  void deliver(outbox::UplinkIndex uplink) {
    for (event::Event& event : bed_.drain(uplink)) {
      audit_.read_line(event.line);
      if (event.schema->name == "node.manifest") manifests_.push_back(event);
    }
  }
  std::int64_t of_manifest(std::size_t index, std::string_view field) const {
    return std::stoll(field_of(manifests_.at(index), field));
  }
  std::int64_t covered(std::string_view stream = "traffic.lane") const {
    std::int64_t last = 0;
    for (const event::Event& manifest : manifests_) {
      if (field_of(manifest, "of") != stream) continue;
      EXPECT_EQ(std::stoll(field_of(manifest, "first")), last + 1);
      last = std::stoll(field_of(manifest, "last"));
    }
    return last;
  }
  void expect_clean() {
    for (const analytics::StreamFinding& finding : audit_.findings()) {
      EXPECT_EQ(finding.manifests_broken, 0) << finding.stream;
      EXPECT_EQ(finding.missing_ranges, "") << finding.stream;
    }
    EXPECT_TRUE(audit_.is_clean());
  }
  OutboxBed bed_;
  analytics::Audit audit_{"flume"};
  std::vector<event::Event> manifests_;
};

TEST_F(OutboxManifest, ComeHourlyWithACommitThatComesAnyway) {
  ASSERT_TRUE(bed_.open());
  minutes(3 * 60, 1);
  const std::int64_t commits = bed_.outbox().status().integer("commits");
  const std::size_t before = manifests_.size();
  minutes(3 * 60, 1);
  EXPECT_GE(manifests_.size(), before + 3);
  EXPECT_LE(manifests_.size(), before + 4);
  EXPECT_GE(covered(), 5 * 60);
  // And once an hour the look for what is too old.
  EXPECT_LE(bed_.outbox().status().integer("commits"), commits + 3 * 60 + 3) << "none of their own";
  expect_clean();
}

TEST_F(OutboxManifest, WithoutAnyOtherCommitTheyAreCommittedAllTheSame) {
  ASSERT_TRUE(bed_.open());
  minutes(3, 1);
  bed_.run_for(Seconds{600});
  deliver(0);
  EXPECT_EQ(covered(), 3);
  expect_clean();
}

TEST_F(OutboxManifest, NothingIsSaidOfWhatIsNotDelivered) {
  ASSERT_TRUE(bed_.open());
  minutes(3 * 60, 0);
  const auto first = bed_.take(0, {.max_events = 100});
  ASSERT_TRUE(first);
  bed_.settle(0, first->events);
  for (const event::Event& event : first->events) audit_.read_line(event.line);
  bed_.run_for(Seconds{3700});
  deliver(0);
  EXPECT_EQ(covered(), 99) << "the hundredth was the epoch";
  minutes(70, 1);
  EXPECT_GT(covered(), 180);
  expect_clean();
}

TEST_F(OutboxManifest, AnUplinkThatDoesNotHoldDelaysNone) {
  bed_.options.uplinks = {{.name = "flume"}, {.name = "stick", .hold = false}};
  ASSERT_TRUE(bed_.open());
  minutes(70, 1);
  EXPECT_GT(covered(), 0);
  expect_clean();
}

TEST_F(OutboxManifest, WhereNoneHoldsAllThatTakeTheStreamMustHaveIt) {
  bed_.options.uplinks = {{.name = "stick", .hold = false}};
  ASSERT_TRUE(bed_.open());
  minutes(70, 0);
  deliver(0);
  EXPECT_TRUE(manifests_.empty());
  minutes(70, 1);
  EXPECT_GT(covered(), 60);
}

TEST_F(OutboxManifest, RefusedEventsAreNotCounted) {
  ASSERT_TRUE(bed_.open());
  minutes(10, 0);
  const auto batch = bed_.take(0);
  ASSERT_TRUE(batch);
  std::vector<event::Event> poison{batch->events[3]};
  bed_.settle(0, poison, Settlement::refused);
  bed_.outbox().return_all(0);
  minutes(60, 1);
  ASSERT_FALSE(manifests_.empty());
  EXPECT_EQ(of_manifest(0, "count"), of_manifest(0, "last") - 1);
  EXPECT_EQ(of_manifest(0, "gaps"), 1);
  expect_clean();
}

TEST_F(OutboxManifest, WhatIsDeliveredAndGoneBeforeItsManifestIsStillInIt) {
  bed_.options.keep_delivered_s = 120;
  ASSERT_TRUE(bed_.open());
  minutes(50, 1);
  EXPECT_LT(bed_.outbox().status().integer("events"), 15) << "gone already";
  bed_.kill();
  ASSERT_TRUE(bed_.open());
  minutes(70, 1);
  EXPECT_GT(covered(), 60);
  expect_clean();
}

TEST_F(OutboxManifest, AKillOrPowerCutMakesNoSecondOneOfARange) {
  ASSERT_TRUE(bed_.open());
  for (int life = 0; life < 12; ++life) {
    minutes(20 + life, 3);
    if (life % 2 == 0) {
      bed_.power_cut();
    } else {
      bed_.kill();
    }
    ASSERT_TRUE(bed_.open());
  }
  minutes(60, 1);
  EXPECT_GT(covered(), 200);
  expect_clean();
}

TEST_F(OutboxManifest, AClonedCardSaysNoMoreOfTheOldEpoch) {
  ASSERT_TRUE(bed_.open());
  minutes(70, 1);
  const std::string old = bed_.outbox().epoch();
  bed_.close();
  bed_.options.machine_id = "machine-2";
  ASSERT_TRUE(bed_.open());
  const std::size_t before = manifests_.size();
  minutes(130, 1);
  ASSERT_GT(manifests_.size(), before);
  for (std::size_t i = before; i < manifests_.size(); ++i) {
    EXPECT_NE(field_of(manifests_[i], "of_epoch"), old);
  }
  expect_clean();
}

// Made by the program before schema 2, which delivered everything but the vehicles to "disc".
TEST_F(OutboxManifest, AnOlderDatabaseIsKeptWithAllItHolds) {
  std::ifstream file(BERM_OLDER_OUTBOX, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  ASSERT_GT(bytes.size(), 20'000u);
  bed_.disk().prepare_file("/state/berm/outbox.db", bytes);
  bed_.options.uplinks = {{.name = "disc", .streams = {"traffic.lane", "node.*"}}};
  ASSERT_TRUE(bed_.open());
  EXPECT_TRUE(bed_.alarms().ever.empty());
  EXPECT_GE(bed_.outbox().status().integer("events"), 18);
  EXPECT_EQ(only(bed_.drain(0), "traffic.lane").size(), 0u) << "all delivered before";
  minutes(70, 1);
  EXPECT_GT(covered(), 0);
  bed_.close();
  ASSERT_TRUE(bed_.open()) << "and once more";
}

TEST_F(OutboxManifest, InAnOlderDatabaseTheyBeginAfterWhatItHolds) {
  auto database = outbox::Database::open("/state/berm/old.db", bed_.disk().sqlite_vfs());
  ASSERT_TRUE(database);
  ASSERT_TRUE((*database)->execute("PRAGMA locking_mode=EXCLUSIVE"));
  ASSERT_TRUE((*database)->execute(outbox::sql::kMigration0001Initial));
  ASSERT_TRUE((*database)->execute(
      "INSERT INTO epoch VALUES (1, 'e', 'n', 'created');"
      "INSERT INTO series VALUES (1,1,'traffic.lane',5,0,1,0), (2,1,'node.health',9,8,1,0),"
      " (3,1,'position',1,0,1,0);"
      "INSERT INTO segment VALUES ((1<<40)|7,1,5,3,1,1,0,0,0,0,0,0,0,1,1,x'00')"));
  ASSERT_TRUE((*database)->execute(outbox::sql::kMigration0002Manifests));
  const auto manifested = [&](int series) {
    const auto sql = "SELECT manifested FROM series WHERE id = " + std::to_string(series);
    return (*database)->integer(sql).value_or(-1);
  };
  EXPECT_EQ(manifested(1), 7) << "by its newest segment";
  EXPECT_EQ(manifested(2), 8) << "by its next number";
  EXPECT_EQ(manifested(3), 0);
}

// Everything at once: two receivers, refusals, requeues, deletions, restarts, and a small disk.
class ManifestHistory {
 public:
  explicit ManifestHistory(std::uint64_t seed) : random_(seed), bed_(seed) {
    bed_.options.uplinks = {{.name = "a"}, {.name = "b", .hold = random_.below(2) == 0}};
    bed_.options.keep_delivered_s = random_.below(2) == 0 ? 60 : 604800;
    if (random_.below(2) == 0) bed_.options.max_bytes = 1 << 18;
  }
  void run() {
    ASSERT_TRUE(bed_.open());
    for (int step = 0; step < 260; ++step) this->step();
    // A gap record that was refused explains nothing: it is offered once more.
    for (const outbox::SetAside& one : bed_.set_aside()) EXPECT_TRUE(bed_.requeue(one.number));
    for (int hour = 0; hour < 3; ++hour) {
      for (int i = 0; i < 60; ++i) bed_.append_lane(1), bed_.run_for(Seconds{60}), deliver_all();
    }
    for (outbox::UplinkIndex uplink = 0; uplink < 2; ++uplink) check(audits_[uplink]);
  }

 private:
  void step() {
    const auto dice = random_.below(100);
    if (dice < 55) {
      const auto events = 1 + random_.below(60);
      for (std::uint64_t i = 0; i < events; ++i) {
        bed_.append_lane(static_cast<std::int64_t>(random_.below(40)));
      }
      bed_.run_for(Seconds{static_cast<std::int64_t>(random_.below(300))});
    } else if (dice < 85) {
      serve(random_.below(2));
    } else if (dice < 90) {
      const auto shelf = bed_.set_aside();
      if (shelf.empty()) return;
      EXPECT_TRUE(bed_.requeue(shelf[random_.below(shelf.size())].number));
    } else if (dice < 96) {
      bed_.run_for(Seconds{static_cast<std::int64_t>(random_.below(4000))});
    } else {
      if (dice == 96) bed_.close();
      if (dice == 97) bed_.kill();
      if (dice > 97) bed_.power_cut();
      ASSERT_TRUE(bed_.open());
    }
  }
  void serve(outbox::UplinkIndex uplink) {
    const auto batch = bed_.take(uplink, {.max_events = 1 + random_.below(300)});
    ASSERT_TRUE(batch);
    std::vector<outbox::Settled> settled;
    for (const event::Event& event : batch->events) {
      const auto how = random_.below(100);
      if (how < 97) read(uplink, event.line);
      settled.push_back({ref_of(event),
                         how < 97   ? Settlement::delivered
                         : how < 99 ? Settlement::returned
                                    : Settlement::refused,
                         "HTTP 400"});
    }
    bed_.outbox().settle(uplink, std::move(settled));
    bed_.run_for(Milliseconds{10});
  }
  void deliver_all() {
    for (outbox::UplinkIndex uplink = 0; uplink < 2; ++uplink) {
      for (const event::Event& event : bed_.drain(uplink)) read(uplink, event.line);
    }
  }
  void read(outbox::UplinkIndex uplink, const std::string& line) {
    audits_[uplink].read_line(line);
  }
  static void check(const analytics::Audit& audit) {
    std::int64_t manifests = 0;
    for (const analytics::StreamFinding& finding : audit.findings()) {
      EXPECT_EQ(finding.manifests_broken, 0) << finding.stream;
      EXPECT_EQ(finding.missing, 0) << finding.stream << " " << finding.missing_ranges;
      manifests += finding.manifests;
    }
    EXPECT_GT(manifests, 2);
    EXPECT_TRUE(audit.is_clean());
  }
  hal::SimRandom random_;
  OutboxBed bed_;
  analytics::Audit audits_[2] = {analytics::Audit("a"), analytics::Audit("b")};
};

TEST(OutboxManifestModel, TheyHoldWhateverHappens) {
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ManifestHistory history(seed);
    history.run();
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
  }
}

TEST(ManifestDebt, RunsThatTouchAreOneInWhateverOrderTheyCome) {
  ManifestDebt debt;
  EXPECT_TRUE(debt.add_removed({10, 12}, 7).is_empty());
  EXPECT_TRUE(debt.add_removed({16, 19}, 1).is_empty());
  EXPECT_TRUE(debt.add_removed({13, 15}, 2).is_empty());
  const outbox::RemovedRun* run = debt.run_from(1);
  ASSERT_NE(run, nullptr);
  EXPECT_EQ(run->range, (Range{10, 19}));
  EXPECT_EQ(run->sum, 10u);
  debt.settle_through(19);
  EXPECT_TRUE(debt.is_empty());
}

TEST(ManifestDebt, ItsTextReadsBackTheSame) {
  ManifestDebt debt;
  debt.add_removed({10, 12}, 0xfedcba9876543210);
  debt.add_removed({20, 20}, 1);
  RangeSet closed;
  closed.add({14, 15});
  debt.close(closed);
  EXPECT_EQ(debt.to_text(), "10-12:fedcba9876543210 20-20:0000000000000001 |14-15");
  const auto again = ManifestDebt::parse(debt.to_text());
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, debt);
  for (const char* text : {"x", "10-12:1 |", "12-10:0000000000000001 |", "10-:0000000000000001 |",
                           "10-12:0000000000000001 12-13:0000000000000001 |", "|3-2"}) {
    EXPECT_FALSE(ManifestDebt::parse(text)) << text;
  }
}

TEST(ManifestDebt, BeyondItsBoundsItSaysWhatItGivesUp) {
  ManifestDebt debt;
  RangeSet given_up;
  for (std::int64_t i = 1; i <= 65; ++i) given_up.add(debt.add_removed({i * 10, i * 10}, 1));
  EXPECT_EQ(given_up.count_below(outbox::kOpenEnd), 1);
  RangeSet closed;
  for (std::int64_t i = 1; i <= 64; ++i) closed.add({i * 10 + 2, i * 10 + 2});
  EXPECT_TRUE(debt.close(closed).is_empty());
  RangeSet one_more;
  one_more.add({7, 7});
  EXPECT_EQ(debt.close(one_more).to_text(), "8-11") << "the nearest are joined";
}

}  // namespace
}  // namespace berm::test
