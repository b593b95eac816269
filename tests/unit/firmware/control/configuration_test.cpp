// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/configuration.hpp"

#include <gtest/gtest.h>

#include "firmware/control/limits.hpp"
#include "tests/unit/firmware/control/example_sources.hpp"

namespace berm::control {
namespace {

NodeConfiguration example() {
  auto parsed = parse_configuration(kExampleDocument, "/etc/berm/berm.json", example_sources());
  for (const std::string& fault : parsed.faults) ADD_FAILURE() << fault;
  return parsed.configuration.value_or(NodeConfiguration{});
}

NodeConfiguration small(std::string_view patch) {
  auto parsed = parse_configuration(document_with(patch), "b.json", example_sources());
  for (const std::string& fault : parsed.faults) ADD_FAILURE() << fault;
  return parsed.configuration.value_or(NodeConfiguration{});
}

TEST(Configuration, TheExampleOfTheContractIsSound) {
  const NodeConfiguration node = example();
  EXPECT_EQ(node.node, "e19-km31");
  EXPECT_EQ(node.board, "sim");
  EXPECT_EQ(node.site.node, "e19-km31");
  EXPECT_EQ(node.site.timezone, "Europe/Brussels");
  EXPECT_EQ(node.site.place.road, "E19");
  EXPECT_EQ(node.site.place.km, 31.2);
  EXPECT_EQ(node.site.place.direction, std::nullopt);
  EXPECT_EQ(node.outbox.max_bytes, 1073741824);
  EXPECT_EQ(node.outbox.keep_delivered, Seconds{604800});
  EXPECT_EQ(node.outbox.hold_for_clock, Seconds{600});
  EXPECT_EQ(node.local_http, (Endpoint{"127.0.0.1", 9180}));
  EXPECT_EQ(node.allowed_topics, std::vector<std::string>{"traffic.realtime"});
}

TEST(Configuration, SignalsAndBusesAreTyped) {
  const NodeConfiguration node = example();
  ASSERT_EQ(node.buses.size(), 1u);
  EXPECT_EQ(node.buses[0].device, "/dev/ttyS1");
  EXPECT_EQ(node.buses[0].baud, 19200);
  ASSERT_EQ(node.signals.size(), 2u);
  EXPECT_EQ(std::get<GpioSignal>(node.signals[0].wire).connector, "header/11");
  EXPECT_TRUE(std::get<GpioSignal>(node.signals[0].wire).active_low);
  EXPECT_EQ(std::get<ModbusSignal>(node.signals[1].wire).bus, "rs485-1");
  EXPECT_EQ(std::get<ModbusSignal>(node.signals[1].wire).unit, 4);
}

TEST(Configuration, DriversHaveTheirDescriptorAndOptionsInOrder) {
  const NodeConfiguration node = example();
  ASSERT_EQ(node.drivers.size(), 2u);
  EXPECT_EQ(node.drivers[0].instance, "e19");
  EXPECT_EQ(node.drivers[0].descriptor->name, "loop_detector");
  EXPECT_EQ(node.drivers[0].options.object_map("lanes").at(0).second.integer("uid"), 92301);
  EXPECT_EQ(node.drivers[1].options.text("gpsd"), "127.0.0.1:2947");
}

TEST(Configuration, UplinksAreTyped) {
  const NodeConfiguration node = example();
  ASSERT_EQ(node.uplinks.size(), 3u);
  EXPECT_EQ(node.uplinks[0].name, "flume");
  EXPECT_EQ(std::get<HttpUplinkConfiguration>(node.uplinks[0].way).url.port, 9260);
  EXPECT_TRUE(node.uplinks[0].hold);
  EXPECT_EQ(std::get<MqttUplinkConfiguration>(node.uplinks[1].way).max_message_bytes, 131072u);
  EXPECT_EQ(std::get<FileUplinkConfiguration>(node.uplinks[2].way).directory, "/media/usb");
  EXPECT_TRUE(std::get<FileUplinkConfiguration>(node.uplinks[2].way).require_mount);
  EXPECT_FALSE(node.uplinks[2].hold);
}

TEST(Configuration, RemoteIsTyped) {
  const NodeConfiguration node = example();
  ASSERT_TRUE(node.remote.has_value());
  EXPECT_EQ(node.remote->uplink, "broker");
  EXPECT_EQ(node.remote->confirm, Seconds{120});
  EXPECT_EQ(node.remote->groups, std::vector<std::string>{"flanders"});
  EXPECT_EQ(node.remote->public_key_file, "/etc/berm/operator.pub");
}

TEST(Configuration, NodeBoardAndDriversAreEnough) {
  const NodeConfiguration node = small("{}");
  EXPECT_EQ(node.site.timezone, "UTC");
  EXPECT_TRUE(node.uplinks.empty());
  EXPECT_FALSE(node.remote.has_value());
  EXPECT_FALSE(node.local_http.has_value());
  EXPECT_FALSE(node.allowed_topics.has_value());
  EXPECT_EQ(node.streams.size(), example_sources().streams.size());
}

TEST(Configuration, RequiredKeysAreNamedWhenMissing) {
  EXPECT_EQ(faults_of("{}"),
            "b.json:/node: is missing: name of this node, unique in the fleet\n"
            "b.json:/board: is missing: folder under boards/ that describes the device\n"
            "b.json:/drivers: is missing: sensors, by name\n");
}

TEST(Configuration, StreamsStartFromTheirOwnPolicy) {
  const NodeConfiguration node = small(R"({"streams":{"traffic.vehicle":{"durability":"sync",
      "topic":"cars","max_age_s":5},
      "node.health":{"durability":"group 250","when_full":"refuse"}}})");
  EXPECT_EQ(node.streams[0].topic, "traffic.realtime");
  EXPECT_EQ(node.streams[0].group, Milliseconds{1000});
  EXPECT_EQ(node.streams[0].when_full, WhenFull::conserve);
  EXPECT_EQ(node.streams[1].topic, "cars");
  EXPECT_EQ(node.streams[1].group, std::nullopt);
  EXPECT_EQ(node.streams[1].max_age, Seconds{5});
  EXPECT_EQ(node.streams[2].group, std::nullopt);
  EXPECT_EQ(node.streams[3].group, Milliseconds{250});
  EXPECT_EQ(node.streams[3].when_full, WhenFull::refuse);
}

