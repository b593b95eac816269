// SPDX-License-Identifier: Apache-2.0
// The whole way out in virtual time: fake outbox, forwarder, the real transports, and the simulated
// Flume, broker and stick at its end.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "firmware/uplink/file_transport.hpp"
#include "firmware/uplink/forwarder.hpp"
#include "firmware/uplink/http_transport.hpp"
#include "firmware/uplink/mqtt_transport.hpp"
#include "hal/base/text.hpp"
#include "hal/sim/clock.hpp"
#include "hal/sim/disk.hpp"
#include "hal/sim/executor.hpp"
#include "hal/sim/flume_server.hpp"
#include "hal/sim/http_client.hpp"
#include "hal/sim/loop.hpp"
#include "hal/sim/mqtt_broker.hpp"
#include "hal/sim/mqtt_client.hpp"
#include "hal/sim/random.hpp"
#include "tests/support/fake_outbox.hpp"
#include "tests/unit/firmware/uplink/recorded_alarms.hpp"

namespace berm::uplink {
namespace {

using State = outbox::FakeOutbox::State;

struct Street : testing::Test {
  std::size_t count(State state) const { return outbox.count(state); }
  void run(std::unique_ptr<Transport> transport, std::size_t batch_events = 100) {
    ForwarderOptions options;
    options.name = "out";
    options.batch_events = batch_events;
    forwarder =
        make_forwarder(options, std::move(transport), {loop, clock, random, outbox, alarms});
    forwarder->start();
  }

