// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/write_budget.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace berm::outbox {
namespace {

constexpr std::int64_t kMegabyte = 1 << 20;

// Writes so many bytes a minute, less what the stretch saves, for so many hours.
class Writer {
 public:
  explicit Writer(std::int64_t day_bytes) : budget(day_bytes) { budget.see(0, at()); }
  void write(std::int64_t a_minute, int hours) {
    for (int minute = 0; minute < hours * 60; ++minute) {
      seconds_ += 60;
      total_ += static_cast<std::uint64_t>(a_minute / budget.stretch());
      highest = std::max(highest, budget.stretch());
      budget.see(total_, at());
    }
  }
  WriteBudget budget;
  int highest = 1;

 private:
  MonoTime at() const { return mono_us(seconds_ * 1'000'000); }
  std::int64_t seconds_ = 1000;
  std::uint64_t total_ = 0;
};

TEST(WriteBudget, CountsTheLast24HoursAndForgetsTheRest) {
  Writer writer(0);
  writer.write(1000, 10);
  EXPECT_EQ(writer.budget.written_day(), 600 * 1000);
  writer.write(0, 13);
  EXPECT_EQ(writer.budget.written_day(), 600 * 1000);
  writer.write(0, 6);
  EXPECT_LT(writer.budget.written_day(), 400 * 1000);
  writer.write(0, 6);
  EXPECT_EQ(writer.budget.written_day(), 0);
  EXPECT_EQ(writer.budget.stretch(), 1);
}

TEST(WriteBudget, WithinItNothingIsStretched) {
  Writer writer(25 * kMegabyte);
  writer.write(20 * kMegabyte / 1440, 72);
  EXPECT_EQ(writer.highest, 1);
  EXPECT_TRUE(writer.budget.has_room());
}

TEST(WriteBudget, BeyondItGroupsAreStretchedUntilADayFits) {
  Writer writer(25 * kMegabyte);
  writer.write(200 * kMegabyte / 1440, 24);
  EXPECT_GE(writer.highest, 8);
  writer.write(200 * kMegabyte / 1440, 48);
  EXPECT_LE(writer.budget.written_day(), 26 * kMegabyte);
  EXPECT_GE(writer.budget.written_day(), 15 * kMegabyte) << "and no more than is needed";
}

TEST(WriteBudget, WhenLessIsWrittenItEnds) {
  Writer writer(25 * kMegabyte);
  writer.write(500 * kMegabyte / 1440, 6);
  EXPECT_GT(writer.highest, 1);
  writer.write(kMegabyte / 1440, 30);
  EXPECT_EQ(writer.budget.stretch(), 1);
}

TEST(WriteBudget, StretchHasAnEnd) {
  Writer writer(1);
  writer.write(1'000'000'000, 2);
  EXPECT_EQ(writer.budget.stretch(), WriteBudget::kMaxStretch);
  EXPECT_FALSE(writer.budget.has_room());
}

}  // namespace
}  // namespace berm::outbox
