// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/file_journal.hpp"

#include <gtest/gtest.h>

#include "firmware/uplink/limits.hpp"
#include "hal/sim/disk.hpp"
#include "hal/sim/random.hpp"

namespace berm::uplink {
namespace {

constexpr WallTime kNow = wall_s(1'800'000'000);  // 2027-01-15T08:00:00Z
constexpr std::size_t kMany = 1u << 24;

struct FileJournalTest : testing::Test {
  FileJournalTest() {
    disk.prepare_directory("/media/usb");
    disk.set_mount_point("/media/usb", true);
  }
  std::string text(const std::string& path) { return disk.read(path, kMany).value_or("(none)"); }

  hal::SimDisk disk{{.capacity_bytes = 1u << 20, .creation_needs_directory_sync = true}};
  FileJournal journal{{.directory = "/media/usb/berm/"}, disk};
  const std::string file = "/media/usb/berm/2027-01-15/08.jsonl";
};

TEST_F(FileJournalTest, OneFilePerUtcHourOfWholeLines) {
  ASSERT_TRUE(journal.append("{\"a\":1}\n{\"a\":2}\n", kNow));
  ASSERT_TRUE(journal.append("{\"a\":3}\n", kNow + Seconds(3599)));
  ASSERT_TRUE(journal.append("{\"a\":4}\n", kNow + Seconds(3600)));
  ASSERT_TRUE(journal.append("{\"a\":5}\n", kNow + Seconds(16 * 3600)));
  EXPECT_EQ(text(file), "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
  EXPECT_EQ(text("/media/usb/berm/2027-01-15/09.jsonl"), "{\"a\":4}\n");
  EXPECT_EQ(text("/media/usb/berm/2027-01-16/00.jsonl"), "{\"a\":5}\n");
}

TEST_F(FileJournalTest, ThereIsNothingBesideTheFiles) {
  ASSERT_TRUE(journal.append("{}\n", kNow));
  ASSERT_TRUE(journal.append("{}\n", kNow + Seconds(3600)));
  EXPECT_EQ(disk.list("/media/usb").value(), std::vector<std::string>{"berm"});
  EXPECT_EQ(disk.list("/media/usb/berm").value(), std::vector<std::string>{"2027-01-15"});
  EXPECT_EQ(disk.list("/media/usb/berm/2027-01-15").value(),
            (std::vector<std::string>{"08.jsonl", "09.jsonl"}));
}

TEST_F(FileJournalTest, WhatWasAppendedSurvivesAPowerCut) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    hal::SimDisk cut({.capacity_bytes = 1u << 20, .creation_needs_directory_sync = true});
    cut.prepare_directory("/media/usb");
    cut.set_mount_point("/media/usb", true);
    FileJournal kept({.directory = "/media/usb/berm"}, cut);
    ASSERT_TRUE(kept.append("{\"a\":1}\n", kNow));
    ASSERT_TRUE(kept.append("{\"a\":2}\n", kNow));
    hal::SimRandom random(seed);
    cut.power_cut(random);
    cut.volume().power_on();
    EXPECT_EQ(cut.read(file, kMany).value_or("(none)"), "{\"a\":1}\n{\"a\":2}\n")
        << "seed " << seed;
  }
}

TEST_F(FileJournalTest, ATornLastLineIsCutOffBeforeTheNextIsWritten) {
  for (const std::string& torn :
       {std::string("{\"a\":2"), std::string("{"), std::string(3 * kTailChunk + 5, 'x')}) {
    disk.prepare_file(file, "{\"a\":1}\n" + torn);
    ASSERT_TRUE(journal.append("{\"a\":3}\n", kNow));
    EXPECT_EQ(text(file), "{\"a\":1}\n{\"a\":3}\n") << torn.size();
  }
}

TEST_F(FileJournalTest, WhatAPowerCutLeftOfAnAppendIsCutOffAlsoInAnEarlierFile) {
  const std::string whole = "{\"a\":1}\n";
  disk.prepare_file("/media/usb/berm/2027-01-15/07.jsonl",
                    whole + std::string(512, '\0') + "\"b\":2}\n{\"c\":3}\n");
  disk.prepare_file("/media/usb/berm/2027-01-14/23.jsonl", whole + "{\"d");
  disk.prepare_file(file, whole + whole + std::string(100, '\0'));
  ASSERT_TRUE(journal.append("{\"e\":5}\n", kNow));
  EXPECT_EQ(text("/media/usb/berm/2027-01-15/07.jsonl"), whole);
  EXPECT_EQ(text("/media/usb/berm/2027-01-14/23.jsonl"), whole);
  EXPECT_EQ(text(file), whole + whole + "{\"e\":5}\n");
}

TEST_F(FileJournalTest, AfterAnyPowerCutThereAreWholeLinesOnly) {
  const std::string line = "{\"text\":\"" + std::string(700, 'x') + "\"}\n";
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    hal::SimDisk cut({.capacity_bytes = 1u << 20});
    cut.prepare_directory("/media/usb/berm");
    cut.set_mount_point("/media/usb", true);
    hal::SimRandom random(seed);
    const std::uint64_t last = cut.volume().operations() + 8 + random.below(16);
    cut.volume().observe([&](std::uint64_t number, hal::DiskOperation, std::string_view) {
      if (number == last) cut.power_cut(random);
    });
    FileJournal before({.directory = "/media/usb/berm"}, cut);
    while (before.append(line + line + line, kNow)) {
    }
    cut.volume().power_on();
    FileJournal after({.directory = "/media/usb/berm"}, cut);
    ASSERT_TRUE(after.append("{}\n", kNow + Seconds(7200)));
    const std::string left = cut.read(file, kMany).value_or("");
    EXPECT_EQ(left.size() % line.size(), 0u) << "seed " << seed;
    EXPECT_EQ(left.find('\0'), std::string::npos) << "seed " << seed;
  }
}

// Whatever fails while what a power cut left is cut off: nothing delivered is written behind it.
TEST_F(FileJournalTest, ARepairThatFailsDelaysWhatComesNext) {
  const std::string line = "{\"text\":\"" + std::string(700, 'x') + "\"}\n";
  std::uint64_t met = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    hal::SimDisk cut({.capacity_bytes = 1u << 20});
    cut.prepare_directory("/media/usb/berm");
    cut.set_mount_point("/media/usb", true);
    hal::SimRandom random(seed);
    FileJournal before({.directory = "/media/usb/berm"}, cut);
    ASSERT_TRUE(before.append(line, kNow));
    bool is_cut = false;
    cut.volume().observe([&](std::uint64_t, hal::DiskOperation operation, std::string_view) {
      if (is_cut || operation != hal::DiskOperation::sync) return;
      is_cut = true;
      cut.power_cut(random);
    });
    ASSERT_FALSE(before.append(line + line + line + line, kNow));
    cut.volume().observe({});
    cut.volume().power_on();
    cut.volume().inject({.operation = hal::DiskOperation::truncate});
    cut.volume().inject({.operation = hal::DiskOperation::truncate});
    FileJournal after({.directory = "/media/usb/berm"}, cut);
    const std::string delivered = "{\"after\":" + std::to_string(seed) + "}\n";
    for (int tries = 0; !after.append(delivered, kNow); ++tries) ASSERT_LT(tries, 5);
    met += cut.volume().faults_met();
    cut.power_cut(random);
    cut.volume().power_on();
    cut.volume().clear_faults();
    FileJournal last({.directory = "/media/usb/berm"}, cut);
    ASSERT_TRUE(last.append("{}\n", kNow));
    const std::string left = cut.read(file, kMany).value_or("");
    EXPECT_TRUE(left.starts_with(line)) << "seed " << seed;
    EXPECT_TRUE(left.ends_with(delivered + "{}\n")) << "seed " << seed;
  }
  EXPECT_GT(met, 40u) << "hardly anything had to be cut off";
}

