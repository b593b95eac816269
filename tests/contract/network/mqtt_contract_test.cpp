// SPDX-License-Identifier: Apache-2.0
// What every MqttClient does, on the real machine (Mosquitto) and in the simulator.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/contract/network/bench.hpp"
#include "tests/support/emulator.hpp"

namespace berm::hal::contract {
namespace {

// A client and everything it was told.
struct Subject {
  std::unique_ptr<MqttClient> client;
  std::vector<int> connacks;
  std::vector<std::pair<ErrorCode, int>> ends;
  std::vector<std::string> end_texts;
  std::vector<std::pair<std::uint64_t, int>> acks;
  std::vector<std::pair<std::string, int>> subscriptions;
  std::vector<MqttMessage> messages;
};

MqttMessage message_of(const std::string& topic, const std::string& payload) {
  MqttMessage message;
  message.topic = topic;
  message.payload = payload;
  return message;
}

class MqttContract : public testing::TestWithParam<MqttBackend> {
 protected:
  void SetUp() override {
    bench_ = GetParam().make();
    if (const auto missing = bench_->missing(); !missing.empty()) GTEST_SKIP() << missing;
  }

  std::unique_ptr<Subject> make(MqttOptions options) {
    auto subject = std::make_unique<Subject>();
    Subject* const raw = subject.get();
    MqttEvents events;
    events.on_connected = [raw](int reason, bool) { raw->connacks.push_back(reason); };
    events.on_disconnected = [raw](const Error& error, int reason) {
      raw->ends.emplace_back(error.code, reason);
      raw->end_texts.push_back(error.text);
    };
    events.on_acknowledged = [raw](std::uint64_t id, int reason) {
      raw->acks.emplace_back(id, reason);
    };
    events.on_subscribed = [raw](const std::string& filter, int reason) {
      raw->subscriptions.emplace_back(filter, reason);
    };
    events.on_message = [raw](const MqttMessage& message) { raw->messages.push_back(message); };
    auto client = bench_->clients().create(std::move(options), std::move(events));
    EXPECT_TRUE(client.has_value()) << client.error().text;
    if (client) subject->client = std::move(*client);
    return subject;
  }
  std::unique_ptr<Subject> connected(MqttOptions options) {
    auto subject = make(std::move(options));
    subject->client->connect();
    EXPECT_TRUE(subject->connacks.empty()) << "told inside connect";
    EXPECT_TRUE(
        bench_->run_until([&] { return !subject->connacks.empty() || !subject->ends.empty(); }));
    EXPECT_EQ(subject->connacks, std::vector<int>{0})
        << (subject->end_texts.empty() ? "" : subject->end_texts[0]);
    EXPECT_TRUE(subject->client->is_connected());
    return subject;
  }
  std::unique_ptr<Subject> connected(const std::string& client_id) {
    return connected(bench_->options(client_id));
  }
  // A client that has subscribed to `filter`; a retained message of its own proves it.
  std::unique_ptr<Subject> subscribed(const std::string& client_id, const std::string& filter) {
    auto subject = connected(client_id);
    EXPECT_TRUE(subject->client->subscribe(filter, 1).has_value());
    // The broker works in order: when this is acknowledged the subscription stands.
    EXPECT_TRUE(subject->client->publish(message_of("fence/" + client_id, "")).has_value());
    EXPECT_TRUE(bench_->run_until([&] { return !subject->acks.empty(); }));
    subject->acks.clear();
    return subject;
  }
  int reason_of(Subject& subject, const MqttMessage& message) {
    subject.acks.clear();
    const auto id = subject.client->publish(message);
    EXPECT_TRUE(id.has_value());
    if (!id || !bench_->run_until([&] { return !subject.acks.empty(); })) return -1;
    EXPECT_EQ(subject.acks[0].first, *id);
    return subject.acks[0].second;
  }
  std::pair<ErrorCode, int> end_of(Subject& subject) {
    if (!bench_->run_until([&] { return !subject.ends.empty(); }, Seconds{40})) {
      return {ErrorCode::io, -1};
    }
    EXPECT_FALSE(subject.client->is_connected());
    EXPECT_FALSE(subject.end_texts[0].empty());
    return subject.ends[0];
  }

