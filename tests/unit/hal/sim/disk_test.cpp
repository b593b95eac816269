// SPDX-License-Identifier: Apache-2.0
// What SimDisk does beyond the contract of hal/disk.hpp: power cuts, faults, limits.
#include "hal/sim/disk.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "hal/sim/random.hpp"

namespace berm::hal {
namespace {

constexpr std::size_t kMax = 1u << 20;

class SimDiskTest : public testing::Test {
 protected:
  SimDiskTest() { disk_.prepare_directory("/d"); }
  std::unique_ptr<File> open(const std::string& path) { return disk_.open_append(path).value(); }
  void cut() {
    disk_.power_cut(random_);
    disk_.volume().power_on();
  }
  SimDisk disk_;
  SimRandom random_{11};
};

// Over many cuts: which states are seen after `act`.
template <class Act, class See>
std::set<std::string> states_after(Act act, See see) {
  std::set<std::string> states;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimDisk disk;
    SimRandom random(seed);
    disk.prepare_directory("/d");
    disk.prepare_file("/d/old", "old");
    act(disk);
    disk.power_cut(random);
    disk.volume().power_on();
    states.insert(see(disk));
  }
  return states;
}

std::string see_old(const SimDisk& disk) {
  return disk.read("/d/old", kMax).value_or("gone");
}
std::string see_new(const SimDisk& disk) {
  return disk.read("/d/new", kMax).value_or("gone");
}

using States = std::set<std::string>;

TEST(SimDiskPowerCut, WhatWasSyncedStaysAndWhatWasNotMayGo) {
  const auto states = states_after(
      [](SimDisk& disk) {
        auto file = disk.open_append("/d/old").value();
        ASSERT_TRUE(file->append(" synced"));
        ASSERT_TRUE(file->sync());
        ASSERT_TRUE(file->append(" not"));
      },
      see_old);
  EXPECT_EQ(states, (States{"old synced", "old synced not"}));
}

TEST(SimDiskPowerCut, SectorsSurviveEachForItself) {
  const std::string sector(kSimSectorBytes, 'x');
  const std::string hole(kSimSectorBytes, '\0');
  const auto states = states_after(
      [&](SimDisk& disk) {
        auto file = disk.open_append("/d/new").value();
        ASSERT_TRUE(file->sync());
        ASSERT_TRUE(file->append(sector + sector));
      },
      see_new);
  EXPECT_EQ(states, (States{"", sector, sector + sector, hole + sector}));
}

TEST(SimDiskPowerCut, ANewFileIsThereForSureAfterItsSync) {
  const auto made = [](SimDisk& disk, bool sync) {
    auto file = disk.open_append("/d/new").value();
    ASSERT_TRUE(file->append("x"));
    if (sync) {
      ASSERT_TRUE(file->sync());
    }
  };
  EXPECT_EQ(states_after([&](SimDisk& disk) { made(disk, false); }, see_new),
            (States{"gone", "", "x"}));
  EXPECT_EQ(states_after([&](SimDisk& disk) { made(disk, true); }, see_new), States{"x"});
}

TEST(SimDiskPowerCut, AsAnOptionANewNameNeedsTheSyncOfItsDirectory) {
  States states;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SimDisk disk({.creation_needs_directory_sync = true});
    SimRandom random(seed);
    auto file = disk.open_append("/new").value();
    ASSERT_TRUE(file->sync());
    disk.power_cut(random);
    disk.volume().power_on();
    states.insert(disk.exists("/new") ? "there" : "gone");
  }
  EXPECT_EQ(states, (States{"there", "gone"}));
}

TEST(SimDiskPowerCut, ARenameIsNeverHalfDoneAndDurableAfterTheDirectorysSync) {
  const auto renamed = [](SimDisk& disk, bool sync) {
    auto file = disk.open_append("/d/new").value();
    ASSERT_TRUE(file->append("new"));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(disk.rename("/d/new", "/d/old"));
    if (sync) {
      ASSERT_TRUE(disk.sync_directory("/d"));
    }
  };
  const auto see = [](SimDisk& disk) { return see_old(disk) + "," + see_new(disk); };
  EXPECT_EQ(states_after([&](SimDisk& disk) { renamed(disk, false); }, see),
            (States{"old,new", "new,gone"}));
  EXPECT_EQ(states_after([&](SimDisk& disk) { renamed(disk, true); }, see), States{"new,gone"});
}

