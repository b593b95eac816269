// SPDX-License-Identifier: Apache-2.0
#include "hal/base/json_writer.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "hal/base/json.hpp"
#include "hal/base/text.hpp"

namespace berm {
namespace {

std::string written(double value) {
  std::string out;
  append_json_number(out, value);
  return out;
}

std::string rounded(double value, int decimals) {
  std::string out;
  append_json_number(out, value, decimals);
  return out;
}

std::string in_json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonWriter, SetsItsCommasItself) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().key("a").integer(-5).key("b").begin_array();
  writer.number(91.0).boolean(true).null().begin_object().end_object().raw("[1]").string("x");
  writer.end_array().key("c").begin_object().key("d").number(1.04, 1).end_object().end_object();
  EXPECT_EQ(out, R"({"a":-5,"b":[91.0,true,null,{},[1],"x"],"c":{"d":1.0}})");
}

TEST(JsonWriter, AppendsBehindWhatIsThere) {
  std::string out = "head ";
  JsonWriter(out).begin_array().integer(1).integer(2).end_array();
  EXPECT_EQ(out, "head [1,2]");
}

TEST(JsonWriter, IntegersNeverCarryAFraction) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_array().integer(0).integer(std::numeric_limits<std::int64_t>::min());
  writer.integer(std::numeric_limits<std::int64_t>::max()).end_array();
  EXPECT_EQ(out, "[0,-9223372036854775808,9223372036854775807]");
}

TEST(JsonWriter, NumbersAlwaysCarryAFraction) {
  EXPECT_EQ(written(91), "91.0");
  EXPECT_EQ(written(0), "0.0");
  EXPECT_EQ(written(-0.0), "0.0");
  EXPECT_EQ(written(-2), "-2.0");
  EXPECT_EQ(written(51.12), "51.12");
  EXPECT_EQ(written(1e15), "1000000000000000.0");
  EXPECT_EQ(written(1e20), "100000000000000000000.0");
  EXPECT_EQ(written(1e21), "1.0e+21");
  EXPECT_EQ(written(1e-7), "0.0000001");
  EXPECT_EQ(written(1.5e-8), "1.5e-08");
}

TEST(JsonWriter, WhatIsNotFiniteBecomesNull) {
  EXPECT_EQ(written(std::nan("")), "null");
  EXPECT_EQ(written(INFINITY), "null");
  EXPECT_EQ(rounded(-INFINITY, 1), "null");
}

TEST(JsonWriter, RoundsHalfAwayFromZeroOnBothSides) {
  EXPECT_EQ(rounded(91.04, 1), "91.0");
  EXPECT_EQ(rounded(91.05, 1), "91.1");
  EXPECT_EQ(rounded(91.0499999, 1), "91.0");
  EXPECT_EQ(rounded(-91.04, 1), "-91.0");
  EXPECT_EQ(rounded(-91.05, 1), "-91.1");
  EXPECT_EQ(rounded(0.15, 1), "0.2");
  EXPECT_EQ(rounded(0.25, 1), "0.3");
  EXPECT_EQ(rounded(1.005, 2), "1.01");
  EXPECT_EQ(rounded(2.5, 0), "3.0");
  EXPECT_EQ(rounded(2.4999, 0), "2.0");
}

TEST(JsonWriter, RoundingCarriesIntoANewDigit) {
  EXPECT_EQ(rounded(9.95, 1), "10.0");
  EXPECT_EQ(rounded(9.94, 1), "9.9");
  EXPECT_EQ(rounded(99.5, 0), "100.0");
  EXPECT_EQ(rounded(-999.9996, 3), "-1000.0");
  EXPECT_EQ(rounded(0.9999995, 6), "1.0");
}

TEST(JsonWriter, RoundingKeepsShortFormsAndHasNoNegativeZero) {
  EXPECT_EQ(rounded(91, 3), "91.0");
  EXPECT_EQ(rounded(51.5, 6), "51.5");
  EXPECT_EQ(rounded(51.49999999, 6), "51.5");
  EXPECT_EQ(rounded(51.4999994, 6), "51.499999");
  EXPECT_EQ(rounded(-0.04, 1), "0.0");
  EXPECT_EQ(rounded(-0.05, 1), "-0.1");
  EXPECT_EQ(rounded(4e-9, 6), "0.0");
  EXPECT_EQ(rounded(5e-7, 6), "0.000001");
  EXPECT_EQ(rounded(4.9e-7, 6), "0.0");
  EXPECT_EQ(rounded(1e22, 1), "1.0e+22");
}

TEST(JsonWriter, EveryFiniteNumberReadsBackTheSame) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const std::string text = written(value);
    ASSERT_EQ(parse_number(text), value) << text;
    ASSERT_NE(text.find('.'), std::string::npos) << text;
  }
}

TEST(JsonWriter, RoundingIsNeverFurtherOffThanHalfAStep) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> values(-500.0, 500.0);
  for (int i = 0; i < 20000; ++i) {
    const double value = values(random);
    const int decimals = static_cast<int>(random() % 7);
    const std::string text = rounded(value, decimals);
    const auto back = parse_number(text);
    ASSERT_TRUE(back.has_value()) << text;
    ASSERT_LE(std::fabs(*back - value), 0.5 * std::pow(10.0, -decimals) + 1e-12) << text;
  }
}

TEST(JsonWriter, StringsAreEscaped) {
  EXPECT_EQ(in_json("a\"b\\c\n\r\t\x01\x1f\x7f"), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\x7f\"");
  EXPECT_EQ(in_json("é🚗"), "\"é🚗\"");
  EXPECT_EQ(in_json(""), "\"\"");
}

TEST(JsonWriter, InvalidUtf8BecomesTheReplacementCharacter) {
  EXPECT_EQ(in_json("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
  EXPECT_EQ(in_json("\xE2\x82"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_EQ(in_json("\xC0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(JsonWriter, AnyBytesGiveAValidDocument) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes;
    for (int n = 0; n < 24; ++n) bytes.push_back(static_cast<char>(1 + random() % 255));
    const auto json = Json::parse(in_json(bytes));
    ASSERT_TRUE(json.has_value()) << json.error().text;
    if (is_valid_utf8(bytes)) {
      ASSERT_EQ(json->string(), bytes);
    }
  }
}

}  // namespace
}  // namespace berm
