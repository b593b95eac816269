// SPDX-License-Identifier: Apache-2.0
#include "hal/base/option_table.hpp"

#include <gtest/gtest.h>

namespace berm {
namespace {

constexpr OptionSpec kLaneRows[] = {
    {.key = "uid", .kind = OptionKind::integer, .required = true, .min = 1, .max = 100},
    {.key = "loops", .kind = OptionKind::text_list, .pattern = "[0-9A-F]{2}"},
    {.key = "length_m", .kind = OptionKind::number, .default_json = "2.0", .min = 0.5, .unit = "m"},
};
constexpr OptionTable kLane = {"lane", kLaneRows};

constexpr OptionSpec kPlaceRows[] = {
    {.key = "road", .kind = OptionKind::text, .default_json = "\"E19\""},
};
constexpr OptionTable kPlace = {"place", kPlaceRows};

constexpr OptionSpec kRows[] = {
    {.key = "period_s",
     .kind = OptionKind::integer,
     .default_json = "60",
     .min = 1,
     .max = 3600,
     .unit = "s",
     .change = OptionChange::live,
     .help = "length of a period"},
    {.key = "share", .kind = OptionKind::number, .max = 1.0},
    {.key = "vehicles", .kind = OptionKind::boolean, .default_json = "false"},
    {.key = "order", .default_json = "\"oldest\"", .choices = "oldest|newest"},
    {.key = "name", .pattern = "[a-z]+"},
    {.key = "lanes", .kind = OptionKind::object_map, .pattern = "[A-Z][0-9]+", .table = &kLane},
    {.key = "place", .kind = OptionKind::object, .default_json = "{}", .table = &kPlace},
    {.key = "headers", .kind = OptionKind::value_map},
    {.key = "mapping", .kind = OptionKind::any},
    {.key = "model", .is_path = true},
};
constexpr OptionTable kTable = {"test", kRows};

struct Parsed {
  Options options;
  std::vector<std::string> faults;
};

Parsed parse(std::string_view text) {
  const auto json = Json::parse(text);
  EXPECT_TRUE(json.has_value()) << (json ? "" : json.error().text);
  std::vector<OptionFault> faults;
  Parsed parsed;
  parsed.options = parse_options(kTable, *json, "/drivers/e19", faults);
  for (const OptionFault& fault : faults) parsed.faults.push_back(fault.path + ": " + fault.text);
  return parsed;
}

std::string only_fault(std::string_view text) {
  const Parsed parsed = parse(text);
  EXPECT_EQ(parsed.faults.size(), 1u) << testing::PrintToString(parsed.faults);
  return parsed.faults.empty() ? "" : parsed.faults.front();
}

TEST(OptionTable, AbsentKeysHaveTheirDefaults) {
  const Parsed parsed = parse("{}");
  EXPECT_TRUE(parsed.faults.empty());
  EXPECT_EQ(parsed.options.integer("period_s"), 60);
  EXPECT_FALSE(parsed.options.boolean("vehicles"));
  EXPECT_EQ(parsed.options.text("order"), "oldest");
  EXPECT_EQ(parsed.options.object("place").text("road"), "E19");
  EXPECT_FALSE(parsed.options.has("share"));
  EXPECT_TRUE(parsed.options.object_map("lanes").empty());
  EXPECT_TRUE(parsed.options.value_map("headers").empty());
}

TEST(OptionTable, GivenValuesReplaceDefaults) {
  const Parsed parsed = parse(R"({"period_s":1,"share":0.25,"vehicles":true,"order":"newest",
      "name":"abc","place":{"road":"R4"},"mapping":[1],"model":"/m.onnx"})");
  EXPECT_TRUE(parsed.faults.empty());
  EXPECT_EQ(parsed.options.integer("period_s"), 1);
  EXPECT_EQ(parsed.options.number("share"), 0.25);
  EXPECT_TRUE(parsed.options.boolean("vehicles"));
  EXPECT_EQ(parsed.options.text("order"), "newest");
  EXPECT_EQ(parsed.options.object("place").text("road"), "R4");
  EXPECT_EQ(parsed.options.json("mapping").to_text(), "[1]");
}

TEST(OptionTable, AWholeNumberIsAlsoANumber) {
  EXPECT_EQ(parse(R"({"share":1})").options.number("share"), 1.0);
}

TEST(OptionTable, MapsKeepTheirOrderAndValuesBecomeText) {
  const Parsed parsed = parse(R"({"lanes":{"R11":{"uid":2},"R10":{"uid":1,"loops":["0A","3A"]}},
      "headers":{"X-B":"b","X-A":5,"X-C":true}})");
  EXPECT_TRUE(parsed.faults.empty());
  const auto& lanes = parsed.options.object_map("lanes");
  ASSERT_EQ(lanes.size(), 2u);
  EXPECT_EQ(lanes[0].first, "R11");
  EXPECT_EQ(lanes[1].second.integer("uid"), 1);
  EXPECT_EQ(lanes[1].second.text_list("loops"), (std::vector<std::string>{"0A", "3A"}));
  EXPECT_EQ(lanes[1].second.number("length_m"), 2.0);
  const Options::Values expected = {{"X-B", "b"}, {"X-A", "5"}, {"X-C", "true"}};
  EXPECT_EQ(parsed.options.value_map("headers"), expected);
}