// The kernel forgets after a failed sync what it did not write.
TEST_F(FileJournalTest, WhatAFailedSyncLeftUnwrittenIsWrittenAnew) {
  const std::string line = "{\"text\":\"" + std::string(700, 'x') + "\"}\n";
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    hal::SimDisk cut({.capacity_bytes = 1u << 20});
    cut.prepare_directory("/media/usb/berm");
    cut.set_mount_point("/media/usb", true);
    FileJournal before({.directory = "/media/usb/berm"}, cut);
    ASSERT_TRUE(before.append(line, kNow));
    cut.volume().inject({.operation = hal::DiskOperation::sync, .path_contains = ".jsonl"});
    ASSERT_FALSE(before.append(line + line, kNow));
    ASSERT_TRUE(before.append(line + line, kNow));
    ASSERT_TRUE(before.append(line, kNow));
    hal::SimRandom random(seed);
    cut.power_cut(random);
    cut.volume().power_on();
    EXPECT_EQ(cut.read(file, kMany).value_or(""), line + line + line + line) << "seed " << seed;
  }
}

TEST_F(FileJournalTest, AFileOfNothingButATornLineBeginsAnew) {
  for (const std::size_t size : {std::size_t{1}, kTailChunk - 1, kTailChunk, kTailChunk + 1}) {
    disk.prepare_file(file, std::string(size, 'x'));
    ASSERT_TRUE(journal.append("{\"a\":3}\n", kNow));
    EXPECT_EQ(text(file), "{\"a\":3}\n") << size;
  }
}

TEST_F(FileJournalTest, AnEmptyFileIsFine) {
  disk.prepare_file(file, "");
  ASSERT_TRUE(journal.append("{}\n", kNow));
  EXPECT_EQ(text(file), "{}\n");
}

