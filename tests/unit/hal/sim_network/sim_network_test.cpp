// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <optional>

#include "hal/sim/flume_server.hpp"
#include "hal/sim/loop.hpp"
#include "hal/sim/mqtt_broker.hpp"
#include "hal/sim/mqtt_client.hpp"
#include "hal/sim/network.hpp"

namespace berm::hal {
namespace {

constexpr char kFlume[] = "flume:80";

class SimNetworkTest : public testing::Test {
 protected:
  HttpRequest post(std::string body) {
    HttpRequest request;
    request.method = "POST";
    request.url = "http://flume/";
    request.headers = {{"Content-Type", "application/json; charset=utf-8"}};
    request.body = std::move(body);
    return request;
  }
  Result<HttpAnswer> ask(HttpRequest request) {
    std::optional<Result<HttpAnswer>> answer;
    client_.send(std::move(request), [&](Result<HttpAnswer> result) { answer = result; });
    while (!answer && loop_.step()) {
    }
    if (!answer) return fail(ErrorCode::io, "no outcome");
    return std::move(*answer);
  }
  int status_of(HttpRequest request) {
    const auto answer = ask(std::move(request));
    return answer ? answer->status : 0;
  }
  static std::string batch(std::size_t events) {
    std::string text = "[";
    for (std::size_t i = 0; i < events; ++i) {
      if (i > 0) text += ',';
      text += R"({"headers":{"id":")" + std::to_string(i) + R"("},"body":"b"})";
    }
    return text + "]";
  }

  SimLoop loop_;
  SimNetwork network_{loop_};
  SimHttpClient client_{network_};
};

TEST_F(SimNetworkTest, an_accepted_batch_is_recorded_with_its_headers) {
  const SimFlumeServer flume(network_, kFlume);
  const auto answer = ask(post(batch(2)));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(answer->body.empty());
  ASSERT_EQ(flume.taken().size(), 2U);
  EXPECT_EQ(flume.taken()[1].header("id"), "1");
  EXPECT_FALSE(flume.taken()[0].is_doubly_encoded);
}

TEST_F(SimNetworkTest, a_batch_of_the_transactions_capacity_passes_and_one_more_is_503_at_once) {
  const SimFlumeServer flume(network_, kFlume);
  EXPECT_EQ(status_of(post(batch(100))), 200);
  const MonoTime began = loop_.now();
  const auto answer = ask(post(batch(101)));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 503);
  EXPECT_NE(answer->body.find("Put queue for MemoryTransaction of capacity 100 full"),
            std::string::npos);
  EXPECT_LT(loop_.now() - began, Seconds{1});
  EXPECT_EQ(flume.taken().size(), 100U);
}

TEST_F(SimNetworkTest, a_full_second_channel_is_503_after_3_s_and_the_first_keeps_the_batch) {
  SimFlumeServer flume(network_, kFlume,
                       {.transaction_capacity = 100, .channel_capacity = 10, .channels = 2});
  flume.freeze_sink(1, true);
  EXPECT_EQ(status_of(post(batch(10))), 200);
  const MonoTime began = loop_.now();
  EXPECT_EQ(status_of(post(batch(1))), 503);
  EXPECT_GE(loop_.now() - began, Seconds{3});
  EXPECT_EQ(flume.taken(0).size(), 11U);
  EXPECT_EQ(flume.taken(1).size(), 10U);
  flume.freeze_sink(1, false);
  EXPECT_EQ(status_of(post(batch(1))), 200);
  EXPECT_EQ(flume.taken(0).size(), 12U);
}

TEST_F(SimNetworkTest, flume_refuses_what_the_real_one_refuses) {
  SimFlumeServer flume(network_, kFlume);
  EXPECT_EQ(status_of(post(R"([{"body":"good"},{"body":{}}])")), 400);
  EXPECT_EQ(status_of(post(R"({"body":"no array"})")), 400);
  EXPECT_EQ(status_of(post("[{]")), 400);
  EXPECT_EQ(status_of(post(R"([{"headers":{"a":{}},"body":"x"}])")), 400);
  EXPECT_EQ(status_of(post("")), 500);
  EXPECT_EQ(status_of(post("[null]")), 500);
  EXPECT_EQ(status_of(post("[]")), 200);
  HttpRequest request = post(batch(1));
  request.headers = {{"Content-Type", "application/json; charset=iso-8859-1"}};
  EXPECT_EQ(status_of(request), 500);
  request = post(batch(1));
  request.headers.emplace_back("Content-Encoding", "gzip");
  EXPECT_EQ(status_of(request), 400);
  request = post(batch(1));
  request.headers.emplace_back("X", std::string(9000, 'x'));
  EXPECT_EQ(status_of(request), 431);
  EXPECT_TRUE(flume.taken().empty());
  request = post(batch(1));
  request.headers.clear();
  EXPECT_EQ(status_of(request), 200);
  EXPECT_TRUE(flume.taken()[0].is_doubly_encoded);
}

TEST_F(SimNetworkTest, a_captive_portal_says_200_with_html_and_takes_nothing) {
  SimFlumeServer flume(network_, kFlume);
  flume.set_captive_portal(true);
  const auto answer = ask(post(batch(1)));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
  EXPECT_FALSE(answer->body.empty());
  EXPECT_TRUE(flume.taken().empty());
}

TEST_F(SimNetworkTest, a_lost_answer_leaves_the_events_at_the_server) {
  const SimFlumeServer flume(network_, kFlume);
  network_.lose_answers(kFlume, 1);
  const auto lost = ask(post(batch(3)));
  ASSERT_FALSE(lost.has_value());
  EXPECT_EQ(lost.error().code, ErrorCode::timeout);
  EXPECT_EQ(flume.taken().size(), 3U);
  EXPECT_EQ(status_of(post(batch(3))), 200);
  EXPECT_EQ(flume.taken().size(), 6U);
}

TEST_F(SimNetworkTest, a_stalled_answer_arrives_when_the_stall_ends_in_time) {
  const SimFlumeServer flume(network_, kFlume);
  network_.set_link(kFlume, {.stall_answers = true});
  // Connecting needs no answer of the server's program; what it says does.
  loop_.after(Seconds{2}, [&] { network_.set_link(kFlume, {}); });
  const MonoTime began = loop_.now();
  EXPECT_EQ(status_of(post(batch(1))), 200);
  EXPECT_GE(loop_.now() - began, Seconds{2});
}

TEST_F(SimNetworkTest, a_black_hole_is_a_timeout_at_a_third_of_the_time) {
  const SimFlumeServer flume(network_, kFlume);
  network_.set_link(kFlume, {.stall = true});
  HttpRequest request = post(batch(1));
  request.timeout = Milliseconds{9000};
  const MonoTime began = loop_.now();
  EXPECT_EQ(status_of(request), 0);
  EXPECT_EQ(loop_.now() - began, Seconds{3});
  EXPECT_TRUE(flume.taken().empty());
}

TEST_F(SimNetworkTest, a_cut_ends_the_request_and_the_next_connects_anew) {
  const SimFlumeServer flume(network_, kFlume);
  network_.set_link(kFlume, {.latency = Seconds{1}});
  loop_.after(Milliseconds{3500}, [&] { network_.cut(kFlume); });
  const auto answer = ask(post(batch(1)));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::closed);
  EXPECT_EQ(status_of(post(batch(1))), 200);
  EXPECT_EQ(network_.connections_made(), 2U);
}