  std::unique_ptr<MqttBench> bench_;
};

TEST_P(MqttContract, connects_once_however_often_it_is_asked) {
  const auto subject = connected("node");
  subject->client->connect();
  bench_->run_for(Milliseconds{50});
  EXPECT_EQ(subject->connacks.size(), 1U);
  EXPECT_TRUE(subject->ends.empty());
}

TEST_P(MqttContract, a_message_arrives_whole_with_its_properties) {
  const auto reader = subscribed("reader", "berm/#");
  const auto node = connected("node");
  MqttMessage message = message_of("berm/node/event/traffic.lane", std::string("a\0b\n", 4));
  message.user_properties = {{"topic", "traffic.realtime"}, {"count", "2"}, {"count", "3"}};
  message.content_type = "application/x-ndjson";
  message.response_topic = "berm/answer";
  message.correlation_data = std::string("\0\1", 2);
  EXPECT_EQ(reason_of(*node, message), 0);
  ASSERT_TRUE(bench_->run_until([&] { return !reader->messages.empty(); }));
  const MqttMessage& read = reader->messages[0];
  EXPECT_EQ(read.topic, message.topic);
  EXPECT_EQ(read.payload, message.payload);
  EXPECT_EQ(read.user_properties, message.user_properties);
  EXPECT_EQ(read.content_type, message.content_type);
  EXPECT_EQ(read.response_topic, message.response_topic);
  EXPECT_EQ(read.correlation_data, message.correlation_data);
  EXPECT_FALSE(read.retain);
}

TEST_P(MqttContract, each_publish_is_acknowledged_by_its_own_id_in_order) {
  const auto reader = subscribed("reader", "berm/#");
  const auto node = connected("node");
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 20; ++i) {
    const auto id = node->client->publish(message_of("berm/n", std::to_string(i)));
    ASSERT_TRUE(id.has_value());
    ids.push_back(*id);
  }
  EXPECT_TRUE(node->acks.empty()) << "told inside publish";
  ASSERT_TRUE(
      bench_->run_until([&] { return node->acks.size() == 20 && reader->messages.size() == 20; }));
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(node->acks[i], std::make_pair(ids[i], 0));
    EXPECT_EQ(reader->messages[i].payload, std::to_string(i));
  }
}

TEST_P(MqttContract, nobody_subscribed_is_16_and_a_denied_topic_135) {
  const auto node = connected("node");
  EXPECT_EQ(reason_of(*node, message_of("berm/nobody", "x")), 16);
  EXPECT_EQ(reason_of(*node, message_of("denied/topic", "x")), 135);
  EXPECT_TRUE(node->client->is_connected());
}

TEST_P(MqttContract, a_message_of_qos_0_is_acknowledged_when_written) {
  const auto node = connected("node");
  MqttMessage message = message_of("berm/n", "x");
  message.qos = 0;
  const auto id = node->client->publish(message);
  ASSERT_TRUE(id.has_value());
  EXPECT_TRUE(node->acks.empty()) << "told inside publish";
  EXPECT_TRUE(bench_->run_until([&] { return !node->acks.empty(); }));
  EXPECT_EQ(node->acks[0], std::make_pair(*id, 0));
}

TEST_P(MqttContract, the_window_is_full_at_its_size_and_opens_with_the_first_acknowledgement) {
  MqttOptions options = bench_->options("node");
  options.max_in_flight = 3;
  const auto node = connected(options);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(node->client->publish(message_of("berm/n", "x")).has_value());
  }
  const auto fourth = node->client->publish(message_of("berm/n", "x"));
  ASSERT_FALSE(fourth.has_value());
  EXPECT_EQ(fourth.error().code, ErrorCode::full);
  EXPECT_EQ(node->client->status().integer("in_flight"), 3);
  EXPECT_TRUE(bench_->run_until([&] { return !node->acks.empty(); }));
  EXPECT_TRUE(node->client->publish(message_of("berm/n", "x")).has_value());
}

