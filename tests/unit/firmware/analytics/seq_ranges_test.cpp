// SPDX-License-Identifier: Apache-2.0
#include "firmware/analytics/seq_ranges.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace berm::analytics {
namespace {

TEST(SeqRanges, ReadsClosedAndOpenRanges) {
  const auto ranges = SeqRanges::parse("12-15 20-20 40-");
  ASSERT_TRUE(ranges);
  EXPECT_FALSE(ranges->contains(11));
  EXPECT_TRUE(ranges->contains(12));
  EXPECT_TRUE(ranges->contains(15));
  EXPECT_FALSE(ranges->contains(16));
  EXPECT_TRUE(ranges->contains(20));
  EXPECT_FALSE(ranges->contains(39));
  EXPECT_TRUE(ranges->contains(4'000'000'000));
  EXPECT_EQ(ranges->count_within(1, 41), 7);
}

TEST(SeqRanges, RefusesWhatIsNoRange) {
  for (const char* text : {"12", "15-12", "0-3", "a-b", "1-2,4-5", "-3", "1--2"}) {
    EXPECT_FALSE(SeqRanges::parse(text)) << text;
  }
  EXPECT_TRUE(SeqRanges::parse("")->empty());
}

TEST(SeqRanges, IsTheSetOfWhatWasAddedInAnyOrder) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    SeqRanges ranges;
    std::set<std::int64_t> model;
    for (int i = 0; i < 30; ++i) {
      const auto first = static_cast<std::int64_t>(1 + random() % 60);
      const std::int64_t last = first + static_cast<std::int64_t>(random() % 6);
      ranges.add(first, last);
      for (auto seq = first; seq <= last; ++seq) model.insert(seq);
    }
    for (std::int64_t seq = 1; seq <= 70; ++seq) {
      ASSERT_EQ(ranges.contains(seq), model.contains(seq)) << "seed " << seed << " seq " << seq;
    }
    ASSERT_EQ(ranges.count_within(1, 70), static_cast<std::int64_t>(model.size()))
        << "seed " << seed;
  }
}

}  // namespace
}  // namespace berm::analytics
