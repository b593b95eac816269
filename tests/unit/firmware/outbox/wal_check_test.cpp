// SPDX-License-Identifier: Apache-2.0
// Against logs that SQLite itself has written.
#include "firmware/outbox/wal_check.hpp"

#include <gtest/gtest.h>

#include "firmware/outbox/sqlite.hpp"
#include "hal/sim/disk.hpp"

namespace berm::outbox {
namespace {

constexpr std::size_t kFrame = 24 + 4096;

std::string some_log(int commits) {
  hal::SimDisk disk;
  disk.prepare_directory("/s");
  auto database = Database::open("/s/a.db", disk.sqlite_vfs());
  EXPECT_TRUE(database);
  EXPECT_TRUE((*database)->execute(
      "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; CREATE TABLE t (x)"));
  for (int i = 0; i < commits; ++i) {
    EXPECT_TRUE((*database)->execute("INSERT INTO t VALUES (randomblob(3000))"));
  }
  auto log = disk.read("/s/a.db-wal", 1u << 24);
  EXPECT_TRUE(log);
  return log ? *log : std::string();
}

TEST(WalCheck, NoLogOrAnEmptyOneIsEmpty) {
  EXPECT_EQ(check_wal(""), WalState::empty);
  EXPECT_EQ(check_wal(std::string(31, 'x')), WalState::empty);
  EXPECT_EQ(check_wal(std::string(5000, '\0')), WalState::empty);
}

TEST(WalCheck, LogOfSqliteIsWhole) {
  const std::string log = some_log(5);
  ASSERT_GT(log.size(), 5 * kFrame);
  EXPECT_EQ(check_wal(log), WalState::whole);
  EXPECT_EQ(check_wal(log.substr(0, log.size() - 100)), WalState::whole) << "half a frame is none";
}

TEST(WalCheck, UnfinishedLastTransactionIsTorn) {
  std::string log = some_log(5);
  log[log.size() - 50] ^= 1;
  EXPECT_EQ(check_wal(log), WalState::torn);
}

TEST(WalCheck, CommittedTransactionsBehindABadFrameAreDamage) {
  std::string log = some_log(5);
  log[32 + kFrame + 100] ^= 1;
  EXPECT_EQ(check_wal(log), WalState::damaged);
  log = some_log(5);
  log[32 + kFrame + 9] ^= 1;  // the frame's salt
  EXPECT_EQ(check_wal(log), WalState::damaged);
}

TEST(WalCheck, BadHeaderIsDamage) {
  std::string log = some_log(2);
  for (std::size_t i = 0; i < 32; ++i) {
    std::string bad = log;
    bad[i] ^= 0x10;
    EXPECT_EQ(check_wal(bad), WalState::damaged) << i;
  }
}

TEST(WalCheck, FramesOfAnOlderLogAreNotOurs) {
  const std::string old = some_log(6);
  const std::string fresh = some_log(2);  // other salts
  const std::string reused = fresh + old.substr(fresh.size());
  EXPECT_EQ(check_wal(reused), WalState::whole);
}

}  // namespace
}  // namespace berm::outbox
