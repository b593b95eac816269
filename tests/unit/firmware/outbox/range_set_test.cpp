// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/range_set.hpp"

#include <gtest/gtest.h>

#include <bitset>

#include "hal/sim/random.hpp"

namespace berm::outbox {
namespace {

RangeSet parsed(std::string_view text, std::size_t max_ranges = RangeSet::kUnbounded) {
  auto set = RangeSet::parse(text, max_ranges);
  EXPECT_TRUE(set) << text;
  return set ? std::move(*set) : RangeSet();
}

TEST(RangeSet, JoinsWhatOverlapsOrTouches) {
  RangeSet set;
  set.add({5, 7});
  set.add({10, 12});
  EXPECT_EQ(set.to_text(), "5-7 10-12");
  set.add({8, 8});
  EXPECT_EQ(set.to_text(), "5-8 10-12");
  set.add({9, 9});
  EXPECT_EQ(set.to_text(), "5-12");
  set.add({1, 20});
  EXPECT_EQ(set.to_text(), "1-20");
}

TEST(RangeSet, SubtractsFromTheOpenTail) {
  RangeSet set;
  set.add({1, kOpenEnd});
  set.subtract({1, 4});
  EXPECT_EQ(set.to_text(), "5-");
  set.subtract({8, 9});
  EXPECT_EQ(set.to_text(), "5-7 10-");
  set.subtract({5, 7});
  EXPECT_EQ(set.to_text(), "10-");
  EXPECT_EQ(set.count_below(10), 0);
  EXPECT_EQ(set.count_below(11), 1);
  set.add({3, kOpenEnd});
  EXPECT_EQ(set.to_text(), "3-");
  set.subtract({1, kOpenEnd});
  EXPECT_TRUE(set.is_empty());
}

TEST(RangeSet, BeyondItsBoundJoinsAcrossTheSmallestHole) {
  RangeSet set(3);
  set.add({1, 1});
  set.add({10, 10});
  set.add({13, 13});
  EXPECT_EQ(set.to_text(), "1-1 10-10 13-13");
  set.add({100, 100});
  EXPECT_EQ(set.to_text(), "1-1 10-13 100-100");
  set.subtract({11, 12});
  EXPECT_EQ(set.to_text(), "1-1 10-13 100-100") << "no room for the hole: too much, not too little";
}

TEST(RangeSet, FindsWhatIsInItAndNotInAnother) {
  const RangeSet set = parsed("3-5 8-12 20-");
  const RangeSet hidden = parsed("3-4 8-10 20-21");
  EXPECT_EQ(set.first_from(1, RangeSet()), 3);
  EXPECT_EQ(set.first_from(1, hidden), 5);
  EXPECT_EQ(set.first_from(6, hidden), 11);
  EXPECT_EQ(set.first_from(13, hidden), 22);
  EXPECT_EQ(set.first_from(1, parsed("1-")), std::nullopt);
  EXPECT_EQ(set.run_end(5, hidden), 5);
  EXPECT_EQ(set.run_end(8, RangeSet()), 12);
  EXPECT_EQ(set.run_end(22, hidden), kOpenEnd);
  EXPECT_EQ(parsed("1-20").run_end(5, hidden), 7);
}

TEST(RangeSet, ReadsItsOwnTextAndRefusesOthers) {
  for (const char* text : {"", "1-1", "5-", "1-2 4-4 9-", "12-15 20-20"}) {
    EXPECT_EQ(parsed(text).to_text(), text);
  }
  EXPECT_EQ(parsed("7").to_text(), "7-7");
  for (const char* text : {"0-1", "2-1", "x", "1-2-3", "1- 5-6", "5-6 1-2", "1-3 3-4", " 1-2", "-",
                           "1-99999999999999999999", "-5"}) {
    EXPECT_FALSE(RangeSet::parse(text)) << text;
  }
}

TEST(RangeSet, BehavesLikeASetOfNumbers) {
  constexpr std::size_t kSize = 64;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    hal::SimRandom random(seed);
    RangeSet set;
    std::bitset<kSize> model;
    for (int step = 0; step < 60; ++step) {
      const auto first = static_cast<std::int64_t>(1 + random.below(kSize - 2));
      const auto last =
          std::min<std::int64_t>(first + static_cast<std::int64_t>(random.below(8)), kSize - 1);
      const bool is_add = random.below(2) == 0;
      is_add ? set.add({first, last}) : set.subtract({first, last});
      for (auto i = first; i <= last; ++i) model.set(static_cast<std::size_t>(i), is_add);
    }
    EXPECT_EQ(set.count_below(kSize), static_cast<std::int64_t>(model.count()));
    for (std::int64_t i = 1; i < static_cast<std::int64_t>(kSize); ++i) {
      EXPECT_EQ(set.contains(i), model[static_cast<std::size_t>(i)]) << i;
    }
    EXPECT_EQ(parsed(set.to_text()), set);
  }
}

TEST(RangeSet, IntersectionAndDifferenceAgreeWithTheNumbers) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    hal::SimRandom random(seed);
    RangeSet a;
    RangeSet b;
    for (int i = 0; i < 6; ++i) {
      const auto from = static_cast<std::int64_t>(1 + random.below(80));
      a.add({from, from + static_cast<std::int64_t>(random.below(6))});
      const auto other = static_cast<std::int64_t>(1 + random.below(80));
      b.add({other, other + static_cast<std::int64_t>(random.below(6))});
    }
    const RangeSet both = a.intersect(b);
    RangeSet rest = a;
    rest.subtract(b);
    for (std::int64_t i = 1; i < 100; ++i) {
      EXPECT_EQ(both.contains(i), a.contains(i) && b.contains(i)) << i;
      EXPECT_EQ(rest.contains(i), a.contains(i) && !b.contains(i)) << i;
      const auto first = a.first_from(i, b);
      const auto expected = rest.first_from(i, RangeSet());
      EXPECT_EQ(first, expected) << i;
    }
  }
}

TEST(RangeSet, BoundedSetNeverForgetsANumber) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    hal::SimRandom random(seed);
    RangeSet bounded(5);
    RangeSet exact;
    bounded.add({1, kOpenEnd});
    exact.add({1, kOpenEnd});
    for (int step = 0; step < 100; ++step) {
      const auto seq = static_cast<std::int64_t>(1 + random.below(200));
      bounded.subtract({seq, seq});
      exact.subtract({seq, seq});
      EXPECT_LE(bounded.ranges().size(), 5u);
    }
    for (std::int64_t i = 1; i < 210; ++i) {
      EXPECT_TRUE(bounded.contains(i) || !exact.contains(i)) << i;
    }
  }
}

}  // namespace
}  // namespace berm::outbox