TEST(Configuration, OnBoardSimThereIsASimulation) {
  const NodeConfiguration sim = small("{}");
  ASSERT_TRUE(sim.simulation.has_value());
  EXPECT_EQ(sim.simulation->flow_veh_h, 900.0);
  EXPECT_EQ(sim.simulation->rate, 1.0);
  EXPECT_EQ(sim.simulation->signals, "");
  EXPECT_FALSE(small(R"({"board":"generic-amd64"})").simulation.has_value());
}

TEST(Configuration, FileNamesBeginAtTheDocumentsFolder) {
  EXPECT_EQ(example().simulation->signals, "/etc/berm/edges.csv");
  EXPECT_EQ(small(R"({"simulation":{"signals":"edges.csv"}})").simulation->signals, "edges.csv");
  auto at_root = parse_configuration(kExampleDocument, "/berm.json", example_sources());
  EXPECT_EQ(at_root.configuration.value().simulation->signals, "/edges.csv");
}

TEST(Configuration, SyntaxErrorsHaveFileLineAndColumn) {
  EXPECT_EQ(faults_of("{\n  \"node\": x"), "b.json: line 2, column 11: not valid JSON here\n");
  EXPECT_EQ(faults_of("{\"node\":1,\"node\":2}"),
            "b.json: line 1, column 11: key \"node\" is there twice\n");
  EXPECT_EQ(faults_of(""), "b.json: line 1, column 1: the document is empty\n");
}

TEST(Configuration, EveryPrefixOfADocumentIsRefusedOrSound) {
  // A torn file never gives half a configuration.
  const std::string_view document = kExampleDocument.substr(0, kExampleDocument.rfind('}') + 1);
  for (std::size_t size = 0; size < document.size(); size += 7) {
    EXPECT_NE(faults_of(document.substr(0, size)), "") << size;
  }
}

TEST(Configuration, WhatIsNoObjectIsRefused) {
  EXPECT_EQ(faults_of("[]"), "b.json:/: must be an object, is a list\n");
  EXPECT_EQ(faults_of("null"), "b.json:/: must be an object, is null\n");
}

TEST(Configuration, FaultsBeyondTheMaximumAreCounted) {
  std::string document = R"({"node":"n","board":"sim","drivers":{})";
  for (std::size_t i = 0; i < kMaxFaults + 2; ++i) {
    document += ",\"zzzzzzzz" + std::to_string(i) + "\":0";
  }
  const auto parsed = parse_configuration(document + "}", "b.json", example_sources());
  ASSERT_EQ(parsed.faults.size(), kMaxFaults + 1);
  EXPECT_EQ(parsed.faults.back(), "b.json: and 2 more faults");
}

