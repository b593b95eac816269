// SPDX-License-Identifier: Apache-2.0
// EventHeaders: what stands beside an event's line on its way: topic, key, timestamp, node, stream,
// id, v, queue. The Flume batch writes them as header values, the MQTT payload as user properties;
// both read them here, so that a consumer finds the same words on either way (contract: "Flume",
// "MQTT").
//   - every value is text; `key` is the event's own key or, where it has none, the node;
//   - `timestamp` (ms since 1970, when the event was made) is left out while it is unknown;
//   - `topic` is the stream's default unless the configuration names another.
// fault_of() says why an event must never be sent at all: a topic that Kafka refuses or a body near
// 1 MiB is answered 200 by Flume and then blocks the Kafka sink for everybody (measured: research,
// "Poison"). Limits: a topic has 1…249 of [A-Za-z0-9._-]; a body has at most kMaxBodyBytes. Pure;
// any thread. The node's name and the topics are fixed at construction.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "firmware/event/event.hpp"

namespace berm::codec {

inline constexpr std::size_t kMaxTopicLength = 249;
// Kafka's default limit is 1,048,576 bytes less the record's own overhead and headers.
inline constexpr std::size_t kMaxBodyBytes = 1'000'000;

// One event on its way, and the queue it was in: "live", "backfill", "resend".
struct Outgoing {
  const event::Event* event = nullptr;
  std::string_view queue;
};

struct StreamTopic {
  std::string stream;
  std::string topic;
};

bool is_valid_topic(std::string_view topic);

class EventHeaders {
 public:
  EventHeaders(std::string node, std::vector<StreamTopic> topics);

  const std::string& node() const { return node_; }
  std::string_view topic_of(const event::StreamSchema& schema) const;

  // One line for a person, empty: nothing is wrong with it. `max_body_bytes` is the way's own
  // limit; the smaller of it and kMaxBodyBytes counts.
  std::string fault_of(const event::Event& event, std::size_t max_body_bytes = kMaxBodyBytes) const;

  // Calls visit(name, value) in the contract's order. `scratch` is reused: no allocation per event.
  template <class Visit>
  void visit(const Outgoing& outgoing, std::string& scratch, Visit&& visit) const;

 private:
  std::string node_;
  std::vector<StreamTopic> topics_;
};

// Decimal digits in a buffer of the caller.
using NumberBuffer = std::array<char, 24>;
inline std::string_view digits_of(std::int64_t value, NumberBuffer& buffer) {
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data())};
}

template <class Visit>
void EventHeaders::visit(const Outgoing& outgoing, std::string& scratch, Visit&& visit) const {
  const event::Event& event = *outgoing.event;
  NumberBuffer number;
  visit("topic", topic_of(*event.schema));
  visit("key", event.key.empty() ? std::string_view(node_) : std::string_view(event.key));
  if (event.made_ms) visit("timestamp", digits_of(*event.made_ms, number));
  visit("node", std::string_view(node_));
  visit("stream", event.schema->name);
  scratch.assign(node_).append("/").append(event.epoch).append("/");
  scratch.append(event.schema->name).append("/").append(digits_of(event.seq, number));
  visit("id", std::string_view(scratch));
  visit("v", digits_of(event.schema->version, number));
  visit("queue", outgoing.queue);
}

}  // namespace berm::codec