TEST_P(MqttContract, offline_nothing_is_taken) {
  const auto node = make(bench_->options("node"));
  const auto id = node->client->publish(message_of("berm/n", "x"));
  ASSERT_FALSE(id.has_value());
  EXPECT_EQ(id.error().code, ErrorCode::unavailable);
  EXPECT_FALSE(node->client->subscribe("berm/#", 1).has_value());
}

TEST_P(MqttContract, a_topic_with_a_wildcard_is_invalid) {
  const auto node = connected("node");
  const auto id = node->client->publish(message_of("berm/#", "x"));
  ASSERT_FALSE(id.has_value());
  EXPECT_EQ(id.error().code, ErrorCode::invalid);
  EXPECT_EQ(reason_of(*node, message_of("berm/n", "x")), 16);
}

TEST_P(MqttContract, a_subscription_is_answered_by_its_filter) {
  const auto node = connected("node");
  EXPECT_TRUE(node->client->subscribe("berm/node/info", 1).has_value());
  EXPECT_TRUE(node->client->subscribe("berm/node/cmd/#", 0).has_value());
  EXPECT_TRUE(node->subscriptions.empty()) << "told inside subscribe";
  ASSERT_TRUE(bench_->run_until([&] { return node->subscriptions.size() == 2; }));
  EXPECT_EQ(node->subscriptions[0], std::make_pair(std::string("berm/node/info"), 1));
  EXPECT_EQ(node->subscriptions[1], std::make_pair(std::string("berm/node/cmd/#"), 0));
}

TEST_P(MqttContract, a_retained_message_comes_with_the_subscription) {
  const auto node = connected("node");
  MqttMessage state = message_of("berm/node/state", "online");
  state.retain = true;
  reason_of(*node, state);
  const auto reader = subscribed("reader", "berm/+/state");
  ASSERT_TRUE(bench_->run_until([&] { return !reader->messages.empty(); }));
  EXPECT_EQ(reader->messages[0].payload, "online");
  EXPECT_TRUE(reader->messages[0].retain);
}

TEST_P(MqttContract, a_client_taken_over_is_closed_and_its_will_is_published) {
  const auto reader = subscribed("reader", "berm/+/state");
  MqttOptions options = bench_->options("node");
  options.has_will = true;
  options.will = message_of("berm/node/state", "offline");
  const auto first = connected(options);
  const auto second = connected("node");
  const auto [code, reason] = end_of(*first);
  EXPECT_EQ(code, ErrorCode::closed);
  // Mosquitto 2.0.11 ends the connection without the DISCONNECT that says so.
  EXPECT_TRUE(reason == 142 || reason == 0) << reason;
  ASSERT_TRUE(bench_->run_until([&] { return !reader->messages.empty(); }));
  EXPECT_EQ(reader->messages[0].payload, "offline");
  EXPECT_TRUE(second->client->is_connected());
}

TEST_P(MqttContract, after_disconnect_nothing_is_told_and_no_will_published) {
  const auto reader = subscribed("reader", "berm/#");
  MqttOptions options = bench_->options("node");
  options.has_will = true;
  options.will = message_of("berm/node/state", "offline");
  const auto node = connected(options);
  EXPECT_TRUE(node->client->publish(message_of("berm/last", "x")).has_value());
  node->client->disconnect();
  EXPECT_FALSE(node->client->is_connected());
  // What was published before still arrives.
  EXPECT_TRUE(bench_->run_until([&] { return !reader->messages.empty(); }));
  bench_->run_for(Milliseconds{100});
  EXPECT_EQ(reader->messages.size(), 1U);
  EXPECT_TRUE(node->acks.empty());
  EXPECT_TRUE(node->ends.empty());
}

