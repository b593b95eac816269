// SPDX-License-Identifier: Apache-2.0
#include "hal/base/unique_fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace berm {
namespace {

int some_fd() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}
bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) != -1;
}

TEST(UniqueFd, ClosesAtTheEndOfItsLife) {
  const int fd = some_fd();
  {
    const UniqueFd owner(fd);
    EXPECT_TRUE(owner.is_open());
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFd, MoveLeavesTheSourceEmpty) {
  UniqueFd first(some_fd());
  const int fd = first.get();
  UniqueFd second(std::move(first));
  EXPECT_FALSE(first.is_open());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(second.get(), fd);
}

TEST(UniqueFd, MoveAssignmentClosesTheOldOne) {
  UniqueFd first(some_fd());
  UniqueFd second(some_fd());
  const int old = second.get();
  const int kept = first.get();
  second = std::move(first);
  EXPECT_FALSE(is_open(old));
  EXPECT_EQ(second.get(), kept);
}

TEST(UniqueFd, MoveOntoItselfKeepsTheDescriptor) {
  UniqueFd owner(some_fd());
  UniqueFd& same = owner;
  owner = std::move(same);
  EXPECT_TRUE(is_open(owner.get()));
}

TEST(UniqueFd, ReleaseHandsOverWithoutClosing) {
  UniqueFd owner(some_fd());
  const int fd = owner.release();
  EXPECT_FALSE(owner.is_open());
  EXPECT_TRUE(is_open(fd));
  ::close(fd);
}

TEST(UniqueFd, DescriptorZeroIsOpenAndMinusOneIsNot) {
  UniqueFd none;
  EXPECT_FALSE(none.is_open());
  UniqueFd zero(0);
  EXPECT_TRUE(zero.is_open());
  EXPECT_EQ(zero.release(), 0);
}

}  // namespace
}  // namespace berm
