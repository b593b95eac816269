// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "firmware/control/limits.hpp"
#include "tests/unit/firmware/control/example_sources.hpp"

namespace berm::control {
namespace {

std::string loops(std::string_view name, int uid, std::string_view loops) {
  return "\"" + std::string(name) + R"(":{"driver":"loop_detector","lanes":{"L":{"uid":)" +
         std::to_string(uid) + R"(,"loops":)" + std::string(loops) + "}}}";
}

std::string drivers_fault(const std::string& first, const std::string& second) {
  return faults_with(R"({"drivers":{)" + first + "," + second + "}}");
}

TEST(NodeName, HasItsFormAndIsNotGroup) {
  EXPECT_EQ(faults_with(R"({"node":"group"})"),
            "b.json:/node: must not be \"group\": MQTT topics use that word\n");
  EXPECT_EQ(faults_with(R"({"node":"groups"})"), "");
  EXPECT_EQ(faults_with(R"({"node":")" + std::string(63, 'a') + "\"}"), "");
  EXPECT_NE(faults_with(R"({"node":")" + std::string(64, 'a') + "\"}"), "");
  for (const char* node : {"", "A", "-a", ".a", "a/b", "a b", "a+", "é"}) {
    EXPECT_NE(faults_with(R"({"node":")" + std::string(node) + "\"}"), "") << node;
  }
}

TEST(Board, IsAFolderName) {
  EXPECT_EQ(faults_with(R"({"board":"generic-amd64"})"), "");
  for (const char* board : {"../x", "a/b", "", ".", "A"}) {
    EXPECT_NE(faults_with(R"({"board":")" + std::string(board) + "\"}"), "") << board;
  }
}

TEST(Timezone, IsAZoneNameAndNoPath) {
  EXPECT_EQ(faults_with(R"({"timezone":"America/Argentina/Buenos_Aires"})"), "");
  for (const char* zone : {"../etc/passwd", "/UTC", "a//b", ""}) {
    EXPECT_NE(faults_with(R"({"timezone":")" + std::string(zone) + "\"}"), "") << zone;
  }
}

TEST(Site, LatitudeAndLongitudeComeTogether) {
  EXPECT_EQ(faults_with(R"({"site":{"lat":-90,"lon":180}})"), "");
  EXPECT_EQ(faults_with(R"({"site":{"lat":1}})"),
            "b.json:/site: lat and lon are given together or not at all\n");
  EXPECT_EQ(faults_with(R"({"site":{"lat":90.1,"lon":0}})"),
            "b.json:/site/lat: must be -90…90 deg, is 90.1\n");
}

TEST(Drivers, AUidBelongsToOneDriver) {
  EXPECT_EQ(drivers_fault(loops("a", 1, "[\"A\"]"), loops("b", 2, "[\"B\"]")), "");
  EXPECT_EQ(drivers_fault(loops("a", 1, "[\"A\"]"), loops("b", 1, "[\"B\"]")),
            "b.json:/drivers/b: uid 1 also belongs to driver \"a\"\n");
}

TEST(Drivers, ASignalBelongsToOneDriver) {
  EXPECT_EQ(drivers_fault(loops("a", 1, "[\"A\",\"B\"]"), loops("b", 2, "[\"C\",\"B\"]")),
            "b.json:/drivers/b: signal \"B\" also belongs to driver \"a\"\n");
}

TEST(Drivers, TheirOwnChecksAreMade) {
  EXPECT_EQ(faults_with("{\"drivers\":{" + loops("a", 1, "[\"A\",\"B\",\"C\"]") + "}}"),
            "b.json:/drivers/a/lanes: lane L has more than two loops\n");
}

TEST(Drivers, KindMustBeAKnownOne) {
  EXPECT_EQ(faults_with(R"({"drivers":{"a":{}}})"),
            "b.json:/drivers/a/driver: is missing: the kind of driver\n");
  EXPECT_EQ(faults_with(R"({"drivers":{"a":{"driver":3}}})"),
            "b.json:/drivers/a/driver: must be a text, is 3\n");
  EXPECT_EQ(faults_with(R"({"drivers":{"a":{"driver":"qqqq"}}})"),
            "b.json:/drivers/a/driver: this build has no driver \"qqqq\"\n");
  EXPECT_EQ(faults_with(R"({"drivers":{"a":null}})"), "");  // a merge patch deletes
  EXPECT_EQ(faults_of(R"({"node":"n","board":"sim","drivers":{"a":null}})"),
            "b.json:/drivers/a: must be an object, is null\n");
  EXPECT_NE(faults_with(R"({"drivers":{"a b":{"driver":"gps_position"}}})"), "");
}