TEST(SimDiskPowerCut, AnUnlinkIsDurableAfterTheDirectorysSync) {
  const auto removed = [](SimDisk& disk, bool sync) {
    ASSERT_TRUE(disk.remove("/d/old"));
    if (sync) {
      ASSERT_TRUE(disk.sync_directory("/d"));
    }
  };
  EXPECT_EQ(states_after([&](SimDisk& disk) { removed(disk, false); }, see_old),
            (States{"old", "gone"}));
  EXPECT_EQ(states_after([&](SimDisk& disk) { removed(disk, true); }, see_old), States{"gone"});
}

TEST(SimDiskPowerCut, AFileMadeInPlaceOfARemovedOneIsNotRemovedByIt) {
  const auto states = states_after(
      [](SimDisk& disk) {
        ASSERT_TRUE(disk.remove("/d/old"));
        auto file = disk.open_append("/d/old").value();
        ASSERT_TRUE(file->append("again"));
        ASSERT_TRUE(file->sync());
      },
      see_old);
  EXPECT_EQ(states, States{"again"});
}

TEST(SimDiskPowerCut, WriteWholeIsAllOrNothingAtEveryOperation) {
  States states;
  for (std::uint64_t cut_at = 1; cut_at < 12; ++cut_at) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
      SimDisk disk;
      SimRandom random(seed);
      disk.prepare_file("/d/old", "old");
      const std::uint64_t before = disk.volume().operations();
      disk.volume().observe([&](std::uint64_t number, DiskOperation, std::string_view) {
        if (number == before + cut_at) disk.power_cut(random);
      });
      const bool is_done = disk.write_whole("/d/old", std::string(2000, 'n')).has_value();
      disk.volume().observe(nullptr);
      if (is_done) disk.power_cut(random);
      disk.volume().power_on();
      const std::string left = see_old(disk);
      if (is_done) {
        EXPECT_EQ(left, std::string(2000, 'n'));
      }
      states.insert(left);
    }
  }
  EXPECT_EQ(states, (States{"old", std::string(2000, 'n')}));
}

TEST(SimDiskPowerCut, ATruncatedFileIsLongOrShortUntilItsSync) {
  const auto states = states_after(
      [](SimDisk& disk) {
        auto file = disk.open_append("/d/old").value();
        ASSERT_TRUE(file->truncate(1));
      },
      see_old);
  EXPECT_EQ(states, (States{"o", "old"}));
}

TEST_F(SimDiskTest, EverythingFailsWhileThePowerIsOffAndOldHandlesForEver) {
  auto file = open("/d/a");
  disk_.power_cut(random_);
  EXPECT_FALSE(file->append("x"));
  EXPECT_EQ(disk_.open_append("/d/b").error().code, ErrorCode::io);
  EXPECT_FALSE(disk_.exists("/d"));
  disk_.volume().power_on();
  EXPECT_FALSE(file->append("x"));
  EXPECT_TRUE(disk_.exists("/d"));
  EXPECT_TRUE(disk_.open_append("/d/b"));
}

TEST_F(SimDiskTest, APowerCutFreesLocks) {
  const auto lock = disk_.lock("/d/lock");
  ASSERT_TRUE(lock);
  cut();
  EXPECT_TRUE(disk_.lock("/d/lock"));
}

TEST_F(SimDiskTest, AFaultHitsTheAskedOperationOnceOrForEver) {
  auto file = open("/d/a");
  disk_.volume().inject({.operation = DiskOperation::write, .let_pass = 1});
  EXPECT_TRUE(file->append("1"));
  EXPECT_EQ(file->append("2").error().system_error, EIO);
  EXPECT_TRUE(file->append("3"));
  disk_.volume().inject({.operation = DiskOperation::sync,
                         .kind = DiskFaultKind::no_space,
                         .is_lasting = true,
                         .path_contains = "/a"});
  EXPECT_EQ(file->sync().error().code, ErrorCode::full);
  EXPECT_EQ(file->sync().error().code, ErrorCode::full);
  EXPECT_TRUE(open("/d/b")->sync());
  disk_.volume().clear_faults();
  EXPECT_TRUE(file->sync());
  EXPECT_EQ(disk_.read("/d/a", kMax).value(), "13");
}

TEST_F(SimDiskTest, AnInterruptedWriteIsCompleted) {
  auto file = open("/d/a");
  disk_.volume().inject({.operation = DiskOperation::write, .kind = DiskFaultKind::short_write});
  EXPECT_TRUE(file->append("whole"));
  EXPECT_EQ(disk_.read("/d/a", kMax).value(), "whole");
}

