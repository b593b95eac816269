// SPDX-License-Identifier: Apache-2.0
#include "hal/base/text.hpp"

#include <gtest/gtest.h>

#include <array>

namespace berm {
namespace {

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_EQ(split("a,,b,", ','), (std::vector<std::string_view>{"a", "", "b", ""}));
  EXPECT_EQ(split("", ','), std::vector<std::string_view>{""});
}

TEST(Text, TrimTakesBlanksOffBothEnds) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Text, ParseIntegerWantsTheWholeText) {
  EXPECT_EQ(parse_integer("-42"), -42);
  EXPECT_EQ(parse_integer("9223372036854775807"), INT64_MAX);
  for (const char* text : {"", " 1", "1 ", "+1", "1.0", "0x1", "9223372036854775808", "-"}) {
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
  }
}

TEST(Text, ParseNumberWantsAFiniteWholeText) {
  EXPECT_EQ(parse_number("-1.5e3"), -1500.0);
  for (const char* text : {"", "1x", " 1", "inf", "nan", "1e999", "."}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
}

TEST(Text, NearestFindsTheTypingMistakeAndNothingFarAway) {
  static constexpr std::array<std::string_view, 3> kKnown = {"period_s", "vehicles", "lanes"};
  EXPECT_EQ(nearest("perod_s", kKnown), "period_s");
  EXPECT_EQ(nearest("lane", kKnown), "lanes");
  EXPECT_EQ(nearest("zzzzzz", kKnown), "");
  EXPECT_EQ(nearest("", kKnown), "");
}

TEST(Text, NearestBoundIsHalfTheLength) {
  static constexpr std::array<std::string_view, 1> kKnown = {"abcd"};
  EXPECT_EQ(nearest("abxx", kKnown), "abcd");
  EXPECT_EQ(nearest("axxx", kKnown), "");
}

TEST(Text, GlobMatchesTheWholeText) {
  EXPECT_TRUE(matches_glob("traffic.lane", "traffic.*"));
  EXPECT_TRUE(matches_glob("traffic.lane", "*"));
  EXPECT_TRUE(matches_glob("traffic.lane", "*.l?ne"));
  EXPECT_TRUE(matches_glob("aXbXc", "a*b*c"));
  EXPECT_TRUE(matches_glob("", "*"));
  EXPECT_FALSE(matches_glob("traffic.lane", "traffic"));
  EXPECT_FALSE(matches_glob("traffic.lane", "traffic.?"));
  EXPECT_FALSE(matches_glob("", "?"));
}

TEST(Text, Utf8ValidityHasTheBoundsOfRfc3629) {
  EXPECT_TRUE(is_valid_utf8("a\xC2\x80 \xE0\xA0\x80 \xED\x9F\xBF \xF4\x8F\xBF\xBF"));
  EXPECT_FALSE(is_valid_utf8("\x80"));
  EXPECT_FALSE(is_valid_utf8("\xC1\xBF"));
  EXPECT_FALSE(is_valid_utf8("\xE0\x9F\xBF"));
  EXPECT_FALSE(is_valid_utf8("\xED\xA0\x80"));
  EXPECT_FALSE(is_valid_utf8("\xF0\x8F\xBF\xBF"));
  EXPECT_FALSE(is_valid_utf8("\xF4\x90\x80\x80"));
  EXPECT_FALSE(is_valid_utf8("\xF5\x80\x80\x80"));
  EXPECT_FALSE(is_valid_utf8("\xE2\x82"));
}

TEST(Text, HumanBytesChangeTheUnitInTime) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 kB");
  EXPECT_EQ(human_bytes(1536), "1.5 kB");
  EXPECT_EQ(human_bytes(1024 * 1024 - 1), "1.0 MB");
  EXPECT_EQ(human_bytes(1073741824), "1.0 GB");
}

TEST(Text, HumanSecondsShowTheTwoLargestUnits) {
  EXPECT_EQ(human_seconds(0), "0 s");
  EXPECT_EQ(human_seconds(59), "59 s");
  EXPECT_EQ(human_seconds(60), "1 min");
  EXPECT_EQ(human_seconds(61), "1 min 1 s");
  EXPECT_EQ(human_seconds(90061), "1 d 1 h");
  EXPECT_EQ(human_seconds(-61), "-1 min 1 s");
}

TEST(Text, TextOfFormatsAnyLength) {
  EXPECT_EQ(text_of("%d-%s", 5, "x"), "5-x");
  const std::string long_text(5000, 'y');
  EXPECT_EQ(text_of("%s", long_text.c_str()), long_text);
}

}  // namespace
}  // namespace berm
