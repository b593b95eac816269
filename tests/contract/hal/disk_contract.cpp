// SPDX-License-Identifier: Apache-2.0
// The contract of hal/disk.hpp (what holds without a power cut; those are in tests/fault).
#include <string>
#include <vector>

#include "tests/contract/hal/backend.hpp"

namespace berm::hal::contract {

using Names = std::vector<std::string>;

namespace {
constexpr std::size_t kMax = 1u << 20;
}

TEST_P(DiskContract, WhatIsAppendedIsReadBack) {
  auto file = backend_->disk().open_append(path("a"));
  ASSERT_TRUE(file);
  EXPECT_TRUE((*file)->append("one "));
  EXPECT_TRUE((*file)->append(""));
  EXPECT_TRUE((*file)->append("two"));
  EXPECT_TRUE((*file)->sync());
  EXPECT_EQ((*file)->size().value(), 7u);
  EXPECT_EQ(backend_->disk().read(path("a"), kMax).value(), "one two");
}

TEST_P(DiskContract, OpeningAgainAppendsAtTheEnd) {
  {
    auto file = backend_->disk().open_append(path("a"));
    ASSERT_TRUE(file);
    EXPECT_TRUE((*file)->append("first"));
  }
  auto file = backend_->disk().open_append(path("a"));
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->size().value(), 5u);
  EXPECT_TRUE((*file)->append(", second"));
  EXPECT_EQ(backend_->disk().read(path("a"), kMax).value(), "first, second");
}

TEST_P(DiskContract, BytesOfAnyValueAndManyOfThemAreKept) {
  std::string bytes;
  for (int i = 0; i < 300000; ++i) bytes.push_back(static_cast<char>(i * 7 + i / 256));
  auto file = backend_->disk().open_append(path("big"));
  ASSERT_TRUE(file);
  EXPECT_TRUE((*file)->append(bytes));
  EXPECT_EQ(backend_->disk().read(path("big"), kMax).value(), bytes);
}

TEST_P(DiskContract, TruncateCutsTheEndAndTheNextAppendFollowsIt) {
  auto file = backend_->disk().open_append(path("a"));
  ASSERT_TRUE(file);
  EXPECT_TRUE((*file)->append("line\ntorn"));
  EXPECT_TRUE((*file)->truncate(5));
  EXPECT_EQ((*file)->size().value(), 5u);
  EXPECT_TRUE((*file)->append("next\n"));
  EXPECT_EQ(backend_->disk().read(path("a"), kMax).value(), "line\nnext\n");
}

TEST_P(DiskContract, ReadTakesAFileOfItsLimitAndRefusesOneByteMore) {
  ASSERT_TRUE(backend_->disk().write_whole(path("a"), "12345"));
  EXPECT_EQ(backend_->disk().read(path("a"), 5).value(), "12345");
  const auto refused = backend_->disk().read(path("a"), 4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::full);
}

TEST_P(DiskContract, WhatIsNotThereIsNotFound) {
  Disk& disk = backend_->disk();
  EXPECT_EQ(disk.read(path("no"), kMax).error().code, ErrorCode::not_found);
  EXPECT_EQ(disk.remove(path("no")).error().code, ErrorCode::not_found);
  EXPECT_EQ(disk.rename(path("no"), path("a")).error().code, ErrorCode::not_found);
  EXPECT_EQ(disk.list(path("no")).error().code, ErrorCode::not_found);
  EXPECT_EQ(disk.sync_directory(path("no")).error().code, ErrorCode::not_found);
  EXPECT_EQ(disk.identity(path("no")).error().code, ErrorCode::not_found);
  EXPECT_EQ(disk.space(path("no")).error().code, ErrorCode::not_found);
  EXPECT_EQ(disk.open_append(path("no/a")).error().code, ErrorCode::not_found);
  EXPECT_EQ(disk.write_whole(path("no/a"), "x").error().code, ErrorCode::not_found);
  EXPECT_EQ(disk.make_directory(path("no/a")).error().code, ErrorCode::not_found);
  EXPECT_EQ(disk.lock(path("no/a")).error().code, ErrorCode::not_found);
  EXPECT_FALSE(disk.exists(path("no")));
  EXPECT_FALSE(disk.is_mount_point(path("no")));
}

TEST_P(DiskContract, WriteWholeMakesAndReplacesAndLeavesNothingElse) {
  Disk& disk = backend_->disk();
  ASSERT_TRUE(disk.write_whole(path("a"), "old, and longer"));
  ASSERT_TRUE(disk.write_whole(path("a"), "new"));
  EXPECT_EQ(disk.read(path("a"), kMax).value(), "new");
  ASSERT_TRUE(disk.write_whole(path("empty"), ""));
  EXPECT_EQ(disk.read(path("empty"), kMax).value(), "");
  EXPECT_EQ(disk.list(backend_->directory()).value(), (Names{"a", "empty"}));
}

