// SPDX-License-Identifier: Apache-2.0
#include "firmware/codec/flume_batch.hpp"

#include <gtest/gtest.h>

#include "hal/base/json.hpp"
#include "hal/base/text.hpp"
#include "tests/unit/firmware/codec/sample.hpp"

namespace berm::codec {
namespace {

TEST(FlumeBatch, IsExactlyTheContractsBytes) {
  const event::Event event = sample_event(3, "{\"lane\":\"R10\"}");
  std::string out;
  append_flume_batch(std::vector<Outgoing>{{&event, "live"}}, sample_headers(), out);
  EXPECT_EQ(out,
            "[{\"headers\":{\"topic\":\"traffic.realtime\",\"key\":\"92301\","
            "\"timestamp\":\"1800000000123\",\"node\":\"e19-km31\",\"stream\":\"traffic.lane\","
            "\"id\":\"e19-km31/k3v9x2m8q1/traffic.lane/3\",\"v\":\"1\",\"queue\":\"live\"},"
            "\"body\":\"{\\\"lane\\\":\\\"R10\\\"}\"}]");
}

TEST(FlumeBatch, BodiesReadBackByteForByte) {
  const std::vector<event::Event> events = {
      sample_event(1), sample_event(2, "{\"t\":\"\\\\ \\u0001 日\"}"), sample_event(3, "")};
  std::vector<Outgoing> batch;
  for (const event::Event& event : events) batch.push_back({&event, "backfill"});
  std::string out;
  append_flume_batch(batch, sample_headers(), out);
  const auto json = Json::parse(out);
  ASSERT_TRUE(json.has_value());
  ASSERT_EQ(json->array().size(), events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(json->array()[i].find("body")->string(), events[i].line);
    for (const auto& [name, value] : json->array()[i].find("headers")->object()) {
      EXPECT_TRUE(value.is_string()) << name;
    }
  }
}

TEST(FlumeBatch, IsValidUtf8EvenWhereALineIsNot) {
  const event::Event event = sample_event(1, "{\"x\":\"\xff\"}");
  std::string out;
  append_flume_batch(std::vector<Outgoing>{{&event, "live"}}, sample_headers(), out);
  EXPECT_TRUE(is_valid_utf8(out));
}

TEST(FlumeBatch, AppendsToWhatIsThere) {
  const event::Event event = sample_event(1);
  std::string out = "before";
  append_flume_batch(std::vector<Outgoing>{{&event, "live"}}, sample_headers(), out);
  EXPECT_EQ(out.substr(0, 8), "before[{");
}

TEST(FlumeBatch, ABufferOnceLargeEnoughIsNotGrownAgain) {
  const event::Event event = sample_event(1, std::string(1000, 'x'));
  const std::vector<Outgoing> batch(100, Outgoing{&event, "live"});
  std::string out;
  append_flume_batch(batch, sample_headers(), out);
  const std::size_t capacity = out.capacity();
  EXPECT_LT(out.size(), capacity);
  out.clear();
  append_flume_batch(batch, sample_headers(), out);
  EXPECT_EQ(out.capacity(), capacity);
}

}  // namespace
}  // namespace berm::codec