TEST(OptionTable, UnknownKeyNamesTheNearest) {
  EXPECT_EQ(only_fault(R"({"perod_s":1})"),
            "/drivers/e19/perod_s: unknown key; did you mean \"period_s\"?");
  EXPECT_EQ(only_fault(R"({"qqqqqqqq":1})"), "/drivers/e19/qqqqqqqq: unknown key");
}

TEST(OptionTable, WrongKindIsSaidWithWhatIsThere) {
  EXPECT_EQ(only_fault(R"({"period_s":"60"})"),
            "/drivers/e19/period_s: must be a whole number, is \"60\"");
  EXPECT_EQ(only_fault(R"({"period_s":1.5})"),
            "/drivers/e19/period_s: must be a whole number, is 1.5");
  EXPECT_EQ(only_fault(R"({"share":null})"), "/drivers/e19/share: must be a number, is null");
  EXPECT_EQ(only_fault(R"({"vehicles":1})"), "/drivers/e19/vehicles: must be true or false, is 1");
  EXPECT_EQ(only_fault(R"({"name":5})"), "/drivers/e19/name: must be a text, is 5");
  EXPECT_EQ(only_fault(R"({"lanes":[]})"), "/drivers/e19/lanes: must be an object, is []");
  EXPECT_EQ(only_fault(R"({"headers":1})"), "/drivers/e19/headers: must be an object, is 1");
  EXPECT_EQ(only_fault(R"({"headers":{"a":[1]}})"),
            "/drivers/e19/headers/a: must be a text, a number, true or false, is [1]");
  EXPECT_EQ(only_fault("[]"), "/drivers/e19: must be an object, is a list");
}

TEST(OptionTable, RangeHoldsOnBothSides) {
  EXPECT_TRUE(parse(R"({"period_s":1})").faults.empty());
  EXPECT_TRUE(parse(R"({"period_s":3600})").faults.empty());
  EXPECT_EQ(only_fault(R"({"period_s":0})"), "/drivers/e19/period_s: must be 1…3600 s, is 0");
  EXPECT_EQ(only_fault(R"({"period_s":3601})"), "/drivers/e19/period_s: must be 1…3600 s, is 3601");
}

TEST(OptionTable, RangeWithOneEndNamesThatEnd) {
  EXPECT_TRUE(parse(R"({"share":-5})").faults.empty());
  EXPECT_EQ(only_fault(R"({"share":1.001})"), "/drivers/e19/share: must be at most 1, is 1.001");
  EXPECT_EQ(only_fault(R"({"lanes":{"R1":{"uid":1,"length_m":0.4}}})"),
            "/drivers/e19/lanes/R1/length_m: must be at least 0.5 m, is 0.4");
}

TEST(OptionTable, ChoicesAreListed) {
  EXPECT_EQ(only_fault(R"({"order":"old"})"),
            "/drivers/e19/order: must be one of oldest, newest, is \"old\"");
  EXPECT_EQ(only_fault(R"({"order":""})"),
            "/drivers/e19/order: must be one of oldest, newest, is \"\"");
}