TEST_P(MqttContract, a_client_connects_again_and_repeats_nothing_by_itself) {
  const auto reader = subscribed("reader", "berm/#");
  const auto node = connected("node");
  bench_->freeze();
  ASSERT_TRUE(node->client->publish(message_of("berm/n", "unacknowledged")).has_value());
  bench_->run_for(Milliseconds{20});
  node->client->disconnect();
  node->client->connect();
  bench_->thaw();
  ASSERT_TRUE(bench_->run_until([&] { return node->client->is_connected(); }));
  EXPECT_EQ(reason_of(*node, message_of("berm/n", "marker")), 0);
  ASSERT_TRUE(bench_->run_until(
      [&] { return !reader->messages.empty() && reader->messages.back().payload == "marker"; }));
  EXPECT_EQ(reader->messages.size(), 2U);
  EXPECT_EQ(node->acks.size(), 1U);
}

TEST_P(MqttContract, a_killed_broker_is_closed_and_then_refuses) {
  const auto node = connected("node");
  ASSERT_TRUE(node->client->publish(message_of("berm/n", "x")).has_value());
  bench_->kill();
  EXPECT_EQ(end_of(*node), std::make_pair(ErrorCode::closed, 0));
  node->ends.clear();
  node->client->connect();
  EXPECT_EQ(end_of(*node), std::make_pair(ErrorCode::unavailable, 0));
}

TEST_P(MqttContract, a_frozen_broker_is_noticed_by_the_keepalive) {
  MqttOptions options = bench_->options("node");
  options.keepalive_s = 5;
  const auto node = connected(options);
  bench_->freeze();
  const MonoTime began = bench_->loop().now();
  EXPECT_EQ(end_of(*node), std::make_pair(ErrorCode::timeout, 0));
  EXPECT_LE(bench_->loop().now() - began, Seconds{14});
}

TEST_P(MqttContract, an_idle_connection_outlives_its_keepalive) {
  MqttOptions options = bench_->options("node");
  options.keepalive_s = 5;
  const auto node = connected(options);
  bench_->run_for(Seconds{12});
  EXPECT_TRUE(node->ends.empty());
  EXPECT_EQ(reason_of(*node, message_of("berm/n", "x")), 16);
}

TEST_P(MqttContract, a_broker_that_does_not_answer_connect_is_a_timeout_in_time) {
  bench_->freeze();
  MqttOptions options = bench_->options("node");
  options.timeout = Milliseconds{300};
  const auto node = make(options);
  const MonoTime began = bench_->loop().now();
  node->client->connect();
  EXPECT_EQ(end_of(*node), std::make_pair(ErrorCode::timeout, 0));
  EXPECT_GE(bench_->loop().now() - began, Milliseconds{300});
  EXPECT_TRUE(node->connacks.empty());
}

TEST_P(MqttContract, a_client_that_dies_while_connecting_is_not_told_anything) {
  const auto node = make(bench_->options("node"));
  node->client->connect();
  node->client.reset();
  bench_->run_for(Milliseconds{100});
  EXPECT_TRUE(node->connacks.empty());
  EXPECT_TRUE(node->ends.empty());
}

TEST_P(MqttContract, an_event_may_destroy_the_client) {
  std::unique_ptr<MqttClient> client;
  bool is_gone = false;
  MqttEvents events;
  events.on_connected = [&](int, bool) {
    client.reset();
    is_gone = true;
  };
  auto made = bench_->clients().create(bench_->options("node"), std::move(events));
  ASSERT_TRUE(made.has_value());
  client = std::move(*made);
  client->connect();
  EXPECT_TRUE(bench_->run_until([&] { return is_gone; }));
  bench_->run_for(Milliseconds{50});
}