TEST(Drivers, AreAtMostTheMaximum) {
  const auto many = [](std::size_t count) {
    std::string members;
    for (std::size_t i = 0; i < count; ++i) {
      members += (i == 0 ? "\"d" : ",\"d") + std::to_string(i) + R"(":{"driver":"gps_position"})";
    }
    return R"({"drivers":{)" + members + "}}";
  };
  EXPECT_EQ(faults_with(many(kMaxDrivers)), "");
  EXPECT_EQ(faults_with(many(kMaxDrivers + 1)), "b.json:/drivers: must be at most 64, are 65\n");
}

TEST(Signals, OfADriverAreWiredExceptOnBoardSim) {
  const std::string driver = "\"drivers\":{" + loops("a", 1, "[\"0A\"]") + "}";
  EXPECT_EQ(faults_with("{" + driver + "}"), "");
  EXPECT_EQ(faults_with("{\"board\":\"x\"," + driver + R"(,"signals":{"0A":{"gpio":"h/1"}}})"), "");
  EXPECT_EQ(faults_with("{\"board\":\"x\"," + driver + R"(,"signals":{"0a":{"gpio":"h/1"}}})"),
            "b.json:/drivers/a: signal \"0A\" is not among /signals; did you mean \"0a\"?\n");
}

TEST(Signals, AreGpioOrModbusAndComplete) {
  const auto signal = [](std::string_view members) {
    return faults_with(R"({"buses":{"b":{"device":"/dev/x"}},"signals":{"s":{)" +
                       std::string(members) + "}}}");
  };
  EXPECT_EQ(signal(R"("gpio":"header/11")"), "");
  EXPECT_EQ(signal(R"("modbus":"b","unit":247,"input":65535)"), "");
  EXPECT_EQ(signal(""), "b.json:/signals/s: must name either a gpio or a modbus input\n");
  EXPECT_EQ(signal(R"("gpio":"h/1","modbus":"b","unit":1,"input":0)"),
            "b.json:/signals/s: must name either a gpio or a modbus input\n");
  EXPECT_EQ(signal(R"("gpio":"h/1","unit":1)"),
            "b.json:/signals/s: unit and input belong to modbus, not to gpio\n");
  EXPECT_EQ(signal(R"("modbus":"b","unit":1)"),
            "b.json:/signals/s: a modbus signal needs unit and input\n");
  EXPECT_EQ(signal(R"("modbus":"c","unit":1,"input":0)"),
            "b.json:/signals/s/modbus: no bus \"c\" in /buses\n");
  EXPECT_NE(signal(R"("modbus":"b","unit":248,"input":0)"), "");
  EXPECT_NE(signal(R"("gpio":"header")"), "");
}

TEST(Signals, AWireIsOneSignal) {
  EXPECT_EQ(faults_with(R"({"signals":{"a":{"gpio":"h/1"},"b":{"gpio":"h/1"}}})"),
            "b.json:/signals/b: h/1 is already signal \"a\"\n");
  EXPECT_EQ(faults_with(R"({"signals":{"a":{"gpio":"h/1"},"b":{"gpio":"h/2"}}})"), "");
}

TEST(Topics, HaveTheFormThatKafkaTakes) {
  const auto topic = [](std::string_view name) {
    return faults_with(R"({"streams":{"traffic.lane":{"topic":")" + std::string(name) + "\"}}}");
  };
  EXPECT_EQ(topic(std::string(249, 'a')), "");
  EXPECT_NE(topic(std::string(250, 'a')), "");
  for (const char* name : {"", "a b", "a/b", "a:b", "é"}) EXPECT_NE(topic(name), "") << name;
}

TEST(Topics, NamedOnesAreAmongTheAllowed) {
  const auto topic = [](std::string_view name) {
    return faults_with(R"({"allowed_topics":["t1"],"streams":{"traffic.lane":{"topic":")" +
                       std::string(name) + "\"}}}");
  };
  EXPECT_EQ(topic("t1"), "");
  EXPECT_EQ(topic("traffic.realtime"), "");  // its own
  EXPECT_EQ(topic("t2"),
            "b.json:/streams/traffic.lane/topic: \"t2\" is not among /allowed_topics\n");
  EXPECT_EQ(faults_with(R"({"allowed_topics":[]})"), "");
}