TEST(OptionTable, PatternIsMatchedWhole) {
  EXPECT_TRUE(parse(R"({"name":"abc"})").faults.empty());
  EXPECT_EQ(only_fault(R"({"name":"abc1"})"),
            "/drivers/e19/name: must have the form [a-z]+, is \"abc1\"");
  EXPECT_EQ(only_fault(R"({"lanes":{"r1":{"uid":1}}})"),
            "/drivers/e19/lanes/r1: the name must have the form [A-Z][0-9]+");
  EXPECT_EQ(only_fault(R"({"lanes":{"R1":{"uid":1,"loops":["0A","x"]}}})"),
            "/drivers/e19/lanes/R1/loops/1: must have the form [0-9A-F]{2}, is \"x\"");
}

TEST(OptionTable, TextsHaveALengthLimitOnBothSides) {
  const auto with = [](std::string_view key, std::size_t length) {
    return "{\"" + std::string(key) + "\":\"" + std::string(length, 'a') + "\"}";
  };
  EXPECT_TRUE(parse(with("name", kMaxPatternText)).faults.empty());
  EXPECT_EQ(parse(with("name", kMaxPatternText + 1)).faults.size(), 1u);
  EXPECT_TRUE(parse(with("model", kMaxText)).faults.empty());
  EXPECT_EQ(parse(with("model", kMaxText + 1)).faults.size(), 1u);
}

TEST(OptionTable, MissingRequiredKeyIsAFault) {
  EXPECT_EQ(only_fault(R"({"lanes":{"R1":{}}})"), "/drivers/e19/lanes/R1/uid: is missing");
}

TEST(OptionTable, EveryFaultIsCollected) {
  EXPECT_EQ(parse(R"({"x":1,"period_s":0,"lanes":{"R1":{"uid":0,"looops":[]}}})").faults.size(),
            4u);
}

TEST(OptionTable, AFaultyValueHasAStandInForFurtherChecks) {
  const Options options = parse(R"({"period_s":0,"lanes":{"R1":{},"r1":5},"order":3,"name":"A",
      "place":[],"headers":1})")
                              .options;
  EXPECT_EQ(options.integer("period_s"), 60);
  EXPECT_EQ(options.text("order"), "oldest");
  EXPECT_FALSE(options.has("name"));
  EXPECT_FALSE(options.has("headers"));
  ASSERT_EQ(options.object_map("lanes").size(), 2u);
  for (const auto& [name, lane] : options.object_map("lanes")) EXPECT_LT(lane.integer("uid"), 0);
  EXPECT_EQ(parse("[]").options.integer("period_s"), 60);
}

TEST(OptionTable, WhatOnlyFollowsFromAStandInIsNotTold) {
  using StandIn = OptionFault::StandIn;
  const auto told = without_consequences({{"/a", "missing", StandIn::value},
                                          {"/b/x", "refused", StandIn::nothing},
                                          {"/c", "unknown key"},
                                          {"/a", "empty"},
                                          {"/a/0", "empty"},
                                          {"/ab", "own fault"},
                                          {"/b", "needs x"},
                                          {"/b/y", "own fault"},
                                          {"/c", "own fault"},
                                          {"", "own fault"},
                                          {"/b/x", "refused twice", StandIn::value}});
  std::string paths;
  for (const OptionFault& fault : told) paths += fault.path + " ";
  EXPECT_EQ(paths, "/a /b/x /c /ab /b/y /c  /b/x ");
}

TEST(OptionTable, PathsAreEscapedPointers) {
  EXPECT_EQ(option_path("/a", "b/c~d"), "/a/b~1c~0d");
  EXPECT_EQ(only_fault(R"({"headers":{"a/b":null}})").substr(0, 28),
            "/drivers/e19/headers/a~1b: m");
}

TEST(OptionTable, LongValuesAreShownShortened) {
  EXPECT_EQ(shown(Json(std::string(58, 'a'))).size(), 60u);
  const std::string cut = shown(Json(std::string(59, 'a')));
  EXPECT_TRUE(cut.ends_with("…"));
}

using OptionsDeathTest = testing::Test;
TEST(OptionsDeathTest, WrongKindIsADefectOfTheProgram) {
  const Options options = parse("{}").options;
  EXPECT_DEATH(options.text("period_s"), "broken invariant");
  EXPECT_DEATH(options.integer("absent"), "broken invariant");
}

}  // namespace
}  // namespace berm
