// SPDX-License-Identifier: Apache-2.0
// Promise outbox-2: a new identity whenever this may be another node's outbox, and the old events
// under their old one.
#include <gtest/gtest.h>

#include "firmware/outbox/opening.hpp"
#include "firmware/outbox/sqlite.hpp"
#include "hal/base/text.hpp"
#include "tests/support/outbox_bed.hpp"

namespace berm::test {
namespace {

class OutboxEpoch : public ::testing::Test {
 protected:
  // An outbox with one undelivered lane period; returns its epoch.
  std::string before() {
    EXPECT_TRUE(bed_.open());
    bed_.append_lane(3);
    bed_.run_for(Seconds{2});
    std::string epoch = bed_.outbox().epoch();
    bed_.close();
    return epoch;
  }
  // The old events came first and as they were, then the new epoch's first event says why.
  void expect_new(const std::string& old, const std::string& reason) {
    ASSERT_TRUE(bed_.open());
    EXPECT_NE(bed_.outbox().epoch(), old);
    bed_.append_lane(4);
    bed_.run_for(Seconds{2});
    const auto events = bed_.drain(0);
    ASSERT_EQ(events.size(), 4u);
    EXPECT_EQ(field_of(events[1], "id"), "e19-km31/" + old + "/traffic.lane/1");
    EXPECT_EQ(events[2].schema->name, "node.epoch");
    EXPECT_EQ(events[2].seq, 1);
    EXPECT_EQ(field_of(events[2], "previous"), old);
    EXPECT_EQ(field_of(events[2], "reason"), reason);
    EXPECT_EQ(events[3].epoch, bed_.outbox().epoch());
    EXPECT_EQ(events[3].seq, 1);
    EXPECT_EQ(field_of(events[3], "node"), bed_.options.node);
  }
  // As another program leaves it; its log copied back, or not.
  void set_version(std::int64_t version, bool is_copied_back = true) {
    auto database = outbox::Database::open("/state/berm/outbox.db", bed_.disk().sqlite_vfs());
    ASSERT_TRUE(database);
    ASSERT_TRUE((*database)->execute("PRAGMA locking_mode=EXCLUSIVE"));
    ASSERT_TRUE((*database)->execute(("PRAGMA user_version=" + std::to_string(version)).c_str()));
    (*database)->tidy_on_close(is_copied_back);
  }
  OutboxBed bed_;
};

TEST_F(OutboxEpoch, StaysOverRestartAndPowerCut) {
  const std::string epoch = before();
  ASSERT_TRUE(bed_.open());
  EXPECT_EQ(bed_.outbox().epoch(), epoch);
  bed_.power_cut();
  ASSERT_TRUE(bed_.open());
  EXPECT_EQ(bed_.outbox().epoch(), epoch);
}

TEST_F(OutboxEpoch, IsNewOnAnotherMachine) {
  const std::string old = before();
  bed_.options.machine_id = "machine-2";
  expect_new(old, "another machine");
}

TEST_F(OutboxEpoch, IsNewThoughTheMachineDrawsTheSameNumbersAgain) {
  const std::string old = before();
  bed_.random() = hal::SimRandom(1);
  bed_.options.machine_id = "machine-2";
  expect_new(old, "another machine");
}

TEST_F(OutboxEpoch, IsNewUnderAnotherName) {
  const std::string old = before();
  bed_.options.node = "e19-km32";
  expect_new(old, "node renamed");
}

TEST_F(OutboxEpoch, IsNewAfterARestoredBackup) {
  const std::string old = before();
  const auto backup = bed_.disk().clone();
  bed_.disk().restore(*backup, true);
  expect_new(old, "another directory");
}

TEST_F(OutboxEpoch, OldOneIsForgottenOnceNothingOfItIsLeft) {
  bed_.options.keep_delivered_s = 60;
  const std::string old = before();
  bed_.options.machine_id = "machine-2";
  expect_new(old, "another machine");
  bed_.run_for(Seconds{600});
  EXPECT_NE(bed_.disk().read("/state/berm/outbox.identity", 65536)->find(old), std::string::npos);
  bed_.close();
  ASSERT_TRUE(bed_.open());
  EXPECT_EQ(bed_.disk().read("/state/berm/outbox.identity", 65536)->find(old), std::string::npos);
  bed_.append_lane(1);
  bed_.run_for(Seconds{2});
  const auto events = only(bed_.drain(0), "traffic.lane");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].seq, 2);
}

TEST_F(OutboxEpoch, ProgramThatIsOlderThanTheOutboxTouchesNothing) {
  before();
  {
    set_version(outbox::kSchemaVersion + 1);
    const auto bytes = bed_.disk().read("/state/berm/outbox.db", 1u << 24);
    const auto files = bed_.disk().list("/state/berm");
    ASSERT_TRUE(bytes && files);
    const auto opened = bed_.open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::unsupported);
    EXPECT_NE(opened.error().text.find("newer program"), std::string::npos);
    const auto after = bed_.disk().read("/state/berm/outbox.db", 1u << 24);
    ASSERT_TRUE(after);
    EXPECT_TRUE(*after == *bytes);
    EXPECT_EQ(*bed_.disk().list("/state/berm"), *files) << "not even a log beside it";
  }
}

TEST_F(OutboxEpoch, VersionOnAPageThatDoesNotVerifyIsDamage) {
  const std::string old = before();
  auto bytes = bed_.disk().read("/state/berm/outbox.db", 1u << 24);
  ASSERT_TRUE(bytes);
  (*bytes)[63] = static_cast<char>(outbox::kSchemaVersion + 1);  // user_version, big-endian at 60
  bed_.disk().prepare_file("/state/berm/outbox.db", *bytes);
  ASSERT_TRUE(bed_.open());
  EXPECT_NE(bed_.outbox().epoch(), old);
}

TEST_F(OutboxEpoch, ProgramThatIsOlderThanTheLogLeavesBoth) {
  before();
  constexpr const char* kLog = "/state/berm/outbox.db-wal";
  set_version(outbox::kSchemaVersion + 1, false);
  const auto log = bed_.disk().read(kLog, 1u << 24);
  ASSERT_TRUE(log && !log->empty());
  const auto opened = bed_.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::unsupported);
  EXPECT_TRUE(*bed_.disk().read(kLog, 1u << 24) == *log);
}

TEST_F(OutboxEpoch, UnusableDirectoryIsAClearError) {
  bed_.options.directory = "/nowhere/at/all";
  auto opened = bed_.open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text.find("/nowhere"), std::string::npos);
  bed_.options.directory = "/state/berm";
  bed_.disk().volume().set_read_only(true);
  opened = bed_.open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text.find("/state/berm"), std::string::npos) << opened.error().text;
}

}  // namespace
}  // namespace berm::test
