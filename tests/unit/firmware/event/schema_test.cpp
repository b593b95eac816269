// SPDX-License-Identifier: Apache-2.0
#include "firmware/event/schema.hpp"

#include <gtest/gtest.h>

#include <set>

#include "hal/base/json.hpp"

namespace berm::event {
namespace {

TEST(Schema, StreamsAndTheirFieldsHaveUniqueNames) {
  std::set<std::string_view> streams;
  for (const StreamSchema& schema : stream_schemas()) {
    EXPECT_TRUE(streams.insert(schema.name).second) << schema.name;
    std::set<std::string_view> fields;
    for (const FieldSpec& field : common_fields()) fields.insert(field.name);
    for (const FieldSpec& field : schema.fields) {
      EXPECT_TRUE(fields.insert(field.name).second) << schema.name << "/" << field.name;
    }
  }
}

TEST(Schema, AWeightedMergeNamesAFieldThatAddsUp) {
  for (const StreamSchema& schema : stream_schemas()) {
    for (const FieldSpec& field : schema.fields) {
      if (field.merge != Merge::mean && field.merge != Merge::harmonic) continue;
      bool found = false;
      for (const FieldSpec& weight : schema.fields) {
        found = found || (weight.name == field.merge_by && weight.merge == Merge::sum);
      }
      EXPECT_TRUE(found) << schema.name << "/" << field.name;
    }
  }
}

TEST(Schema, DefaultsAreThoseOfTheContract) {
  EXPECT_EQ(find_schema("traffic.lane")->topic, "traffic.realtime");
  EXPECT_EQ(find_schema("traffic.lane")->group_ms, 1000);
  EXPECT_EQ(find_schema("traffic.lane")->when_full, WhenFull::conserve);
  EXPECT_EQ(find_schema("traffic.vehicle")->group_ms, 60000);
  EXPECT_EQ(find_schema("node.alarm")->group_ms, 0);
  EXPECT_EQ(find_schema("node.gap")->topic, "node.ledger");
  EXPECT_EQ(find_schema("traffic.nothing"), nullptr);
}

TEST(Schema, JsonSchemaNamesEveryField) {
  for (const StreamSchema& schema : stream_schemas()) {
    const auto json = Json::parse(json_schema(schema));
    ASSERT_TRUE(json) << schema.name;
    const std::size_t fields =
        common_fields().size() + schema.fields.size() + (schema.has_time_ms ? 1 : 0);
    EXPECT_EQ(json->find("properties")->object().size(), fields);
    EXPECT_EQ(json->find("required")->array().size(), fields);
  }
}

}  // namespace
}  // namespace berm::event
