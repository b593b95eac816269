// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/start_pages.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <memory>
#include <numeric>

namespace berm::hal {
namespace {

struct Spoken {
  virtual ~Spoken() = default;
  virtual int word() const = 0;
};
struct One : Spoken {
  int word() const override { return 1; }
};
struct Two : Spoken {
  int word() const override { return 2; }
};

// Constants in pages of their own, and pointers that the loader relocated.
constexpr std::array<int, 65536> kMany = [] {
  std::array<int, 65536> many{};
  std::iota(many.begin(), many.end(), 0);
  return many;
}();
const char* const kNames[] = {"one", "two", "three"};
int changed = 41;

long resident_pages() {
  std::ifstream statm("/proc/self/statm");
  long size = 0;
  long resident = 0;
  statm >> size >> resident;
  return resident;
}

long sum() {
  return std::accumulate(kMany.begin(), kMany.end(), 0L);
}

TEST(StartPages, AreGivenBackAndNothingIsLost) {
  const long before_sum = sum();
  changed = 42;
  const std::unique_ptr<Spoken> one = std::make_unique<One>();
  const std::unique_ptr<Spoken> two = std::make_unique<Two>();
  const long before = resident_pages();
  release_start_pages();
  const long after = resident_pages();
  const long constants = static_cast<long>(sizeof kMany) / ::sysconf(_SC_PAGESIZE);
  EXPECT_LE(after, before - constants / 2);
  EXPECT_EQ(sum(), before_sum);
  EXPECT_EQ(changed, 42);
  EXPECT_EQ(one->word() + two->word(), 3);
  EXPECT_EQ(std::string(kNames[2]), "three");
}

TEST(StartPages, MayBeGivenBackAgain) {
  release_start_pages();
  release_start_pages();
  EXPECT_EQ(sum(), 65535L * 65536 / 2);
}

}  // namespace
}  // namespace berm::hal
