// SPDX-License-Identifier: Apache-2.0
// What SystemDisk has beyond the contract: modes, locks of other processes, kinds of file systems.
#include "hal/linux/disk.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/unit/hal/linux/scratch_directory.hpp"

namespace berm::hal {
namespace {

mode_t mode_of(const std::string& path) {
  struct stat found{};
  EXPECT_EQ(::stat(path.c_str(), &found), 0);
  return found.st_mode & 0777;
}

TEST(SystemDisk, FilesAreNotForOthersAndDirectoriesNeither) {
  const ScratchDirectory scratch;
  SystemDisk disk;
  const mode_t before = ::umask(0);
  ASSERT_TRUE(disk.write_whole(scratch / "whole", "x"));
  ASSERT_TRUE(disk.open_append(scratch / "appended"));
  ASSERT_TRUE(disk.make_directory(scratch / "d"));
  ::umask(before);
  EXPECT_EQ(mode_of(scratch / "whole"), 0640u);
  EXPECT_EQ(mode_of(scratch / "appended"), 0640u);
  EXPECT_EQ(mode_of(scratch / "d"), 0750u);
}

TEST(SystemDisk, WhatIsWrittenToADeviceIsCountedWhereItHasOne) {
  const ScratchDirectory scratch;
  SystemDisk disk;
  const auto before = disk.device_written(scratch / ".");
  if (!before) {
    EXPECT_EQ(before.error().code, ErrorCode::unsupported);
    GTEST_SKIP() << before.error().text;
  }
  const auto file = disk.open_append(scratch / "much");
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->append(std::string(1 << 20, 'x')));
  ASSERT_TRUE((*file)->sync());
  const auto after = disk.device_written(scratch / ".");
  ASSERT_TRUE(after);
  EXPECT_GE(*after, *before);
}

TEST(SystemDisk, ALeftOverTemporaryFileIsInNobodysWay) {
  const ScratchDirectory scratch;
  SystemDisk disk;
  ASSERT_TRUE(disk.write_whole(scratch / "a.new", "torn, and longer than what comes"));
  ASSERT_TRUE(disk.write_whole(scratch / "a", "whole"));
  EXPECT_EQ(disk.read(scratch / "a", 100).value(), "whole");
  EXPECT_FALSE(disk.exists(scratch / "a.new"));
}

TEST(SystemDisk, AFailedWriteLeavesTheOldContentAndNoTemporaryFile) {
  const ScratchDirectory scratch;
  SystemDisk disk;
  ASSERT_TRUE(disk.make_directory(scratch / "taken"));
  ASSERT_TRUE(disk.write_whole(scratch / "taken/inside", "x"));
  EXPECT_FALSE(disk.write_whole(scratch / "taken", "cannot replace a directory"));
  EXPECT_EQ(disk.list(scratch.path()).value(), std::vector<std::string>{"taken"});
}

TEST(SystemDisk, AFullDeviceIsFull) {
  SystemDisk disk;
  auto file = disk.open_append("/dev/full");
  if (!file) GTEST_SKIP() << "/dev/full cannot be opened: " << file.error().text;
  const auto written = (*file)->append("x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::full);
}

TEST(SystemDisk, ALockOfAnotherProcessIsSeenAndNamedAndEndsWithIt) {
  const ScratchDirectory scratch;
  const std::string path = scratch / "lock";
  int ready[2];
  int end[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(end), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    SystemDisk disk;
    const auto lock = disk.lock(path);
    char byte = lock ? '1' : '0';
    [[maybe_unused]] const auto told = ::write(ready[1], &byte, 1);
    [[maybe_unused]] const auto ended = ::read(end[0], &byte, 1);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, '1');
  SystemDisk disk;
  const auto refused = disk.lock(path);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::exists);
  EXPECT_NE(refused.error().text.find("process " + std::to_string(child)), std::string::npos)
      << refused.error().text;
  ASSERT_EQ(::write(end[1], &byte, 1), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(disk.lock(path));
  for (const int fd : {ready[0], ready[1], end[0], end[1]}) ::close(fd);
}

TEST(SystemDisk, ALockFileSaysWhoHoldsIt) {
  const ScratchDirectory scratch;
  SystemDisk disk;
  ASSERT_TRUE(disk.write_whole(scratch / "lock", "1234567 and the rest of an older one"));
  const auto lock = disk.lock(scratch / "lock");
  ASSERT_TRUE(lock);
  EXPECT_EQ(disk.read(scratch / "lock", 100).value(), std::to_string(::getpid()) + "\n");
}

// The root is none in a changed root.
TEST(SystemDisk, AMountedFileSystemIsAMountPoint) {
  const SystemDisk disk;
  EXPECT_TRUE(disk.is_mount_point("/proc"));
  EXPECT_TRUE(disk.is_mount_point("/proc/"));
  EXPECT_FALSE(disk.is_mount_point("/proc/self/fd"));
  EXPECT_FALSE(disk.is_mount_point("/etc/passwd"));
}

TEST(SystemDisk, AFileSystemInMemoryIsCalledThat) {
  const SystemDisk disk;
  if (!disk.is_mount_point("/dev/shm")) GTEST_SKIP() << "/dev/shm is no mounted tmpfs here";
  EXPECT_EQ(disk.kind("/dev/shm"), FileSystemKind::memory);
  EXPECT_EQ(disk.kind("/dev/shm/not/there"), FileSystemKind::memory);
}

TEST(SystemDisk, ADirectoryMadeAnewHasAnotherIdentity) {
  const ScratchDirectory scratch;
  SystemDisk disk;
  ASSERT_TRUE(disk.make_directory(scratch / "state"));
  const std::uint64_t before = disk.identity(scratch / "state").value();
  ASSERT_EQ(::rename((scratch / "state").c_str(), (scratch / "old").c_str()), 0);
  ASSERT_TRUE(disk.make_directory(scratch / "state"));
  EXPECT_NE(disk.identity(scratch / "state").value(), before);
  EXPECT_EQ(disk.identity(scratch / "old").value(), before);
}

TEST(SystemDisk, ADescriptorIsNotInheritedByPrograms) {
  const ScratchDirectory scratch;
  SystemDisk disk;
  const auto lock = disk.lock(scratch / "lock");
  ASSERT_TRUE(lock);
  int inherited = 0;
  for (int fd = 0; fd < 64; ++fd) {
    std::error_code error;
    const auto target = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
    if (target == scratch / "lock" && (::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) ++inherited;
  }
  EXPECT_EQ(inherited, 0);
}

TEST(SystemDisk, SqliteUsesItsOwnDefault) {
  EXPECT_EQ(SystemDisk().sqlite_vfs(), "");
}

}  // namespace
}  // namespace berm::hal
