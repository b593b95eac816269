// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/mqtt_transport.hpp"

#include <gtest/gtest.h>

#include "firmware/uplink/limits.hpp"
#include "hal/sim/loop.hpp"

namespace berm::uplink {
namespace {

// The broker's side, as the test moves it.
struct FakeBroker {
  hal::MqttOptions options;
  hal::MqttEvents events;  // of the newest client
  std::vector<hal::MqttMessage> published;
  std::vector<std::string> subscriptions;
  std::optional<Error> publish_error;
  std::uint64_t last_id = 0;
  int clients = 0;
  int disconnects = 0;
  bool is_connected = false;
  bool refuses_to_make = false;
};

class FakeClient final : public hal::MqttClient {
 public:
  explicit FakeClient(FakeBroker& broker) : broker_(broker) {}
  void connect() override {}
  void disconnect() override {
    ++broker_.disconnects;
    broker_.is_connected = false;
  }
  bool is_connected() const override { return broker_.is_connected; }
  Result<std::uint64_t> publish(const hal::MqttMessage& message) override {
    if (broker_.publish_error) return fail(*broker_.publish_error);
    broker_.published.push_back(message);
    return ++broker_.last_id;
  }
  Result<void> subscribe(const std::string& filter, int) override {
    broker_.subscriptions.push_back(filter);
    return {};
  }
  Status status() const override { return Status("mqtt"); }

 private:
  FakeBroker& broker_;
};

class FakeClients final : public hal::MqttClients {
 public:
  explicit FakeClients(FakeBroker& broker) : broker_(broker) {}
  Result<std::unique_ptr<hal::MqttClient>> create(hal::MqttOptions options,
                                                  hal::MqttEvents events) override {
    if (broker_.refuses_to_make) return fail(ErrorCode::not_found, "no such file: ca.pem");
    ++broker_.clients;
    broker_.options = std::move(options);
    broker_.events = std::move(events);
    return std::make_unique<FakeClient>(broker_);
  }

 private:
  FakeBroker& broker_;
};

struct MqttTransportTest : testing::Test {
  void make(MqttTransportOptions options) {
    transport = std::make_unique<MqttTransport>(std::move(options), loop, clients);
  }
  static MqttTransportOptions options() {
    MqttTransportOptions options{.headers = codec::EventHeaders("e19", {})};
    options.broker.host = "broker";
    return options;
  }
  void open() {
    transport->open({.on_ready = [this] { ++ready; },
                     .on_lost = [this](const Loss& loss) { losses.push_back(loss); }});
  }
  void connect() {
    open();
    broker.is_connected = true;
    broker.events.on_connected(0, false);
  }
  static event::Event event(std::int64_t seq) {
    event::Event event;
    event.schema = event::find_schema("traffic.lane");
    event.epoch = "k3v9x2m8q1";
    event.seq = seq;
    event.line = "{\"seq\":" + std::to_string(seq) + "}";
    return event;
  }
  void send(const event::Event& event) {
    transport->send({{&event, "live"}}, [this](const Answer& got) { answers.push_back(got); });
  }

