// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/flags.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "drivers/traffic/length_classes.hpp"

namespace berm::drivers::traffic {
namespace {

TEST(Flags, AllWordsAreSortedAndUnique) {
  std::istringstream text(Flags::from_bits(~0u).words());
  std::vector<std::string> words;
  for (std::string word; text >> word;) words.push_back(word);
  EXPECT_EQ(words.size(), static_cast<std::size_t>(kFlagCount));
  EXPECT_TRUE(std::is_sorted(words.begin(), words.end()));
  EXPECT_EQ(std::adjacent_find(words.begin(), words.end()), words.end());
}

TEST(Flags, NoFlagIsAnEmptyString) {
  EXPECT_EQ(Flags{}.words(), "");
}

TEST(Flags, EachWordStandsForItsFlag) {
  EXPECT_EQ(Flags(Flag::half).words(), "half");
  EXPECT_EQ((Flags(Flag::unaligned) | Flag::coarse).words(), "coarse unaligned");
  EXPECT_EQ(Flags(Flag::still_on).words(), "still_on");
  EXPECT_EQ(Flags(Flag::missed).words(), "missed");
}

TEST(LengthClass, EachBoundBelongsToTheShorterClass) {
  EXPECT_EQ(length_class(0.0), 1);
  EXPECT_EQ(length_class(1.00), 1);
  EXPECT_EQ(length_class(1.01), 2);
  EXPECT_EQ(length_class(4.90), 2);
  EXPECT_EQ(length_class(4.91), 3);
  EXPECT_EQ(length_class(6.90), 3);
  EXPECT_EQ(length_class(6.91), 4);
  EXPECT_EQ(length_class(12.00), 4);
  EXPECT_EQ(length_class(12.01), 5);
}

}  // namespace
}  // namespace berm::drivers::traffic
