// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hal/base/json.hpp"

namespace berm {
namespace {

std::string refusal(std::string_view text, Json::Limits limits = {}) {
  const auto json = Json::parse(text, limits);
  return json ? "accepted: " + json->to_text() : json.error().text;
}

std::string with_comments(std::string_view text) {
  Json::Limits limits;
  limits.comments = true;
  return refusal(text, limits);
}

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

TEST(JsonRefuses, MoreThanTheAllowedBytes) {
  Json::Limits limits;
  limits.max_bytes = 4;
  EXPECT_EQ(refusal("1234", limits), "accepted: 1234");
  EXPECT_EQ(refusal("12345", limits), "document of 5 bytes, at most 4 are allowed");
}

TEST(JsonRefuses, NestingBeyond32) {
  EXPECT_EQ(refusal(nested(32)).substr(0, 8), "accepted");
  EXPECT_EQ(refusal(nested(33)), "line 1, column 33: nested deeper than 32");
}

TEST(JsonRefuses, ARepeatedKeyAndSaysWhere) {
  EXPECT_EQ(refusal("{\"a\": {\"b\": 1},\n \"c\": [{\"d\": 1}],\n  \"a\": 2}"),
            "line 3, column 3: key \"a\" is there twice");
  EXPECT_EQ(refusal(R"({"a":1,"\u0061":2})"), "line 1, column 8: key \"a\" is there twice");
  EXPECT_EQ(refusal(R"([{"a":1},{"a":2}])").substr(0, 8), "accepted");
}

TEST(JsonRefuses, TextBehindTheEnd) {
  EXPECT_EQ(refusal("{}\n {}"), "line 2, column 2: text after the end of the document");
  EXPECT_EQ(refusal("1 2"), "line 1, column 3: text after the end of the document");
  EXPECT_EQ(refusal("nullx"), "line 1, column 5: text after the end of the document");
  EXPECT_EQ(refusal("{} \n\t").substr(0, 8), "accepted");
}

TEST(JsonRefuses, NumbersThatAreNotFinite) {
  EXPECT_EQ(refusal("[1, 1e308]").substr(0, 8), "accepted");
  EXPECT_EQ(refusal("[1, 1e309]"), "line 1, column 5: number out of range");
  EXPECT_EQ(refusal("[-1e999]"), "line 1, column 2: number out of range");
  for (const char* text : {"NaN", "Infinity", "-Infinity", "nan"}) {
    EXPECT_NE(refusal(text).substr(0, 8), "accepted") << text;
  }
}

TEST(JsonRefuses, NumbersThatJsonDoesNotHave) {
  for (const char* text :
       {"01", "-", "+1", ".5", "1.", "1e", "1e+", "-01", "0x10", "1-2", "1.2.3"}) {
    EXPECT_NE(refusal(text).substr(0, 8), "accepted") << text;
  }
  for (const char* text : {"0", "-0", "0.5", "1E2", "1e-2"}) {
    EXPECT_EQ(refusal(text).substr(0, 8), "accepted") << text;
  }
  EXPECT_EQ(refusal(std::string(60, '1')).substr(0, 8), "accepted");
  EXPECT_EQ(refusal(std::string(61, '1')), "line 1, column 1: number of more than 60 characters");
}

TEST(JsonRefuses, InvalidUtf8AndCountsColumnsInCharacters) {
  EXPECT_EQ(refusal("{\"é\": \"\xC0\x80\"}"), "line 1, column 8: not UTF-8");
  EXPECT_EQ(refusal("\"\xED\xA0\x80\""), "line 1, column 2: not UTF-8");
  EXPECT_EQ(refusal("\"\xE2\x82\""), "line 1, column 2: not UTF-8");
}

TEST(JsonRefuses, BadStrings) {
  EXPECT_EQ(refusal("{\n\"a"), "line 2, column 1: string without an end");
  EXPECT_EQ(refusal("\"a\tb\""),
            "line 1, column 3: control character in a string (write it as \\u00XX)");
  EXPECT_EQ(refusal(R"("\x")"), "line 1, column 2: unknown escape");
  EXPECT_EQ(refusal(R"("\u12g4")"), "line 1, column 2: \\u needs four hexadecimal digits");
  EXPECT_EQ(refusal(R"("a\u0000b")"), "line 1, column 3: \\u0000 is not allowed");
  EXPECT_NE(refusal(R"("\ud800")").substr(0, 8), "accepted");
  EXPECT_NE(refusal("\"\\").substr(0, 8), "accepted");
}

TEST(JsonRefuses, ANulByte) {
  EXPECT_EQ(refusal(std::string_view("{}\0", 3)), "line 1, column 3: unexpected character");
  EXPECT_NE(refusal(std::string_view("\"a\0b\"", 5)).substr(0, 8), "accepted");
}

TEST(JsonRefuses, CommentsUnlessAllowed) {
  EXPECT_EQ(refusal("{} // no"), "line 1, column 4: comments are not allowed here");
  EXPECT_EQ(with_comments("{} // yes").substr(0, 8), "accepted");
  EXPECT_EQ(with_comments("{}\n/* no end"), "line 2, column 1: comment without an end");
  EXPECT_EQ(with_comments("{} /"), "line 1, column 4: unexpected character");
  EXPECT_EQ(with_comments("/*/"), "line 1, column 1: comment without an end");
}

TEST(JsonRefuses, AfterACommentTheLineIsStillRight) {
  EXPECT_EQ(with_comments("{ /* one\n two */ \"a\": 1,\n \"b\": nope }"),
            "line 3, column 7: not valid JSON here");
}

TEST(JsonRefuses, NothingAtAll) {
  EXPECT_EQ(refusal(""), "line 1, column 1: the document is empty");
  EXPECT_EQ(refusal(" \n"), "line 1, column 1: the document is empty");
  EXPECT_EQ(with_comments("// only this"), "line 1, column 1: the document is empty");
}

TEST(JsonRefuses, WrongStructure) {
  for (const char* text : {"{", "[", "[1,]", "{\"a\":}", "{\"a\" 1}", "{a:1}", "{\"a\":1,}", "]",
                           "[1 2]", "{\"a\":\"b\":1}", "tru", "[\"a\":1]", "\f1"}) {
    EXPECT_NE(refusal(text).substr(0, 8), "accepted") << text;
  }
}

}  // namespace
}  // namespace berm
