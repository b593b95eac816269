// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/used_spans.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace berm::drivers::traffic {
namespace {

TEST(UsedSpans, HoldsTheBeginAndNotTheEnd) {
  UsedSpans spans;
  spans.add(10, 20);
  EXPECT_FALSE(spans.contains(9));
  EXPECT_TRUE(spans.contains(10));
  EXPECT_TRUE(spans.contains(19));
  EXPECT_FALSE(spans.contains(20));
}

TEST(UsedSpans, FindsTheNextFreeAndTheNextUsedSecond) {
  UsedSpans spans;
  spans.add(10, 20);
  EXPECT_EQ(spans.next_free(9), 9);
  EXPECT_EQ(spans.next_free(10), 20);
  EXPECT_EQ(spans.next_free(20), 20);
  EXPECT_EQ(spans.next_used(5), 10);
  EXPECT_EQ(spans.next_used(19), 19);
  EXPECT_EQ(spans.next_used(20), INT64_MAX);
}

TEST(UsedSpans, NeighboursGrowTogether) {
  UsedSpans spans;
  for (std::int64_t s = 0; s < 1000; s += 10) spans.add(s, s + 10);
  ByteWriter writer;
  spans.encode(writer);
  EXPECT_EQ(writer.bytes().size(), 1u + 16u);
}

TEST(UsedSpans, BeyondItsMaximumTheNearestTwoBecomeOne) {
  UsedSpans spans;
  const auto begin = [](std::int64_t i) { return i * 1000 + i * i; };  // the first two are nearest
  for (std::int64_t i = 0; i <= static_cast<std::int64_t>(kMaxUsedSpans); ++i) {
    spans.add(begin(i), begin(i) + 10);
  }
  EXPECT_TRUE(spans.contains(500));
  EXPECT_FALSE(spans.contains(1500));
  for (std::int64_t i = 0; i <= static_cast<std::int64_t>(kMaxUsedSpans); ++i) {
    EXPECT_TRUE(spans.contains(begin(i)));
  }
}

TEST(UsedSpans, SurvivesItsBytesAndRefusesOthers) {
  UsedSpans spans;
  spans.add(5, 6);
  spans.add(100, 200);
  ByteWriter writer;
  spans.encode(writer);
  ByteReader reader(writer.bytes());
  UsedSpans read;
  ASSERT_TRUE(read.decode(reader));
  EXPECT_TRUE(read.contains(5));
  EXPECT_TRUE(read.contains(199));
  ByteReader torn(std::string_view(writer.bytes()).substr(0, 20));
  EXPECT_FALSE(read.decode(torn));
}

}  // namespace
}  // namespace berm::drivers::traffic
