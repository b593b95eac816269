// SPDX-License-Identifier: Apache-2.0
#include "firmware/codec/event_headers.hpp"

#include <algorithm>

#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm::codec {
namespace {

bool is_topic_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

bool is_valid_topic(std::string_view topic) {
  // Kafka refuses "." and ".." as well: they would be directory names.
  if (topic.empty() || topic.size() > kMaxTopicLength || topic == "." || topic == "..")
    return false;
  return std::all_of(topic.begin(), topic.end(), is_topic_character);
}

EventHeaders::EventHeaders(std::string node, std::vector<StreamTopic> topics)
    : node_(std::move(node)), topics_(std::move(topics)) {
  BERM_ASSERT(!node_.empty());
}

std::string_view EventHeaders::topic_of(const event::StreamSchema& schema) const {
  for (const StreamTopic& known : topics_) {
    if (known.stream == schema.name) return known.topic;
  }
  return schema.topic;
}

std::string EventHeaders::fault_of(const event::Event& event, std::size_t max_body_bytes) const {
  const std::size_t max = std::min(max_body_bytes, kMaxBodyBytes);
  if (event.line.size() > max) {
    return text_of("the event has %zu bytes, more than the %zu that may be sent", event.line.size(),
                   max);
  }
  const std::string_view topic = topic_of(*event.schema);
  if (!is_valid_topic(topic)) {
    const std::string shown(topic.substr(0, 60));
    return text_of("\"%s\" is no topic that Kafka takes", shown.c_str());
  }
  return {};
}

}  // namespace berm::codec