TEST_P(MqttContract, on_disconnected_may_connect_again) {
  const auto other = connected("other");
  auto subject = std::make_unique<Subject>();
  int connacks = 0;
  MqttEvents events;
  events.on_connected = [&](int, bool) { ++connacks; };
  events.on_disconnected = [&](const Error&, int) { subject->client->connect(); };
  auto made = bench_->clients().create(bench_->options("node"), std::move(events));
  ASSERT_TRUE(made.has_value());
  subject->client = std::move(*made);
  subject->client->connect();
  ASSERT_TRUE(bench_->run_until([&] { return connacks == 1; }));
  const auto thief = make(bench_->options("node"));
  thief->client->connect();
  EXPECT_TRUE(bench_->run_until([&] { return connacks == 2; }));
}

TEST_P(MqttContract, tls_with_the_right_authority_works) {
  const auto node = connected(bench_->tls_options("node"));
  EXPECT_EQ(reason_of(*node, message_of("berm/n", std::string(100'000, 'x'))), 16);
  bench_->kill();
  EXPECT_EQ(end_of(*node).first, ErrorCode::closed);
}

TEST_P(MqttContract, a_certificate_of_another_authority_is_refused) {
  const auto node = make(bench_->distrusting_options("node"));
  node->client->connect();
  EXPECT_EQ(end_of(*node), std::make_pair(ErrorCode::permission, 0)) << node->end_texts[0];
  EXPECT_TRUE(node->connacks.empty());
}

TEST_P(MqttContract, a_certificate_of_another_name_is_refused) {
  const auto node = make(bench_->wrong_name_options("node"));
  node->client->connect();
  EXPECT_EQ(end_of(*node), std::make_pair(ErrorCode::permission, 0)) << node->end_texts[0];
}

TEST_P(MqttContract, options_out_of_range_make_no_client) {
  const auto code_of = [&](const std::function<void(MqttOptions&)>& change) {
    MqttOptions options = bench_->options("node");
    change(options);
    const auto made = bench_->clients().create(options, {});
    return made ? ErrorCode::io : made.error().code;
  };
  EXPECT_EQ(code_of([](MqttOptions& o) { o.keepalive_s = 4; }), ErrorCode::invalid);
  EXPECT_EQ(code_of([](MqttOptions& o) { o.keepalive_s = 5; }), ErrorCode::io);
  EXPECT_EQ(code_of([](MqttOptions& o) { o.max_in_flight = 0; }), ErrorCode::invalid);
  EXPECT_EQ(code_of([](MqttOptions& o) { o.max_in_flight = 100; }), ErrorCode::io);
  EXPECT_EQ(code_of([](MqttOptions& o) { o.max_in_flight = 101; }), ErrorCode::invalid);
  EXPECT_EQ(code_of([](MqttOptions& o) { o.port = 0; }), ErrorCode::invalid);
  EXPECT_EQ(code_of([](MqttOptions& o) { o.port = 65536; }), ErrorCode::invalid);
  EXPECT_EQ(code_of([](MqttOptions& o) { o.host.clear(); }), ErrorCode::invalid);
}

TEST_P(MqttContract, bytes_are_counted_over_all_connections) {
  const bool is_real = std::string_view(GetParam().name) == "linux";
  if (is_real && test::is_emulated()) GTEST_SKIP() << test::kNoByteCounters;
  const auto node = connected("node");
  reason_of(*node, message_of("berm/n", std::string(5000, 'x')));
  node->client->disconnect();
  const Status status = node->client->status();
  EXPECT_GE(status.integer("bytes_sent"), 5000);
  EXPECT_LE(status.integer("bytes_sent"), 5300);
  EXPECT_GE(status.integer("bytes_received"), 8);
  EXPECT_LE(status.integer("bytes_received"), 200);
}

INSTANTIATE_TEST_SUITE_P(Backends, MqttContract,
                         testing::Values(MqttBackend{"linux", &make_linux_mqtt},
                                         MqttBackend{"sim", &make_sim_mqtt}),
                         [](const auto& backend) { return std::string(backend.param.name); });

}  // namespace
}  // namespace berm::hal::contract