TEST(Configuration, OneFaultHidesNoOther) {
  const std::string faults = faults_of(R"({"node":"Group!","board":"sim","nodes":1,
      "drivers":{"a":{"driver":"loop_detectr"},"b":{"driver":"gps_position","gpsdd":1}},
      "streams":{"trafic.lane":{}},"outbox":{"max_bytes":1},
      "uplinks":{"f":{"uplink":"http"},"m":{"uplink":"mqtt","url":"ws://h"}}})");
  for (const char* line :
       {"b.json:/node: ", "b.json:/nodes: unknown key; did you mean \"node\"?",
        "b.json:/drivers/a/driver: this build has no driver \"loop_detectr\"; did you mean "
        "\"loop_detector\"?",
        "b.json:/drivers/b/gpsdd: unknown key; did you mean \"gpsd\"?",
        "b.json:/streams/trafic.lane: unknown stream; did you mean \"traffic.lane\"?",
        "b.json:/outbox/max_bytes: must be 1048576…1000000000000 bytes, is 1",
        "b.json:/uplinks/f/url: is missing", "b.json:/uplinks/m/url: ws: MQTT over"}) {
    EXPECT_NE(faults.find(line), std::string::npos) << line << " not in\n" << faults;
  }
}

TEST(Configuration, AFaultHidesNoLaterCheckOfItsOwnEntry) {
  EXPECT_EQ(faults_of(R"({"node":"n","board":"generic-amd64",
      "signals":{"A":{"gpio":"h/1","active_lo":1},"B":{"gpio":3},"C":{"gpio":"h/1"}},
      "drivers":{"a":{"driver":"loop_detector","period_s":0,
                      "lanes":{"L":{"uid":7,"loops":["A","B","C"],"lenght":1}}},
                 "b c":{"driver":"loop_detector","lanes":{"L":{"uid":7,"loops":["D"]},"M":{}}}},
      "uplinks":{"f":{"uplink":"http","url":"ftp://h","timeout_ms":1,"streams":["trafic.*"],
                      "cert_file":"c"},
                 "m":{"uplink":"mqtt","url":"mqtt://h","qos":1},
                 "n":{"uplink":"mqtt","url":"mqtt://h:1883","payload":7}},
      "remote":{"uplink":"f","confirm_s":1}})"),
            "b.json:/signals/A/active_lo: unknown key; did you mean \"active_low\"?\n"
            "b.json:/signals/B/gpio: must be a text, is 3\n"
            "b.json:/remote/confirm_s: must be 10…86400 s, is 1\n"
            "b.json:/drivers/a/period_s: must be 1…3600 s, is 0\n"
            "b.json:/drivers/a/lanes/L/lenght: unknown key\n"
            "b.json:/drivers/a/lanes: lane L has more than two loops\n"
            "b.json:/drivers/b c: the name must have the form [A-Za-z0-9][A-Za-z0-9._-]{0,62}\n"
            "b.json:/drivers/b c/lanes/M/uid: is missing\n"
            "b.json:/drivers/b c/lanes/M/loops: is missing\n"
            "b.json:/uplinks/f/timeout_ms: must be 100…600000 ms, is 1\n"
            "b.json:/uplinks/f/url: scheme must be one of http, https, is \"ftp\"\n"
            "b.json:/uplinks/f/cert_file: needs a key_file\n"
            "b.json:/uplinks/f/streams/0: \"trafic.*\" matches no stream\n"
            "b.json:/uplinks/m/qos: unknown key\n"
            "b.json:/uplinks/n/payload: must be a text, is 7\n"
            "b.json:/drivers/b c: uid 7 also belongs to driver \"a\"\n"
            "b.json:/drivers/b c: signal \"D\" is not among /signals\n"
            "b.json:/signals/C: h/1 is already signal \"A\"\n"
            "b.json:/uplinks/n/url: is the broker of uplink \"m\" already: a broker takes one "
            "connection of a node\n"
            "b.json:/remote/uplink: must be an mqtt uplink; \"f\" is not\n"
            "b.json:/remote: name a public_key_file (documents must then be signed), or set "
            "\"unsigned\": true to take documents from anyone who may publish to the broker\n");
}

TEST(Configuration, WhatOnlyFollowsFromAFaultIsNotTold) {
  EXPECT_EQ(faults_of(R"({"node":"n","board":"sim","drivers":7,"uplinks":[],"site":{"lat":"x",
      "lon":1},"allowed_topics":"x","streams":{"traffic.lane":{"topic":"other"}},
      "remote":{"public_key_file":1}})"),
            "b.json:/site/lat: must be a number, is \"x\"\n"
            "b.json:/remote/uplink: is missing: the mqtt uplink that carries remote control\n"
            "b.json:/remote/public_key_file: must be a text, is 1\n"
            "b.json:/allowed_topics: must be a list of texts, is \"x\"\n"
            "b.json:/drivers: must be an object, is 7\n"
            "b.json:/uplinks: must be an object, is []\n");
}

}  // namespace
}  // namespace berm::control
