// SPDX-License-Identifier: Apache-2.0
#include "hal/base/json.hpp"

#include <gtest/gtest.h>

namespace berm {
namespace {

Json parsed(std::string_view text) {
  auto json = Json::parse(text);
  EXPECT_TRUE(json.has_value()) << (json ? "" : json.error().text);
  return json ? *json : Json();
}

Json commented(std::string_view text) {
  Json::Limits limits;
  limits.comments = true;
  auto json = Json::parse(text, limits);
  EXPECT_TRUE(json.has_value()) << (json ? "" : json.error().text);
  return json ? *json : Json();
}

TEST(Json, EveryKindIsRead) {
  const Json json =
      parsed(R"({"n":null,"b":true,"f":false,"i":42,"d":-1.5e2,"s":"x","a":[1,[]],"o":{}})");
  EXPECT_TRUE(json.find("n")->is_null());
  EXPECT_TRUE(json.find("b")->boolean());
  EXPECT_FALSE(json.find("f")->boolean());
  EXPECT_EQ(json.find("i")->integer(), 42);
  EXPECT_EQ(json.find("d")->number(), -150.0);
  EXPECT_EQ(json.find("s")->string(), "x");
  EXPECT_EQ(json.find("a")->array().size(), 2u);
  EXPECT_TRUE(json.find("o")->object().empty());
  EXPECT_EQ(json.find("absent"), nullptr);
}

TEST(Json, MembersKeepTheirOrderAndTextComesBack) {
  const std::string text = R"({"z":1,"a":[true,null,"\"\\\n"],"m":{"x":0.25},"e":{},"l":[]})";
  EXPECT_EQ(parsed(text).to_text(), text);
}

TEST(Json, PrettyTextIsTheSameDocument) {
  const Json json = parsed(R"({"a":[1,2],"b":{},"c":[],"d":{"e":"{[,:\"]}"}})");
  EXPECT_EQ(json.to_text(true),
            "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": [],\n  \"d\": {\n"
            "    \"e\": \"{[,:\\\"]}\"\n  }\n}");
  EXPECT_EQ(parsed(json.to_text(true)), json);
}

TEST(Json, EscapesAndUnicodeAreRead) {
  EXPECT_EQ(parsed(R"("\u00e9\ud83d\ude97\/\t")").string(), "é🚗/\t");
  EXPECT_EQ(parsed("\"é🚗\"").string(), "é🚗");
}

TEST(Json, WhatIsAnIntegerIsDecidedByItsValue) {
  EXPECT_TRUE(parsed("2.0").is_integer());
  EXPECT_FALSE(parsed("2.5").is_integer());
  EXPECT_TRUE(parsed("9007199254740992").is_integer());
  EXPECT_FALSE(parsed("9007199254740994").is_integer());
  EXPECT_FALSE(parsed("\"2\"").is_integer());
}

TEST(Json, CommentsAreBlanksWhereAllowed) {
  const Json json = commented(
      "// head\n{ /* a */ \"k\" /* b */ : // c \"no\": 1,\n 1, \"u\": \"http://x/*y*/\" } // end");
  EXPECT_EQ(json.find("k")->integer(), 1);
  EXPECT_EQ(json.find("u")->string(), "http://x/*y*/");
}

TEST(Json, ByteOrderMarkInFrontIsTolerated) {
  EXPECT_EQ(parsed("\xEF\xBB\xBF{\"a\":1}").find("a")->integer(), 1);
}

TEST(Json, SetReplacesOrAppends) {
  Json json;
  json.set("a", 1);
  json.set("b", "x");
  json.set("a", false);
  EXPECT_EQ(json.to_text(), R"({"a":false,"b":"x"})");
}

TEST(MergePatch, FollowsTheTableOfRfc7386) {
  const struct {
    const char* target;
    const char* patch;
    const char* result;
  } rows[] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", R"(null)", R"(null)"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(merge_patch(parsed(row.target), parsed(row.patch)).to_text(), row.result)
        << row.patch;
  }
}

}  // namespace
}  // namespace berm