TEST_F(SimDiskTest, WhatAFailedSyncLeftIsNotBroughtToTheMediumByTheNextOne) {
  auto file = open("/d/a");
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->append("x"));
  disk_.volume().inject({.operation = DiskOperation::sync});
  EXPECT_FALSE(file->sync());
  EXPECT_TRUE(file->sync());
  EXPECT_EQ(disk_.read("/d/a", kMax).value(), "x");
  cut();
  EXPECT_EQ(disk_.read("/d/a", kMax).value(), std::string(1, '\0'));
}

TEST_F(SimDiskTest, WhatAFailedSyncLeftIsBroughtToTheMediumByRenewing) {
  auto file = open("/d/a");
  ASSERT_TRUE(file->append("whole"));
  disk_.volume().inject({.operation = DiskOperation::sync});
  EXPECT_FALSE(file->sync());
  EXPECT_TRUE(disk_.renew("/d/a"));
  cut();
  EXPECT_EQ(disk_.read("/d/a", kMax).value(), "whole");
}

TEST_F(SimDiskTest, AFullDiskTakesWhatFitsAndSaysSo) {
  disk_.volume().set_capacity(disk_.volume().used() + 10);
  auto file = open("/d/a");
  EXPECT_TRUE(file->append("0123456789"));
  EXPECT_EQ(file->append("x").error().code, ErrorCode::full);
  EXPECT_EQ(disk_.space("/d").value().free_bytes, 0u);
  EXPECT_TRUE(file->truncate(5));
  EXPECT_TRUE(file->append("abcde"));
}

TEST_F(SimDiskTest, AReadOnlyDiskRefusesEveryChange) {
  disk_.prepare_file("/d/a", "x");
  disk_.volume().set_read_only(true);
  EXPECT_EQ(disk_.kind("/d"), FileSystemKind::read_only);
  EXPECT_EQ(disk_.open_append("/d/a").error().system_error, EROFS);
  EXPECT_EQ(disk_.remove("/d/a").error().system_error, EROFS);
  EXPECT_EQ(disk_.make_directory("/d/sub").error().system_error, EROFS);
  EXPECT_EQ(disk_.write_whole("/d/a", "y").error().system_error, EROFS);
  EXPECT_EQ(disk_.read("/d/a", kMax).value(), "x");
}

TEST_F(SimDiskTest, OperationsAreCountedAndSyncedBytesAreWholeSectors) {
  auto file = open("/d/a");
  ASSERT_TRUE(file->append("x"));
  const std::uint64_t syncs = disk_.volume().operations(DiskOperation::sync);
  const std::uint64_t bytes = disk_.volume().synced_bytes();
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(disk_.volume().operations(DiskOperation::sync), syncs + 2);
  EXPECT_EQ(disk_.volume().synced_bytes(), bytes + kSimSectorBytes);
}

TEST_F(SimDiskTest, ACloneGoesItsOwnWayWithTheSameIdentityAndForgetsTheSame) {
  auto file = open("/d/a");
  ASSERT_TRUE(file->append("x"));
  const auto copy = disk_.clone();
  EXPECT_EQ(copy->identity("/d").value(), disk_.identity("/d").value());
  ASSERT_TRUE(file->append("y"));
  EXPECT_EQ(copy->read("/d/a", kMax).value(), "x");
  EXPECT_NE(copy->sqlite_vfs(), disk_.sqlite_vfs());
}

TEST_F(SimDiskTest, ARestoreBringsBackTheEarlierStateWithAnotherIdentityIfAsked) {
  disk_.prepare_file("/d/a", "early");
  const auto earlier = disk_.clone();
  const std::uint64_t identity = disk_.identity("/d").value();
  ASSERT_TRUE(disk_.write_whole("/d/a", "late"));
  auto file = open("/d/b");
  disk_.restore(*earlier, false);
  EXPECT_EQ(disk_.read("/d/a", kMax).value(), "early");
  EXPECT_EQ(disk_.identity("/d").value(), identity);
  EXPECT_FALSE(file->append("x"));
  disk_.restore(*earlier, true);
  EXPECT_EQ(disk_.read("/d/a", kMax).value(), "early");
  EXPECT_NE(disk_.identity("/d").value(), identity);
}

TEST_F(SimDiskTest, MountPointsAndKindAreWhatTheTestSays) {
  EXPECT_FALSE(disk_.is_mount_point("/d"));
  disk_.set_mount_point("/d", true);
  EXPECT_TRUE(disk_.is_mount_point("/d"));
  disk_.set_mount_point("/d", false);
  EXPECT_FALSE(disk_.is_mount_point("/d"));
  disk_.set_kind(FileSystemKind::memory);
  EXPECT_EQ(disk_.kind("/d"), FileSystemKind::memory);
}

}  // namespace
}  // namespace berm::hal
