// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hal/base/digest.hpp"
#include "tests/unit/firmware/control/example_sources.hpp"

namespace berm::control {
namespace {

Json effective(std::string_view document) {
  const auto parsed = parse_configuration(document, "b.json", example_sources());
  for (const std::string& fault : parsed.faults) ADD_FAILURE() << fault;
  return parsed.effective;
}

TEST(EffectiveDocument, HasEveryDefault) {
  const Json full = effective(document_with(
      R"({"drivers":{"e":{"driver":"loop_detector","lanes":{}}},
          "uplinks":{"f":{"uplink":"file","directory":"out"}}})"));
  EXPECT_EQ(full.find("timezone")->string(), "UTC");
  EXPECT_EQ(full.find("outbox")->find("hold_for_clock_s")->integer(), 600);
  EXPECT_EQ(full.find("drivers")->find("e")->to_text(),
            R"({"driver":"loop_detector","period_s":60,"lanes":{}})");
  const Json& uplink = *full.find("uplinks")->find("f");
  EXPECT_EQ(uplink.find("uplink")->string(), "file");
  EXPECT_EQ(uplink.find("directory")->string(), "out");
  EXPECT_EQ(uplink.find("live_s")->integer(), 120);
  EXPECT_FALSE(uplink.find("hold")->boolean());
  EXPECT_EQ(full.find("simulation")->find("flow_veh_h")->integer(), 900);
  EXPECT_EQ(full.find("remote"), nullptr);
}

TEST(EffectiveDocument, NamesThePolicyOfEveryStream) {
  const Json full = effective(document_with(R"({"streams":{"node.alarm":{"topic":"alarms"}}})"));
  const Json& streams = *full.find("streams");
  EXPECT_EQ(streams.object().size(), example_sources().streams.size());
  EXPECT_EQ(streams.find("traffic.lane")->to_text(),
            R"({"topic":"traffic.realtime","durability":"group 1000",)"
            R"("when_full":"conserve","max_age_s":0})");
  EXPECT_EQ(streams.find("node.alarm")->to_text(),
            R"({"topic":"alarms","durability":"sync","when_full":"oldest","max_age_s":0})");
}

TEST(EffectiveDocument, IsSoundAndItsOwnEffectiveDocument) {
  for (const std::string& document : {std::string(kExampleDocument), document_with("{}")}) {
    const Json once = effective(document);
    EXPECT_EQ(effective(once.to_text(true)), once);
  }
}

TEST(EffectiveDocument, HasASumThatCommentsAndOrderOfSectionsDoNotChange) {
  const auto sum = [](std::string_view text) {
    return parse_configuration(text, "x", example_sources()).sha256;
  };
  const std::string first = sum(R"({"node":"n","board":"sim","drivers":{}})");
  EXPECT_EQ(first.size(), 64u);
  EXPECT_EQ(first, sum(R"({"drivers":{}, /* here */ "board":"sim","node":"n"})"));
  EXPECT_NE(first, sum(R"({"node":"m","board":"sim","drivers":{}})"));
}

TEST(EffectiveDocument, IsNullWhereThereAreFaults) {
  const auto parsed = parse_configuration("{}", "x", example_sources());
  EXPECT_TRUE(parsed.effective.is_null());
  EXPECT_EQ(parsed.sha256, "");
}

TEST(ConfigurationSchema, IsDraft202012WithTheSectionsOfTheTables) {
  const Json schema = configuration_schema(example_sources());
  EXPECT_EQ(schema.find("$schema")->string(), "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema.find("required")->to_text(), R"(["node","board","drivers"])");
  const Json& properties = *schema.find("properties");
  for (const char* key :
       {"node", "board", "timezone", "site", "buses", "signals", "drivers", "streams", "outbox",
        "uplinks", "remote", "local_http", "allowed_topics", "simulation"}) {
    EXPECT_NE(properties.find(key), nullptr) << key;
  }
  EXPECT_EQ(properties.find("streams")->find("properties")->object().size(), 4u);
}

TEST(ConfigurationSchema, DriversAndUplinksAreOneOfTheirKinds) {
  const Json schema = configuration_schema(example_sources());
  const Json& drivers = *schema.find("properties")->find("drivers")->find("additionalProperties");
  const Json& loop = drivers.find("oneOf")->array().at(1);
  EXPECT_EQ(loop.find("properties")->find("driver")->to_text(), R"({"const":"loop_detector"})");
  EXPECT_EQ(loop.find("required")->to_text(), R"(["driver","lanes"])");
  EXPECT_NE(loop.find("properties")->find("period_s"), nullptr);
  const Json& uplinks = *schema.find("properties")->find("uplinks")->find("additionalProperties");
  ASSERT_EQ(uplinks.find("oneOf")->array().size(), 3u);
  const Json& http = uplinks.find("oneOf")->array().at(0);
  EXPECT_EQ(http.find("properties")->find("uplink")->find("enum")->to_text(), R"(["http"])");
  EXPECT_EQ(http.find("required")->to_text(), R"(["uplink","url"])");
}

}  // namespace
}  // namespace berm::control
