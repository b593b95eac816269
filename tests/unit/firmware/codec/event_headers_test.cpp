// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/firmware/codec/sample.hpp"

namespace berm::codec {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs headers_of(const EventHeaders& headers, const event::Event& event, std::string_view queue) {
  Pairs pairs;
  std::string scratch;
  headers.visit({&event, queue}, scratch, [&](std::string_view name, std::string_view value) {
    pairs.emplace_back(name, value);
  });
  return pairs;
}

TEST(EventHeaders, AreThoseOfTheContractAllAsText) {
  const event::Event event = sample_event(1234);
  const Pairs expected = {{"topic", "traffic.realtime"},
                          {"key", "92301"},
                          {"timestamp", "1800000000123"},
                          {"node", "e19-km31"},
                          {"stream", "traffic.lane"},
                          {"id", "e19-km31/k3v9x2m8q1/traffic.lane/1234"},
                          {"v", "1"},
                          {"queue", "live"}};
  EXPECT_EQ(headers_of(sample_headers(), event, "live"), expected);
}

TEST(EventHeaders, IdIsTheOneOfTheEventItself) {
  const event::Event event = sample_event(7);
  const Pairs pairs = headers_of(sample_headers(), event, "live");
  EXPECT_EQ(pairs[5].second, event::event_id(*event.schema, {"e19-km31", "k3v9x2m8q1", 7}));
}

TEST(EventHeaders, AnUnknownTimestampIsLeftOut) {
  event::Event event = sample_event(1);
  event.made_ms.reset();
  for (const auto& [name, value] : headers_of(sample_headers(), event, "live")) {
    EXPECT_NE(name, "timestamp");
  }
}

TEST(EventHeaders, WithoutAKeyTheNodeIsTheKey) {
  event::Event event = sample_event(1);
  event.key.clear();
  EXPECT_EQ(headers_of(sample_headers(), event, "backfill")[1].second, "e19-km31");
}

TEST(EventHeaders, AConfiguredTopicReplacesTheDefault) {
  const EventHeaders headers("n", {{"traffic.vehicle", "x"}, {"traffic.lane", "belgium.lanes"}});
  EXPECT_EQ(headers.topic_of(*event::find_schema("traffic.lane")), "belgium.lanes");
  EXPECT_EQ(headers.topic_of(*event::find_schema("node.alarm")), "node.alarms");
}

TEST(EventHeaders, TopicsThatKafkaTakesAreValid) {
  EXPECT_TRUE(is_valid_topic("traffic.realtime"));
  EXPECT_TRUE(is_valid_topic("A-z_0.9"));
  EXPECT_TRUE(is_valid_topic(std::string(249, 'a')));
}

TEST(EventHeaders, TopicsThatKafkaRefusesAreNot) {
  for (const std::string& topic :
       {std::string(), std::string(250, 'a'), std::string("traffic.%{station}"), std::string("a b"),
        std::string("a/b"), std::string("é"), std::string("."), std::string(".."),
        std::string("a\0b", 3)}) {
    EXPECT_FALSE(is_valid_topic(topic)) << topic;
  }
}

TEST(EventHeaders, AnEventOverAMegabyteIsFaultyOneByteLessIsNot) {
  const EventHeaders headers = sample_headers();
  EXPECT_EQ(headers.fault_of(sample_event(1, std::string(kMaxBodyBytes, 'x'))), "");
  EXPECT_EQ(headers.fault_of(sample_event(1, std::string(kMaxBodyBytes + 1, 'x'))),
            "the event has 1000001 bytes, more than the 1000000 that may be sent");
}

TEST(EventHeaders, TheSmallerLimitCounts) {
  const EventHeaders headers = sample_headers();
  EXPECT_EQ(headers.fault_of(sample_event(1, std::string(100, 'x')), 100), "");
  EXPECT_NE(headers.fault_of(sample_event(1, std::string(101, 'x')), 100), "");
  EXPECT_NE(headers.fault_of(sample_event(1, std::string(kMaxBodyBytes + 1, 'x')), 1u << 30), "");
}

TEST(EventHeaders, AnEventWhoseTopicKafkaRefusesIsFaulty) {
  const EventHeaders headers("n", {{"traffic.lane", "traffic.%{station}"}});
  EXPECT_EQ(headers.fault_of(sample_event(1)),
            "\"traffic.%{station}\" is no topic that Kafka takes");
}

}  // namespace
}  // namespace berm::codec