TEST_F(FileJournalTest, AFullStickFailsAndLeavesNoTornLineForLong) {
  disk.volume().inject({.operation = hal::DiskOperation::write,
                        .kind = hal::DiskFaultKind::no_space,
                        .let_pass = 1});
  ASSERT_TRUE(journal.append("{\"a\":1}\n", kNow));
  EXPECT_FALSE(journal.append("{\"a\":2}\n", kNow));
  disk.volume().clear_faults();
  ASSERT_TRUE(journal.append("{\"a\":2}\n", kNow));
  EXPECT_EQ(text(file), "{\"a\":1}\n{\"a\":2}\n");
}

TEST_F(FileJournalTest, AFailedSyncIsNoDelivery) {
  disk.volume().inject({.operation = hal::DiskOperation::sync, .path_contains = "jsonl"});
  EXPECT_FALSE(journal.append("{\"a\":1}\n", kNow));
  EXPECT_TRUE(journal.append("{\"a\":1}\n", kNow));
}

TEST_F(FileJournalTest, AFailedSyncOfANameIsNoDelivery) {
  disk.volume().inject({.operation = hal::DiskOperation::sync_directory});
  EXPECT_FALSE(journal.append("{\"a\":1}\n", kNow));
  EXPECT_TRUE(journal.append("{\"a\":1}\n", kNow));
}

TEST_F(FileJournalTest, NothingMountedIsRefusedAndNothingWritten) {
  disk.set_mount_point("/media/usb", false);
  const auto refused = journal.append("{}\n", kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_EQ(refused.error().text,
            "nothing is mounted at /media/usb/berm (is the stick plugged in?)");
  EXPECT_FALSE(disk.exists("/media/usb/berm"));
}

TEST_F(FileJournalTest, AStickPulledOutBetweenTwoBatchesIsNoticed) {
  ASSERT_TRUE(journal.append("{\"a\":1}\n", kNow));
  disk.set_mount_point("/media/usb", false);
  EXPECT_FALSE(journal.append("{\"a\":2}\n", kNow));
  disk.set_mount_point("/media/usb", true);
  EXPECT_TRUE(journal.append("{\"a\":2}\n", kNow));
}

TEST_F(FileJournalTest, TheMountPointItselfMayBeTheDirectory) {
  FileJournal direct({.directory = "/media/usb"}, disk);
  EXPECT_TRUE(direct.append("{}\n", kNow));
}

TEST_F(FileJournalTest, MemoryAndReadOnlyFileSystemsDoNotCountAsAStick) {
  for (const auto kind : {hal::FileSystemKind::memory, hal::FileSystemKind::overlay,
                          hal::FileSystemKind::read_only}) {
    disk.set_kind(kind);
    EXPECT_FALSE(journal.append("{}\n", kNow));
  }
  disk.set_kind(hal::FileSystemKind::durable);
  EXPECT_TRUE(journal.append("{}\n", kNow));
}

TEST_F(FileJournalTest, WithoutRequireMountAnyDirectoryWillDo) {
  disk.prepare_directory("/srv");
  FileJournal anywhere({.directory = "/srv/berm", .require_mount = false}, disk);
  ASSERT_TRUE(anywhere.append("{}\n", kNow));
  EXPECT_EQ(text("/srv/berm/2027-01-15/08.jsonl"), "{}\n");
}

TEST_F(FileJournalTest, TheDirectoryIsMadeOnlyIfItsParentExists) {
  FileJournal nowhere({.directory = "/no/such/parent", .require_mount = false}, disk);
  EXPECT_FALSE(nowhere.append("{}\n", kNow));
}

// Power cuts at every operation of a short run: what was said to be delivered is there, and every
// line is whole after the next append.
TEST_F(FileJournalTest, APowerCutAtAnyOperationLosesNothingThatWasDelivered) {
  for (std::uint64_t cut_at = 1; cut_at < 60; ++cut_at) {
    hal::SimDisk cut({.capacity_bytes = 1u << 20, .creation_needs_directory_sync = true});
    cut.prepare_directory("/media/usb");
    cut.set_mount_point("/media/usb", true);
    hal::SimRandom random(cut_at);
    cut.volume().observe([&](std::uint64_t number, hal::DiskOperation, std::string_view) {
      if (number == cut_at) cut.volume().power_cut(random);
    });
    std::string delivered;
    FileJournal before({.directory = "/media/usb/berm"}, cut);
    for (int i = 0; i < 8; ++i) {
      const std::string line = "{\"a\":" + std::to_string(i) + std::string(700, ' ') + "}\n";
      if (!before.append(line, kNow)) break;
      delivered += line;
    }
    cut.volume().observe({});
    cut.volume().power_on();
    FileJournal after({.directory = "/media/usb/berm"}, cut);
    ASSERT_TRUE(after.append("{}\n", kNow)) << "cut at " << cut_at;
    const std::string there = cut.read(file, kMany).value();
    EXPECT_EQ(there.substr(0, delivered.size()), delivered) << "cut at " << cut_at;
    EXPECT_EQ(there.substr(there.size() - 3), "{}\n");
    EXPECT_TRUE(there.size() == 3 || there[there.size() - 4] == '\n');
  }
}

}  // namespace
}  // namespace berm::uplink