TEST_F(SimNetworkTest, bandwidth_takes_its_time) {
  const SimFlumeServer flume(network_, kFlume);
  network_.set_link(kFlume, {.latency = Microseconds{0}, .bytes_per_s = 10'000});
  HttpRequest request = post(R"([{"body":")" + std::string(20'000, 'x') + R"("}])");
  const MonoTime began = loop_.now();
  EXPECT_EQ(status_of(request), 200);
  EXPECT_GE(loop_.now() - began, Seconds{2});
  EXPECT_LT(loop_.now() - began, Milliseconds{2200});
}

TEST_F(SimNetworkTest, the_same_seed_loses_the_same_requests) {
  const auto outcome = [](std::uint64_t seed) {
    SimLoop loop;
    SimNetwork network(loop, seed);
    const SimFlumeServer flume(network, kFlume);
    network.set_link(kFlume, {.refuse_share = 0.3, .cut_share = 0.2, .lose_answer_share = 0.2});
    std::string text;
    SimHttpClient client(network);
    for (int i = 0; i < 200; ++i) {
      HttpRequest request;
      request.method = "POST";
      request.url = "http://flume/";
      request.body = "[]";
      client.send(request, [&](const Result<HttpAnswer>& result) {
        text += result ? '+' : "uxtc?"[static_cast<std::size_t>(result.error().code) % 5];
      });
      loop.run_until_idle();
    }
    return text;
  };
  const std::string first = outcome(7);
  EXPECT_EQ(first.size(), 200U);
  EXPECT_NE(first.find('+'), std::string::npos);
  EXPECT_NE(first, std::string(200, '+'));
  EXPECT_EQ(first, outcome(7));
  EXPECT_NE(first, outcome(8));
}

TEST_F(SimNetworkTest, a_killed_flume_refuses_until_it_starts) {
  SimFlumeServer flume(network_, kFlume);
  flume.kill();
  EXPECT_EQ(ask(post(batch(1))).error().code, ErrorCode::unavailable);
  flume.start();
  EXPECT_EQ(status_of(post(batch(1))), 200);
}

class SimBrokerTest : public testing::Test {
 protected:
  std::unique_ptr<MqttClient> connect(const std::string& id) {
    MqttOptions options;
    options.host = "broker";
    options.client_id = id;
    MqttEvents events;
    events.on_connected = [this](int reason, bool) { connack_ = reason; };
    events.on_disconnected = [this](const Error& error, int reason) {
      end_ = {error.code, reason};
    };
    events.on_acknowledged = [this](std::uint64_t, int reason) { ack_ = reason; };
    auto client = clients_.create(options, std::move(events));
    EXPECT_TRUE(client.has_value());
    (*client)->connect();
    loop_.run_for(Seconds{1});
    return std::move(*client);
  }
  int publish(MqttClient& client, const std::string& topic) {
    ack_ = -1;
    MqttMessage message;
    message.topic = topic;
    message.payload = "x";
    EXPECT_TRUE(client.publish(message).has_value());
    loop_.run_for(Seconds{1});
    return ack_;
  }

  SimLoop loop_;
  SimNetwork network_{loop_};
  SimBroker broker_{network_, "broker:1883"};
  SimMqttClients clients_{network_};
  int connack_ = -1;
  int ack_ = -1;
  std::pair<ErrorCode, int> end_{ErrorCode::io, -1};
};

TEST_F(SimBrokerTest, the_centre_reads_what_a_node_publishes) {
  std::vector<std::string> read;
  const auto node = connect("node");
  EXPECT_EQ(connack_, 0);
  EXPECT_EQ(publish(*node, "berm/node/event/a"), kMqttNoSubscriber);
  broker_.subscribe("berm/+/event/#", [&](const MqttMessage& m) { read.push_back(m.topic); });
  EXPECT_EQ(publish(*node, "berm/node/event/b"), 0);
  EXPECT_EQ(read, std::vector<std::string>{"berm/node/event/b"});
  EXPECT_EQ(broker_.taken().size(), 2U);
}

TEST_F(SimBrokerTest, a_second_client_of_the_same_name_takes_over_with_142) {
  const auto first = connect("node");
  const auto second = connect("node");
  EXPECT_EQ(end_, std::make_pair(ErrorCode::closed, kMqttTakenOver));
  EXPECT_FALSE(first->is_connected());
  EXPECT_TRUE(second->is_connected());
}

TEST_F(SimBrokerTest, a_message_the_judge_refuses_is_not_taken) {
  broker_.set_judge([](const std::string&, const MqttMessage&) { return 151; });
  const auto node = connect("node");
  EXPECT_EQ(publish(*node, "berm/a"), 151);
  EXPECT_TRUE(broker_.taken().empty());
}

TEST_F(SimBrokerTest, a_refused_connack_closes) {
  broker_.set_connack_reason(135);
  const auto node = connect("node");
  EXPECT_EQ(connack_, 135);
  EXPECT_FALSE(node->is_connected());
  EXPECT_EQ(end_.second, -1);
}

TEST_F(SimBrokerTest, a_frozen_broker_reads_everything_when_it_thaws) {
  broker_.subscribe("#", nullptr);
  const auto node = connect("node");
  broker_.freeze();
  EXPECT_EQ(publish(*node, "berm/a"), -1);
  EXPECT_TRUE(broker_.taken().empty());
  broker_.thaw();
  loop_.run_for(Seconds{1});
  EXPECT_EQ(ack_, 0);
  EXPECT_EQ(broker_.taken().size(), 1U);
}

TEST(TopicFilterTest, wildcards_match_levels) {
  EXPECT_TRUE(matches_topic_filter("a/+/c", "a/b/c"));
  EXPECT_FALSE(matches_topic_filter("a/+", "a/b/c"));
  EXPECT_TRUE(matches_topic_filter("a/#", "a/b/c"));
  EXPECT_TRUE(matches_topic_filter("a/#", "a"));
  EXPECT_TRUE(matches_topic_filter("#", "a/b"));
  EXPECT_FALSE(matches_topic_filter("#", "$SYS/x"));
  EXPECT_FALSE(matches_topic_filter("a/b", "a"));
  EXPECT_FALSE(matches_topic_filter("a", "a/b"));
}

}  // namespace
}  // namespace berm::hal