TEST_P(DiskContract, RenewChangesNothing) {
  std::string bytes;
  for (int i = 0; i < 200000; ++i) bytes.push_back(static_cast<char>(i * 7 + i / 256));
  for (const std::string& whole : {std::string(), std::string("a line\n"), bytes}) {
    ASSERT_TRUE(backend_->disk().write_whole(path("a"), whole));
    EXPECT_TRUE(backend_->disk().renew(path("a")));
    EXPECT_EQ(backend_->disk().read(path("a"), kMax).value(), whole);
  }
  EXPECT_EQ(backend_->disk().renew(path("no")).error().code, ErrorCode::not_found);
  EXPECT_FALSE(backend_->disk().exists(path("no")));
}

TEST_P(DiskContract, RenameReplacesItsTarget) {
  Disk& disk = backend_->disk();
  ASSERT_TRUE(disk.write_whole(path("from"), "new"));
  ASSERT_TRUE(disk.write_whole(path("to"), "old"));
  EXPECT_TRUE(disk.rename(path("from"), path("to")));
  EXPECT_FALSE(disk.exists(path("from")));
  EXPECT_EQ(disk.read(path("to"), kMax).value(), "new");
}

TEST_P(DiskContract, RemovedIsGone) {
  Disk& disk = backend_->disk();
  ASSERT_TRUE(disk.write_whole(path("a"), "x"));
  EXPECT_TRUE(disk.exists(path("a")));
  EXPECT_TRUE(disk.remove(path("a")));
  EXPECT_FALSE(disk.exists(path("a")));
  EXPECT_TRUE(disk.list(backend_->directory()).value().empty());
}

TEST_P(DiskContract, DirectoriesAreMadeOnceOrTwiceAndListedInOrder) {
  Disk& disk = backend_->disk();
  EXPECT_TRUE(disk.make_directory(path("d")));
  EXPECT_TRUE(disk.make_directory(path("d")));
  EXPECT_TRUE(disk.exists(path("d")));
  ASSERT_TRUE(disk.write_whole(path("d/z"), "1"));
  ASSERT_TRUE(disk.write_whole(path("d/a"), "2"));
  EXPECT_TRUE(disk.make_directory(path("d/m")));
  EXPECT_TRUE(disk.sync_directory(path("d")));
  EXPECT_EQ(disk.list(path("d")).value(), (Names{"a", "m", "z"}));
  EXPECT_EQ(disk.list(backend_->directory()).value(), Names{"d"});
}

TEST_P(DiskContract, AFileIsNoDirectory) {
  Disk& disk = backend_->disk();
  ASSERT_TRUE(disk.write_whole(path("a"), "x"));
  EXPECT_EQ(disk.make_directory(path("a")).error().code, ErrorCode::exists);
  EXPECT_FALSE(disk.list(path("a")));
  EXPECT_EQ(disk.read(path("a"), kMax).value(), "x");
}

TEST_P(DiskContract, ALockIsHeldByOneUntilItDies) {
  Disk& disk = backend_->disk();
  auto first = disk.lock(path("lock"));
  ASSERT_TRUE(first);
  const auto second = disk.lock(path("lock"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::exists);
  EXPECT_TRUE(disk.lock(path("other")));
  first->reset();
  EXPECT_TRUE(disk.lock(path("lock")));
}

TEST_P(DiskContract, IdentityIsTheSameForOneDirectoryAndDiffersForAnother) {
  Disk& disk = backend_->disk();
  ASSERT_TRUE(disk.make_directory(path("a")));
  ASSERT_TRUE(disk.make_directory(path("b")));
  EXPECT_EQ(disk.identity(path("a")).value(), disk.identity(path("a")).value());
  EXPECT_NE(disk.identity(path("a")).value(), disk.identity(path("b")).value());
  const std::uint64_t before = disk.identity(path("a")).value();
  ASSERT_TRUE(disk.write_whole(path("a/file"), "x"));
  EXPECT_EQ(disk.identity(path("a")).value(), before);
}

TEST_P(DiskContract, SpaceIsSomeAndFreeIsNotMoreThanTotal) {
  const auto space = backend_->disk().space(backend_->directory());
  ASSERT_TRUE(space);
  EXPECT_GT(space->total_bytes, 0u);
  EXPECT_LE(space->free_bytes, space->total_bytes);
}

TEST_P(DiskContract, TheKindOfAMissingPathIsThatOfItsNearestParent) {
  Disk& disk = backend_->disk();
  EXPECT_EQ(disk.kind(path("no/such/thing")), disk.kind(backend_->directory()));
}

TEST_P(DiskContract, AnOrdinaryDirectoryIsNoMountPoint) {
  ASSERT_TRUE(backend_->disk().make_directory(path("d")));
  EXPECT_FALSE(backend_->disk().is_mount_point(path("d")));
}

}  // namespace berm::hal::contract