TEST(Durability, HoldsOnBothSides) {
  const auto durability = [](std::string_view text) {
    return faults_with(R"({"streams":{"traffic.lane":{"durability":")" + std::string(text) +
                       "\"}}}");
  };
  EXPECT_EQ(durability("sync"), "");
  EXPECT_EQ(durability("group 1"), "");
  EXPECT_EQ(durability("group 3600000"), "");
  EXPECT_EQ(durability("group 1000-60000"), "");
  EXPECT_EQ(durability("group 1000-1000"), "");
  EXPECT_EQ(durability("group 1000-999"),
            "b.json:/streams/traffic.lane/durability: the group's range ends before it begins: "
            "\"group 1000-999\"\n");
  EXPECT_EQ(durability("group 0"),
            "b.json:/streams/traffic.lane/durability: the group must be 1…3600000 ms, is \"group "
            "0\"\n");
  for (const char* text : {"group 3600001", "group", "group -1", "group 1s", "Sync", "", "group 1-",
                           "group 1-3600001"}) {
    EXPECT_NE(durability(text), "") << text;
  }
}

TEST(Uplinks, ABrokerHasOneOfThem) {
  const auto brokers = [](std::string_view first, std::string_view second) {
    return faults_with(R"({"uplinks":{"a":{"uplink":"mqtt","url":")" + std::string(first) +
                       R"("},"b":{"uplink":"mqtt","url":")" + std::string(second) + "\"}}}");
  };
  EXPECT_EQ(brokers("mqtt://h", "mqtt://i"), "");
  EXPECT_EQ(brokers("mqtt://h", "mqtt://h:1884"), "");
  EXPECT_EQ(brokers("mqtt://h", "mqtt://h:1883"),
            "b.json:/uplinks/b/url: is the broker of uplink \"a\" already: a broker takes one "
            "connection of a node\n");
}

TEST(Simulation, AtAnotherRateNoUplinkLeavesTheMachine) {
  const auto at = [](std::string_view rate, std::string_view host) {
    return faults_with(R"({"simulation":{"rate":)" + std::string(rate) +
                       R"(},"uplinks":{"f":{"uplink":"file","directory":"/x"},
                       "m":{"uplink":"mqtt","url":"mqtt://)" +
                       std::string(host) + "\"}}}");
  };
  EXPECT_EQ(at("1", "broker.example"), "");
  EXPECT_EQ(at("60", "127.0.0.1"), "");
  EXPECT_EQ(at("0.5", "[::1]:1884"), "");
  EXPECT_EQ(at("1.001", "broker.example"),
            "b.json:/uplinks/m/url: must be on loopback while /simulation/rate is not 1, is "
            "\"broker.example\"\n");
}

TEST(Remote, NamesAnMqttUplinkAndSaysWhoMayUseIt) {
  const auto remote = [](std::string_view members) {
    return faults_with(R"({"uplinks":{"f":{"uplink":"file","directory":"/x"},
        "m":{"uplink":"mqtt","url":"mqtt://h"}},"remote":{)" +
                       std::string(members) + "}}");
  };
  EXPECT_EQ(remote(R"("uplink":"m","public_key_file":"/k")"), "");
  EXPECT_EQ(remote(R"("uplink":"m","unsigned":true)"), "");
  EXPECT_EQ(remote(R"("uplink":"f","unsigned":true)"),
            "b.json:/remote/uplink: must be an mqtt uplink; \"f\" is not\n");
  EXPECT_EQ(remote(R"("uplink":"x","unsigned":true)"),
            "b.json:/remote/uplink: no sound uplink \"x\" in /uplinks\n");
  EXPECT_EQ(remote(R"("uplink":"m")"),
            "b.json:/remote: name a public_key_file (documents must then be signed), or set "
            "\"unsigned\": true to take documents from anyone who may publish to the broker\n");
  EXPECT_EQ(remote(R"("uplink":"m","unsigned":true,"public_key_file":"/k")"),
            "b.json:/remote/unsigned: contradicts public_key_file: leave one of them out\n");
}

TEST(LocalHttp, ListensOnAHostAndPort) {
  EXPECT_EQ(faults_with(R"({"local_http":{}})"), "");
  EXPECT_EQ(faults_with(R"({"local_http":{"listen":"9180"}})").substr(0, 27),
            "b.json:/local_http/listen: ");
}

TEST(Outbox, NumbersHoldOnBothSides) {
  EXPECT_EQ(faults_with(R"({"outbox":{"max_bytes":1048576,"keep_delivered_s":0}})"), "");
  EXPECT_NE(faults_with(R"({"outbox":{"max_bytes":1048575}})"), "");
  EXPECT_NE(faults_with(R"({"outbox":{"keep_delivered_s":-1}})"), "");
  EXPECT_EQ(faults_with(R"({"outbox":{"hold_for_clock_s":0}})"), "");
}

}  // namespace
}  // namespace berm::control
