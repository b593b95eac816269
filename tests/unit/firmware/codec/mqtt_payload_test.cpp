// SPDX-License-Identifier: Apache-2.0
#include "firmware/codec/mqtt_payload.hpp"

#include <gtest/gtest.h>

#include "tests/unit/firmware/codec/sample.hpp"

namespace berm::codec {
namespace {

std::string property(const MqttText& text, std::string_view name) {
  for (const auto& [key, value] : text.user_properties) {
    if (key == name) return value;
  }
  return "(none)";
}

TEST(MqttPayload, LinesAreTheBatchEachLineEnded) {
  const event::Event first = sample_event(5, "{\"a\":1}");
  const event::Event second = sample_event(6, "{\"a\":2}");
  const MqttText text = write_mqtt_text(std::vector<Outgoing>{{&first, "live"}, {&second, "live"}},
                                        sample_headers(), MqttPayload::lines);
  EXPECT_EQ(text.topic, "berm/e19-km31/event/traffic.lane");
  EXPECT_EQ(text.payload, "{\"a\":1}\n{\"a\":2}\n");
  EXPECT_EQ(text.content_type, "application/x-ndjson");
}

TEST(MqttPayload, LinesHaveTheFirstEventsHeadersAndACount) {
  const event::Event first = sample_event(5);
  const event::Event second = sample_event(6);
  const MqttText text =
      write_mqtt_text(std::vector<Outgoing>{{&first, "backfill"}, {&second, "live"}},
                      sample_headers(), MqttPayload::lines);
  EXPECT_EQ(property(text, "id"), "e19-km31/k3v9x2m8q1/traffic.lane/5");
  EXPECT_EQ(property(text, "queue"), "backfill");
  EXPECT_EQ(property(text, "topic"), "traffic.realtime");
  EXPECT_EQ(property(text, "key"), "92301");
  EXPECT_EQ(property(text, "timestamp"), "1800000000123");
  EXPECT_EQ(property(text, "count"), "2");
  EXPECT_EQ(text.user_properties.size(), 9U);
}

TEST(MqttPayload, EventIsOneLineWithoutNewlineAndWithoutCount) {
  const event::Event event = sample_event(5, "{\"a\":1}");
  const MqttText text = write_mqtt_text(std::vector<Outgoing>{{&event, "live"}}, sample_headers(),
                                        MqttPayload::event);
  EXPECT_EQ(text.payload, "{\"a\":1}");
  EXPECT_EQ(text.content_type, "application/json");
  EXPECT_EQ(property(text, "count"), "(none)");
  EXPECT_EQ(text.user_properties.size(), 8U);
}

using MqttPayloadDeathTest = testing::Test;

TEST(MqttPayloadDeathTest, TwoEventsInAnEventMessageAreABrokenInvariant) {
  const event::Event event = sample_event(5);
  const std::vector<Outgoing> two(2, Outgoing{&event, "live"});
  EXPECT_DEATH(write_mqtt_text(two, sample_headers(), MqttPayload::event), "broken invariant");
}

}  // namespace
}  // namespace berm::codec