  hal::SimLoop loop;
  FakeBroker broker;
  FakeClients clients{broker};
  std::unique_ptr<MqttTransport> transport;
  int ready = 0;
  std::vector<Loss> losses;
  std::vector<Answer> answers;
};

TEST_F(MqttTransportTest, SaysOnlineRetainedAndLeavesOfflineAsItsWill) {
  make(options());
  open();
  EXPECT_FALSE(transport->is_ready());
  broker.events.on_connected(0, false);
  EXPECT_TRUE(transport->is_ready());
  EXPECT_EQ(ready, 1);
  ASSERT_EQ(broker.published.size(), 1U);
  EXPECT_EQ(broker.published[0].topic, "berm/e19/state");
  EXPECT_EQ(broker.published[0].payload, "online");
  EXPECT_TRUE(broker.published[0].retain);
  EXPECT_TRUE(broker.options.has_will);
  EXPECT_EQ(broker.options.will.payload, "offline");
  EXPECT_TRUE(broker.options.will.retain);
  EXPECT_EQ(broker.options.will.topic, "berm/e19/state");
  transport->close();
  EXPECT_EQ(broker.published.back().payload, "offline");
  EXPECT_EQ(broker.disconnects, 1);
}

TEST_F(MqttTransportTest, NobodyWhoReadsTheStateIsNoTrouble) {
  make(options());
  connect();
  broker.events.on_acknowledged(1, 16);
  EXPECT_TRUE(losses.empty());
  EXPECT_TRUE(transport->is_ready());
}

TEST_F(MqttTransportTest, APubackAnswersItsOwnMessage) {
  make(options());
  connect();
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) {
    const event::Event one = event(i);
    transport->send({{&one, "live"}}, [&order, i](const Answer&) { order.push_back(i); });
  }
  broker.events.on_acknowledged(3, 0);
  broker.events.on_acknowledged(2, 0);
  broker.events.on_acknowledged(4, 0);
  EXPECT_EQ(order, (std::vector<int>{1, 0, 2}));
}

TEST_F(MqttTransportTest, MessagesAreQos1WithHeadersAsProperties) {
  make(options());
  connect();
  send(event(7));
  const hal::MqttMessage& message = broker.published.back();
  EXPECT_EQ(message.topic, "berm/e19/event/traffic.lane");
  EXPECT_EQ(message.payload, "{\"seq\":7}\n");
  EXPECT_EQ(message.qos, 1);
  EXPECT_FALSE(message.retain);
  EXPECT_EQ(message.user_properties.back(), (std::pair<std::string, std::string>{"count", "1"}));
}

TEST_F(MqttTransportTest, OneEventPerMessageWhereWanted) {
  MqttTransportOptions wanted = options();
  wanted.payload = codec::MqttPayload::event;
  make(std::move(wanted));
  EXPECT_EQ(transport->limits().max_events, 1U);
  EXPECT_FALSE(transport->limits().one_stream);
  connect();
  send(event(7));
  EXPECT_EQ(broker.published.back().payload, "{\"seq\":7}");
}

TEST_F(MqttTransportTest, TheWindowLeavesRoomForTheState) {
  make(options());
  connect();
  EXPECT_EQ(transport->limits().max_in_flight, 20U);
  EXPECT_EQ(broker.options.max_in_flight, 32);
}

TEST_F(MqttTransportTest, NoSubscriberHoldsOrPassesAsTold) {
  for (const bool pass : {false, true}) {
    MqttTransportOptions wanted = options();
    wanted.pass_without_subscriber = pass;
    make(std::move(wanted));
    answers.clear();
    connect();
    send(event(1));
    broker.events.on_acknowledged(broker.last_id, 16);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].verdict, pass ? Verdict::delivered : Verdict::failed);
  }
}

TEST_F(MqttTransportTest, AfterALossNothingIsAnsweredAndANewClientConnects) {
  make(options());
  connect();
  send(event(1));
  const hal::MqttEvents old = broker.events;
  broker.events.on_disconnected({ErrorCode::closed, "connection reset"}, 0);
  ASSERT_EQ(losses.size(), 1U);
  EXPECT_EQ(losses[0].reason, "connection reset");
  EXPECT_FALSE(transport->is_ready());
  old.on_acknowledged(broker.last_id, 0);
  loop.run_for(Seconds(3600));
  EXPECT_TRUE(answers.empty());
  connect();
  EXPECT_EQ(broker.clients, 2);
  EXPECT_EQ(ready, 2);
}

TEST_F(MqttTransportTest, ARefusedConnectionIsALoss) {
  make(options());
  open();
  broker.events.on_connected(135, false);
  ASSERT_EQ(losses.size(), 1U);
  EXPECT_EQ(losses[0].trouble, Trouble::not_authorized);
  EXPECT_EQ(ready, 0);
}

TEST_F(MqttTransportTest, AClientThatCannotBeMadeIsALossNotInsideTheCall) {
  broker.refuses_to_make = true;
  make(options());
  open();
  EXPECT_TRUE(losses.empty());
  loop.run_for(Microseconds(0));
  ASSERT_EQ(losses.size(), 1U);
  EXPECT_EQ(losses[0].reason, "no such file: ca.pem");
}

TEST_F(MqttTransportTest, ABrokerThatAcknowledgesNothingIsGivenUp) {
  make(options());
  connect();
  send(event(1));
  loop.run_for(Seconds(20));
  send(event(2));
  broker.events.on_acknowledged(2, 0);  // the first
  loop.run_for(Seconds(29));
  EXPECT_TRUE(losses.empty());  // the second has 30 s of its own
  loop.run_for(Seconds(1));
  ASSERT_EQ(losses.size(), 1U);
  EXPECT_EQ(broker.disconnects, 1);
}

