// SPDX-License-Identifier: Apache-2.0
// A real SQLite over the simulated disk: the power goes at a random operation, again and again.
// With synchronous=FULL no acknowledged commit may be missing; with NORMAL some must be, or the
// test sees nothing.
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "hal/sim/random.hpp"
#include "tests/unit/hal/sim/sqlite_database.hpp"

namespace berm::hal {
namespace {

constexpr const char* kPath = "/state/outbox.db";
constexpr int kMaxCommits = 40;

struct Outcome {
  int cuts = 0;
  int lost_a_commit = 0;
  int damaged = 0;
  int had_pages = 0;  // cuts after at least one acknowledged commit
};

struct Journal {
  const char* mode;
  const char* synchronous;
};

bool prepare(SqliteDatabase& database, Journal journal) {
  return database.code() == SQLITE_OK &&
         database.run(std::string("PRAGMA journal_mode=") + journal.mode) == SQLITE_OK &&
         database.run(std::string("PRAGMA synchronous=") + journal.synchronous) == SQLITE_OK &&
         database.run("PRAGMA wal_autocheckpoint=8") == SQLITE_OK &&
         database.run("CREATE TABLE IF NOT EXISTS event(n INTEGER PRIMARY KEY, body TEXT)") ==
             SQLITE_OK;
}

// Commits one row after another until the power goes; the highest that SQLite said was committed.
std::int64_t write_until_cut(SimDisk& disk, Journal journal, SimRandom& random) {
  SqliteDatabase database(disk, kPath);
  if (!prepare(database, journal)) return 0;
  std::int64_t acknowledged = database.number("SELECT coalesce(max(n),0) FROM event");
  for (int n = 0; n < kMaxCommits; ++n) {
    const std::string size = std::to_string(random.below(3000));
    const std::string row = std::to_string(acknowledged + 1);
    if (database.run("INSERT INTO event VALUES(" + row + ", hex(zeroblob(" + size + ")))") !=
        SQLITE_OK) {
      return acknowledged;
    }
    ++acknowledged;
    if (random.below(8) == 0) {
      (void)database.run("UPDATE event SET body='' WHERE n % 3 = 0 AND n <> " + row);
    }
  }
  return acknowledged;
}

void cut_once(SimDisk& disk, Journal journal, SimRandom& random, Outcome& outcome) {
  const std::uint64_t cut_at = disk.volume().operations() + 1 + random.below(400);
  disk.volume().observe([&](std::uint64_t number, DiskOperation, std::string_view) {
    if (number == cut_at) disk.power_cut(random);
  });
  const std::int64_t acknowledged = write_until_cut(disk, journal, random);
  disk.volume().observe(nullptr);
  if (!disk.volume().is_off()) disk.power_cut(random);
  disk.volume().power_on();
  ++outcome.cuts;
  outcome.had_pages += acknowledged > 0 ? 1 : 0;
  SqliteDatabase database(disk, kPath);
  const bool is_whole = database.text("PRAGMA integrity_check") == "ok";
  outcome.damaged += is_whole ? 0 : 1;
  if (acknowledged == 0) return;
  const std::int64_t kept = database.number("SELECT max(n) FROM event");
  const std::int64_t count = database.number("SELECT count(*) FROM event");
  outcome.lost_a_commit += kept < acknowledged || count != kept ? 1 : 0;
}

Outcome cut_often(Journal journal, int cuts, std::uint64_t seed) {
  SimRandom random(seed);
  Outcome outcome;
  std::unique_ptr<SimDisk> disk;
  for (int n = 0; n < cuts; ++n) {
    // A new card now and then, so that making the database is cut too; else the same one goes on.
    if (n % 8 == 0) {
      disk = std::make_unique<SimDisk>();
      disk->prepare_directory("/state");
    }
    cut_once(*disk, journal, random, outcome);
  }
  return outcome;
}

constexpr std::uint64_t kSeed = 3;

TEST(PowerCut, FullInWalModeLosesNoAcknowledgedCommitIn2400Cuts) {
  const Outcome outcome = cut_often({"WAL", "FULL"}, 2400, kSeed);
  EXPECT_EQ(outcome.lost_a_commit, 0) << "seed " << kSeed;
  EXPECT_EQ(outcome.damaged, 0) << "seed " << kSeed;
  EXPECT_GT(outcome.had_pages, 1500);
}

TEST(PowerCut, NormalInWalModeLosesSomeButDamagesNothing) {
  const Outcome outcome = cut_often({"WAL", "NORMAL"}, 600, kSeed);
  EXPECT_GT(outcome.lost_a_commit, 100) << "seed " << kSeed;
  EXPECT_EQ(outcome.damaged, 0) << "seed " << kSeed;
}

TEST(PowerCut, FullWithARollbackJournalLosesNothingEither) {
  const Outcome outcome = cut_often({"DELETE", "EXTRA"}, 400, kSeed);
  EXPECT_EQ(outcome.lost_a_commit, 0) << "seed " << kSeed;
  EXPECT_EQ(outcome.damaged, 0) << "seed " << kSeed;
}

TEST(PowerCut, WithoutAnySyncDatabasesAreDamaged) {
  const Outcome outcome = cut_often({"WAL", "OFF"}, 300, kSeed);
  EXPECT_GT(outcome.damaged + outcome.lost_a_commit, 100) << "seed " << kSeed;
  EXPECT_GT(outcome.damaged, 0) << "the disk forgets too little; seed " << kSeed;
}

}  // namespace
}  // namespace berm::hal