  hal::SimLoop loop;
  hal::SimClock clock{loop};
  hal::SimRandom random{1};
  hal::SimNetwork network{loop};
  outbox::FakeOutbox outbox{loop};
  RecordedAlarms alarms;
  hal::SimHttpClient http{network};
  hal::SimMqttClients mqtt{network};
  std::unique_ptr<Uplink> forwarder;
};

// --- Flume ---

struct FlumeStreet : Street {
  void run_to_flume(std::size_t batch_events = 100) {
    HttpTransportOptions options{.url = "http://flume:9260/",
                                 .headers = codec::EventHeaders("e19", {})};
    run(std::make_unique<HttpTransport>(std::move(options), loop, http), batch_events);
  }
  // By id: how often the channel took it; every body of one id must be the same.
  static std::map<std::string, int> by_id(const std::vector<hal::SimFlumeEvent>& taken) {
    std::map<std::string, int> count;
    std::map<std::string, std::string> bodies;
    for (const hal::SimFlumeEvent& event : taken) {
      const std::string id(event.header("id"));
      ++count[id];
      EXPECT_EQ(bodies.try_emplace(id, event.body).first->second, event.body);
      EXPECT_FALSE(event.is_doubly_encoded);
    }
    return count;
  }
};

TEST_F(FlumeStreet, EventsArriveOnceInOrderWithTheirHeaders) {
  hal::SimFlumeServer flume(network, "flume:9260");
  outbox.add_many(1000);
  run_to_flume();
  loop.run_for(Seconds(60));
  ASSERT_EQ(flume.taken().size(), 1000U);
  EXPECT_EQ(flume.taken()[41].header("id"), "e19/k3v9x2m8q1/traffic.lane/42");
  EXPECT_EQ(flume.taken()[41].header("topic"), "traffic.realtime");
  EXPECT_EQ(flume.taken()[41].header("key"), "e19");
  EXPECT_EQ(flume.taken()[41].body, outbox.line_of("traffic.lane", 42));
}

TEST_F(FlumeStreet, ACapacityOfAHundredIsLearntFromBatchesOfAThousand) {
  hal::SimFlumeServer flume(network, "flume:9260", {.transaction_capacity = 100});
  outbox.add_many(20'000);
  run_to_flume(1000);
  loop.run_for(Seconds(600));
  EXPECT_EQ(flume.taken().size(), 20'000U);
  EXPECT_GE(forwarder->status().integer("batch_limit"), 88);
  EXPECT_TRUE(alarms.history.empty());
}

TEST_F(FlumeStreet, AFullSecondChannelGivesRepeatsOfTheSameIdsOnly) {
  hal::SimFlumeServer flume(network, "flume:9260", {.channel_capacity = 150, .channels = 2});
  flume.freeze_sink(1, true);
  outbox.add_many(400);
  run_to_flume();
  loop.run_for(Seconds(120));
  EXPECT_TRUE(alarms.is_on("uplink_down/out"));
  flume.freeze_sink(1, false);
  loop.run_for(Seconds(600));
  EXPECT_EQ(count(State::delivered), 400U);
  EXPECT_EQ(by_id(flume.taken(0)).size(), 400U);
  EXPECT_EQ(by_id(flume.taken(1)).size(), 400U);
  EXPECT_GT(flume.taken(0).size(), 400U);
  EXPECT_FALSE(alarms.is_on("uplink_down/out"));
}

TEST_F(FlumeStreet, OnePoisonEventCostsItselfOnly) {
  hal::SimFlumeServer flume(network, "flume:9260");
  flume.set_poison("traffic.lane/77\"");
  outbox.add_many(300);
  run_to_flume();
  loop.run_for(Seconds(60));
  EXPECT_EQ(count(State::delivered), 299U);
  EXPECT_EQ(outbox.state_of("traffic.lane", 77), State::refused);
  EXPECT_EQ(by_id(flume.taken()).size(), 299U);
}

TEST_F(FlumeStreet, ACaptivePortalTakesNothing) {
  hal::SimFlumeServer flume(network, "flume:9260");
  flume.set_captive_portal(true);
  outbox.add_many(100);
  run_to_flume();
  loop.run_for(Seconds(3600));
  EXPECT_EQ(count(State::waiting), 100U);
  EXPECT_NE(alarms.text("uplink_down/out").find("this is not Flume"), std::string::npos);
  flume.set_captive_portal(false);
  loop.run_for(Seconds(310));
  EXPECT_EQ(count(State::delivered), 100U);
}

TEST_F(FlumeStreet, AnswersLostAfterTheCommitGiveRepeats) {
  hal::SimFlumeServer flume(network, "flume:9260");
  outbox.add_many(500);
  run_to_flume();
  network.lose_answers("flume:9260", 2);
  loop.run_for(Seconds(600));
  EXPECT_EQ(count(State::delivered), 500U);
  EXPECT_EQ(by_id(flume.taken()).size(), 500U);
}

TEST_F(FlumeStreet, AServerThatIsKilledAndComesBackGetsTheRest) {
  hal::SimFlumeServer flume(network, "flume:9260");
  run_to_flume();
  for (int i = 0; i < 20; ++i) {
    outbox.add_many(50);
    loop.run_for(Seconds(30));
    i % 2 == 0 ? flume.kill() : flume.start();
  }
  loop.run_for(Seconds(600));
  EXPECT_EQ(count(State::delivered), 1000U);
  EXPECT_EQ(by_id(flume.taken()).size(), 1000U);
}

TEST_F(FlumeStreet, AnEventOverAMegabyteIsNeverSent) {
  hal::SimFlumeServer flume(network, "flume:9260");
  outbox.add("traffic.lane", 1'000'001);
  outbox.add("traffic.lane", 1'000'000);
  run_to_flume();
  loop.run_for(Seconds(60));
  ASSERT_EQ(flume.taken().size(), 1U);
  EXPECT_EQ(flume.taken()[0].body.size(), 1'000'000U);
  EXPECT_EQ(outbox.state_of("traffic.lane", 1), State::refused);
}

// --- MQTT ---

struct MqttStreet : Street {
  MqttStreet() {
    broker.subscribe("berm/+/event/#", [this](const hal::MqttMessage& message) {
      std::string_view rest = message.payload;
      while (!rest.empty()) {
        lines.emplace_back(rest.substr(0, rest.find('\n')));
        rest.remove_prefix(std::min(rest.size(), lines.back().size() + 1));
      }
    });
  }
  std::unique_ptr<Transport> transport(codec::MqttPayload payload = codec::MqttPayload::lines) {
    MqttTransportOptions options{.headers = codec::EventHeaders("e19", {}), .payload = payload};
    options.broker.host = "broker";
    return std::make_unique<MqttTransport>(std::move(options), loop, mqtt);
  }
  std::string state() const {
    const hal::MqttMessage* const message = broker.retained("berm/e19/state");
    return message == nullptr ? "(none)" : message->payload;
  }

  hal::SimBroker broker{network, "broker:1883"};
  std::vector<std::string> lines;
};

TEST_F(MqttStreet, LinesArriveInOrderAndTheStateIsOnline) {
  outbox.add_many(5000);
  run(transport());
  loop.run_for(Seconds(60));
  ASSERT_EQ(lines.size(), 5000U);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    ASSERT_EQ(lines[i], outbox.line_of("traffic.lane", static_cast<std::int64_t>(i) + 1));
  }
  EXPECT_EQ(state(), "online");
  EXPECT_TRUE(broker.is_connected("e19"));
}

TEST_F(MqttStreet, OneEventPerMessageArrivesToo) {
  outbox.add_many(500);
  run(transport(codec::MqttPayload::event));
  loop.run_for(Seconds(60));
  EXPECT_EQ(lines.size(), 500U);
  EXPECT_EQ(count(State::delivered), 500U);
}

TEST_F(MqttStreet, AnOrderlyStopSaysOfflineAVanishedNodeLeavesItsWill) {
  run(transport());
  loop.run_for(Seconds(1));
  forwarder->stop(Seconds(5), [] {});
  loop.run_for(Seconds(1));
  EXPECT_EQ(state(), "offline");
  run(transport());
  loop.run_for(Seconds(1));
  EXPECT_EQ(state(), "online");
  network.cut("broker:1883");
  loop.run_for(Milliseconds(50));
  EXPECT_EQ(state(), "offline");
  loop.run_for(Seconds(60));
  EXPECT_EQ(state(), "online");
}

TEST_F(MqttStreet, NobodySubscribedHoldsEverything) {
  broker.unsubscribe_all();
  outbox.add_many(100);
  run(transport());
  loop.run_for(Seconds(600));
  EXPECT_EQ(count(State::waiting), 100U);
  EXPECT_TRUE(alarms.is_on("no_subscriber/out"));
  broker.subscribe("berm/#", [](const hal::MqttMessage&) {});
  loop.run_for(Seconds(310));
  EXPECT_EQ(count(State::delivered), 100U);
  EXPECT_FALSE(alarms.is_on("no_subscriber/out"));
}

TEST_F(MqttStreet, ADeniedTopicHoldsEverythingAndSaysSo) {
  broker.set_judge([](const std::string&, const hal::MqttMessage&) { return 135; });
  outbox.add_many(100);
  run(transport());
  loop.run_for(Seconds(600));
  EXPECT_EQ(count(State::waiting), 100U);
  EXPECT_TRUE(alarms.is_on("uplink_not_authorized/out"));
}

TEST_F(MqttStreet, AnotherNodeOfTheSameNameIsToldAndAvoided) {
  run(transport());
  loop.run_for(Seconds(10));
  broker.throw_out("e19");
  loop.run_for(Seconds(100));
  EXPECT_TRUE(alarms.is_on("identity_used_twice/out"));
  EXPECT_FALSE(broker.is_connected("e19"));
  loop.run_for(Seconds(400));
  EXPECT_TRUE(broker.is_connected("e19"));
}

TEST_F(MqttStreet, ABrokerThatFreezesAndOneThatIsKilledLoseNothing) {
  run(transport());
  for (int i = 0; i < 6; ++i) {
    outbox.add_many(300);
    loop.run_for(Seconds(20));
    i % 2 == 0 ? broker.freeze() : broker.thaw();
    outbox.add_many(300);
    loop.run_for(Seconds(200));
    i % 2 == 0 ? broker.thaw() : broker.kill();
    loop.run_for(Seconds(60));
    broker.start();
  }
  loop.run_for(Seconds(1000));
  EXPECT_EQ(count(State::delivered), 3600U);
  const std::set<std::string> distinct(lines.begin(), lines.end());
  EXPECT_EQ(distinct.size(), 3600U);
}

// --- a stick ---

TEST_F(Street, AStickThatComesAndGoesGetsEverything) {
  hal::SimDisk disk;
  hal::SimExecutor executor(loop);
  disk.prepare_directory("/media/usb");
  FileTransportOptions options{.journal = {.directory = "/media/usb"},
                               .headers = codec::EventHeaders("e19", {})};
  run(std::make_unique<FileTransport>(std::move(options),
                                      FileTransportParts{loop, executor, disk, clock}));
  for (int day = 0; day < 6; ++day) {
    disk.set_mount_point("/media/usb", day % 2 == 1);
    for (int hour = 0; hour < 24; ++hour) {
      outbox.add_many(4);
      loop.run_for(Seconds(3600));
    }
  }
  EXPECT_EQ(count(State::delivered), 6U * 24 * 4);
  std::size_t lines = 0;
  forwarder.reset();
  const std::vector<std::string> days = disk.list("/media/usb").value();
  for (const std::string& day : days) {
    const std::vector<std::string> hours = disk.list("/media/usb/" + day).value();
    for (const std::string& hour : hours) {
      const std::string path = text_of("/media/usb/%s/%s", day.c_str(), hour.c_str());
      const std::string text = disk.read(path, 1u << 20).value();
      lines += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
      EXPECT_EQ(text.back(), '\n');
    }
  }
  EXPECT_EQ(lines, 6U * 24 * 4);
}

}  // namespace
}  // namespace berm::uplink