TEST_F(MqttTransportTest, AnIdleConnectionHasNoTimer) {
  make(options());
  connect();
  send(event(1));
  broker.events.on_acknowledged(broker.last_id, 0);
  EXPECT_TRUE(loop.is_idle());
}

TEST_F(MqttTransportTest, APublishThatFailsIsAnsweredNotInsideTheCall) {
  make(options());
  connect();
  broker.publish_error = Error{ErrorCode::unavailable, "offline"};
  send(event(1));
  EXPECT_TRUE(answers.empty());
  loop.run_for(Microseconds(0));
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].verdict, Verdict::failed);
}

TEST_F(MqttTransportTest, APacketTheClientKnowsToBeTooLargeIsTooLarge) {
  make(options());
  connect();
  broker.publish_error = Error{ErrorCode::invalid, "MQTT publish: packet too large"};
  send(event(1));
  loop.run_for(Microseconds(0));
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].verdict, Verdict::too_large);
  EXPECT_TRUE(answers[0].can_set_aside);
}

TEST_F(MqttTransportTest, AnEventLargerThanAMessageIsFaulty) {
  MqttTransportOptions wanted = options();
  wanted.max_message_bytes = 1000;
  make(std::move(wanted));
  event::Event large = event(1);
  large.line.assign(999, 'x');  // and its newline
  EXPECT_EQ(transport->fault_of(large), "");
  large.line.push_back('x');
  EXPECT_NE(transport->fault_of(large), "");
}

struct PresentTransportTest : MqttTransportTest {
  PresentTransportTest() {
    MqttTransportOptions wanted = options();
    wanted.instance = "mine";
    make(std::move(wanted));
  }
  void connect_and_tell(int reason = 1) {
    connect();
    broker.events.on_subscribed("berm/e19/info", reason);
    broker.events.on_acknowledged(broker.last_id, 16);
  }
  void say(const std::string& text) {
    hal::MqttMessage message;
    message.topic = "berm/e19/info";
    message.payload = text;
    broker.events.on_message(message);
  }
};

TEST_F(PresentTransportTest, SaysWhoItIsOnceItHasReadWhoWas) {
  connect();
  EXPECT_EQ(broker.subscriptions, std::vector<std::string>{"berm/e19/info"});
  EXPECT_EQ(broker.published.size(), 1U);
  broker.events.on_subscribed("berm/e19/info", 1);
  EXPECT_EQ(broker.published.size(), 1U);  // what was retained may come only now
  broker.events.on_acknowledged(broker.last_id, 16);
  ASSERT_EQ(broker.published.size(), 2U);
  EXPECT_EQ(broker.published[1].topic, "berm/e19/info");
  EXPECT_TRUE(broker.published[1].retain);
  EXPECT_NE(broker.published[1].payload.find("\"mine\""), std::string::npos);
  say(broker.published[1].payload);
  EXPECT_TRUE(losses.empty());
}

TEST_F(PresentTransportTest, ATwinEndsTheConnectionForLong) {
  connect_and_tell();
  say(R"({"instance":"other","connects":1})");
  EXPECT_TRUE(losses.empty());
  connect();
  say(R"({"instance":"other","connects":2})");
  ASSERT_EQ(losses.size(), 1U);
  EXPECT_EQ(losses[0].trouble, Trouble::identity_used_twice);
  EXPECT_EQ(losses[0].wait, kTakeoverWait);
  EXPECT_FALSE(transport->is_ready());
  EXPECT_EQ(broker.disconnects, 1);
  EXPECT_EQ(broker.published.size(), 3U);  // online, info, online: the twin's text stays
}

TEST_F(PresentTransportTest, ARefusedSubscriptionIsSaidAndHindersNothing) {
  connect_and_tell(135);
  EXPECT_TRUE(transport->is_ready());
  EXPECT_EQ(broker.published.size(), 2U);
  EXPECT_NE(transport->status().to_json().find("subscription refused: MQTT 135 not authorized"),
            std::string::npos);
}

TEST_F(MqttTransportTest, DestructionSaysOfflineAndLateAnswersDoNothing) {
  make(options());
  connect();
  broker.publish_error = Error{ErrorCode::unavailable, "offline"};
  send(event(1));
  broker.publish_error.reset();
  transport.reset();
  EXPECT_EQ(broker.published.back().payload, "offline");
  loop.run_for(Seconds(100));
  EXPECT_TRUE(answers.empty());
}

}  // namespace
}  // namespace berm::uplink
