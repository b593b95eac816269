// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hal/base/option_table.hpp"

namespace berm {
namespace {

constexpr OptionSpec kInnerRows[] = {
    {.key = "uid", .kind = OptionKind::integer, .required = true, .min = 1},
};
constexpr OptionTable kInner = {"inner", kInnerRows};

constexpr OptionSpec kRows[] = {
    {.key = "period_s",
     .kind = OptionKind::integer,
     .default_json = "60",
     .min = 1,
     .max = 3600,
     .unit = "s",
     .change = OptionChange::live,
     .help = "length of a period"},
    {.key = "order", .choices = "oldest|newest"},
    {.key = "name", .required = true, .pattern = "[a-z]+"},
    {.key = "globs", .kind = OptionKind::text_list},
    {.key = "lanes", .kind = OptionKind::object_map, .pattern = "[A-Z]+", .table = &kInner},
    {.key = "one", .kind = OptionKind::object, .table = &kInner},
    {.key = "headers", .kind = OptionKind::value_map},
    {.key = "mapping", .kind = OptionKind::any},
    {.key = "model", .is_path = true},
};
constexpr OptionTable kTable = {"test", kRows};

std::string schema_at(std::string_view key) {
  const Json schema = schema_of(kTable);
  const Json* const row = schema.find("properties")->find(key);
  return row != nullptr ? row->to_text() : "";
}

TEST(OptionSchema, NumbersHaveRangeDefaultUnitAndHelp) {
  EXPECT_EQ(schema_at("period_s"),
            R"({"type":"integer","minimum":1,"maximum":3600,"description":"length of a period",)"
            R"("default":60,"x-unit":"s","x-change":"live"})");
}

TEST(OptionSchema, TextsHaveChoicesOrAnAnchoredPattern) {
  EXPECT_EQ(schema_at("order"), R"({"type":"string","enum":["oldest","newest"]})");
  EXPECT_EQ(schema_at("name"), R"({"type":"string","pattern":"^(?:[a-z]+)$"})");
  EXPECT_EQ(schema_at("model"), R"({"type":"string","x-local-path":true})");
}

TEST(OptionSchema, NestedTablesAreInside) {
  const std::string inner =
      R"({"type":"object","properties":{"uid":{"type":"integer","minimum":1}},)"
      R"("required":["uid"],"additionalProperties":false})";
  EXPECT_EQ(schema_at("one"), inner);
  EXPECT_EQ(schema_at("lanes"), R"({"type":"object","propertyNames":{"pattern":"^(?:[A-Z]+)$"},)"
                                R"("additionalProperties":)" +
                                    inner + "}");
}

TEST(OptionSchema, ListsMapsAndFreeFormHaveTheirTypes) {
  EXPECT_EQ(schema_at("globs"), R"({"type":"array","items":{"type":"string"}})");
  EXPECT_EQ(schema_at("headers"),
            R"({"type":"object","additionalProperties":{"type":["string","number","boolean"]}})");
  EXPECT_EQ(schema_at("mapping"), "{}");
}

TEST(OptionSchema, UnknownKeysAreRefusedAndRequiredOnesListed) {
  const Json schema = schema_of(kTable);
  EXPECT_FALSE(schema.find("additionalProperties")->boolean());
  EXPECT_EQ(schema.find("required")->to_text(), R"(["name"])");
}

TEST(OptionDefaults, AreFilledInAtEveryDepth) {
  static constexpr OptionSpec kLaneRows[] = {
      {.key = "uid", .kind = OptionKind::integer, .required = true},
      {.key = "length_m", .kind = OptionKind::number, .default_json = "2.5"},
  };
  static constexpr OptionTable kLane = {"lane", kLaneRows};
  static constexpr OptionSpec kTop[] = {
      {.key = "a", .default_json = "\"x\""},
      {.key = "none", .kind = OptionKind::boolean},
      {.key = "site", .kind = OptionKind::object, .default_json = "{\"uid\":1}", .table = &kLane},
      {.key = "lanes", .kind = OptionKind::object_map, .table = &kLane},
  };
  const Json document = *Json::parse(R"({"lanes":{"R2":{"uid":3}}})");
  EXPECT_EQ(with_defaults({"top", kTop}, document).to_text(),
            R"({"a":"x","site":{"uid":1,"length_m":2.5},"lanes":{"R2":{"uid":3,"length_m":2.5}}})");
}

}  // namespace
}  // namespace berm
