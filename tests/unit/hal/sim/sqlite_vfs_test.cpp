// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cerrno>

#include "hal/sim/random.hpp"
#include "tests/unit/hal/sim/sqlite_database.hpp"

namespace berm::hal {
namespace {

class SqliteVfs : public testing::Test {
 protected:
  SqliteVfs() { disk_.prepare_directory("/state"); }
  SimDisk disk_;
};

TEST_F(SqliteVfs, KeepsADatabaseAmongTheDisksFiles) {
  {
    SqliteDatabase database(disk_, "/state/a.db");
    EXPECT_EQ(database.text("PRAGMA journal_mode=WAL"), "wal");
    EXPECT_EQ(database.run("CREATE TABLE t(x); INSERT INTO t VALUES(7)"), SQLITE_OK);
    EXPECT_TRUE(disk_.exists("/state/a.db-wal"));
  }
  EXPECT_EQ(disk_.list("/state").value(), std::vector<std::string>{"a.db"});
  SqliteDatabase again(disk_, "/state/a.db");
  EXPECT_EQ(again.text("SELECT x FROM t"), "7");
}

TEST_F(SqliteVfs, AReaderKeepsItsSnapshotWhileAnotherConnectionCommitsAndCheckpoints) {
  SqliteDatabase writer(disk_, "/state/a.db");
  SqliteDatabase reader(disk_, "/state/a.db");
  ASSERT_EQ(writer.text("PRAGMA journal_mode=WAL"), "wal");
  ASSERT_EQ(writer.run("CREATE TABLE t(x); INSERT INTO t VALUES(1)"), SQLITE_OK);
  ASSERT_EQ(reader.run("BEGIN"), SQLITE_OK);
  ASSERT_EQ(reader.text("SELECT count(*) FROM t"), "1");
  for (int n = 0; n < 50; ++n) {
    ASSERT_EQ(writer.run("INSERT INTO t VALUES(hex(zeroblob(3000)))"), SQLITE_OK);
  }
  (void)writer.run("PRAGMA wal_checkpoint(PASSIVE)");
  EXPECT_EQ(reader.text("SELECT count(*) FROM t"), "1");
  EXPECT_EQ(reader.run("COMMIT"), SQLITE_OK);
  EXPECT_EQ(reader.text("SELECT count(*) FROM t"), "51");
}

TEST_F(SqliteVfs, OnlyOneConnectionWritesAtATime) {
  SqliteDatabase one(disk_, "/state/a.db");
  SqliteDatabase two(disk_, "/state/a.db");
  for (const char* mode : {"PRAGMA journal_mode=DELETE", "PRAGMA journal_mode=WAL"}) {
    ASSERT_FALSE(one.text(mode).empty());
    ASSERT_EQ(one.run("CREATE TABLE IF NOT EXISTS t(x)"), SQLITE_OK);
    ASSERT_EQ(one.run("BEGIN IMMEDIATE"), SQLITE_OK);
    EXPECT_EQ(two.run("BEGIN IMMEDIATE") & 0xff, SQLITE_BUSY) << mode;
    ASSERT_EQ(one.run("COMMIT"), SQLITE_OK);
    EXPECT_EQ(two.run("BEGIN IMMEDIATE; COMMIT"), SQLITE_OK) << mode;
  }
}

TEST_F(SqliteVfs, AFailedSyncFailsTheCommit) {
  SqliteDatabase database(disk_, "/state/a.db");
  ASSERT_EQ(database.run("PRAGMA journal_mode=WAL; CREATE TABLE t(x)"), SQLITE_OK);
  disk_.volume().inject({.operation = DiskOperation::sync});
  EXPECT_EQ(database.run("INSERT INTO t VALUES(1)"), SQLITE_IOERR_FSYNC);
  EXPECT_EQ(database.run("INSERT INTO t VALUES(2)"), SQLITE_OK);
}

TEST_F(SqliteVfs, AFullDiskIsSqliteFullAndLeavesTheDatabaseWhole) {
  SqliteDatabase database(disk_, "/state/a.db");
  ASSERT_EQ(database.run("PRAGMA journal_mode=WAL; CREATE TABLE t(x)"), SQLITE_OK);
  disk_.volume().set_capacity(disk_.volume().used() + 1000);
  EXPECT_EQ(database.run("INSERT INTO t VALUES(hex(zeroblob(9000)))"), SQLITE_FULL);
  disk_.volume().set_capacity(1u << 30);
  EXPECT_EQ(database.run("INSERT INTO t VALUES(1)"), SQLITE_OK);
  EXPECT_EQ(database.text("PRAGMA integrity_check"), "ok");
  EXPECT_EQ(database.text("SELECT count(*) FROM t"), "1");
}

TEST_F(SqliteVfs, AnInterruptedWriteIsResumed) {
  SqliteDatabase database(disk_, "/state/a.db");
  disk_.volume().inject(
      {.operation = DiskOperation::write, .kind = DiskFaultKind::short_write, .is_lasting = true});
  EXPECT_EQ(database.run("CREATE TABLE t(x); INSERT INTO t VALUES(hex(zeroblob(9000)))"),
            SQLITE_OK);
  disk_.volume().clear_faults();
  EXPECT_EQ(database.text("PRAGMA integrity_check"), "ok");
}

TEST_F(SqliteVfs, AnOpenDatabaseIsDeadAfterAPowerCut) {
  SimRandom random(1);
  SqliteDatabase database(disk_, "/state/a.db");
  ASSERT_EQ(database.run("PRAGMA journal_mode=WAL; CREATE TABLE t(x)"), SQLITE_OK);
  disk_.power_cut(random);
  EXPECT_EQ(database.run("INSERT INTO t VALUES(1)") & 0xff, SQLITE_IOERR);
  disk_.volume().power_on();
  EXPECT_EQ(database.run("INSERT INTO t VALUES(1)") & 0xff, SQLITE_IOERR);
  SqliteDatabase next(disk_, "/state/a.db");
  EXPECT_EQ(next.run("INSERT INTO t VALUES(1)"), SQLITE_OK);
}

TEST_F(SqliteVfs, AReadOnlyDiskCanBeReadButNotWritten) {
  {
    SqliteDatabase database(disk_, "/state/a.db");
    ASSERT_EQ(database.run("CREATE TABLE t(x); INSERT INTO t VALUES(1)"), SQLITE_OK);
  }
  disk_.volume().set_read_only(true);
  SqliteDatabase database(disk_, "/state/a.db");
  EXPECT_EQ(database.text("SELECT x FROM t"), "1");
  EXPECT_NE(database.run("INSERT INTO t VALUES(2)"), SQLITE_OK);
}

TEST_F(SqliteVfs, AClonedDiskHasTheSameDatabase) {
  SqliteDatabase database(disk_, "/state/a.db");
  ASSERT_EQ(database.run("PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES(5)"),
            SQLITE_OK);
  const auto copy = disk_.clone();
  ASSERT_EQ(database.run("UPDATE t SET x=6"), SQLITE_OK);
  SqliteDatabase other(*copy, "/state/a.db");
  EXPECT_EQ(other.text("SELECT x FROM t"), "5");
}

}  // namespace
}  // namespace berm::hal
