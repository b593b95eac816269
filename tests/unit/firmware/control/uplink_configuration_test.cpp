// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "firmware/control/limits.hpp"
#include "tests/unit/firmware/control/example_sources.hpp"

namespace berm::control {
namespace {

std::string uplink_with(std::string_view members) {
  return R"({"uplinks":{"u":{)" + std::string(members) + "}}}";
}

UplinkConfiguration uplink(std::string_view members) {
  auto parsed =
      parse_configuration(document_with(uplink_with(members)), "/d/b.json", example_sources());
  for (const std::string& fault : parsed.faults) ADD_FAILURE() << fault;
  if (!parsed.configuration) return {};
  return parsed.configuration->uplinks.at(0);
}

std::string fault(std::string_view members) {
  return faults_with(uplink_with(members));
}

constexpr std::string_view kHttp = R"("uplink":"http","url":"https://h:9260/x")";
constexpr std::string_view kMqtt = R"("uplink":"mqtt","url":"mqtts://h")";
constexpr std::string_view kFile = R"("uplink":"file","directory":"out")";

std::string plus(std::string_view base, std::string_view more) {
  return std::string(base) + "," + std::string(more);
}

TEST(UplinkConfiguration, CommonDefaultsAreTheContracts) {
  for (const std::string_view kind : {kHttp, kMqtt, kFile}) {
    const UplinkConfiguration made = uplink(kind);
    EXPECT_EQ(made.streams, std::vector<std::string>{"*"});
    EXPECT_EQ(made.hold, kind != kFile);
    EXPECT_EQ(made.order, BackfillOrder::oldest);
    EXPECT_EQ(made.live, Seconds{120});
    EXPECT_EQ(made.backfill_min_share, 0.1);
    EXPECT_EQ(made.budget_day_bytes, std::nullopt);
    EXPECT_EQ(made.budget_month_bytes, std::nullopt);
    EXPECT_EQ(made.batch_events, 100u);
    EXPECT_EQ(made.linger, Milliseconds{1000});
  }
}

TEST(UplinkConfiguration, CommonKeysAreRead) {
  const UplinkConfiguration made = uplink(plus(kFile, R"("streams":["traffic.*","node.alarm"],
      "hold":true,"order":"newest","live_s":10,"backfill_min_share":0.5,"budget_day_bytes":10000,
      "budget_month_bytes":20000,"batch_events":7,"linger_ms":0)"));
  EXPECT_EQ(made.streams.size(), 2u);
  EXPECT_TRUE(made.hold);
  EXPECT_EQ(made.order, BackfillOrder::newest);
  EXPECT_EQ(made.live, Seconds{10});
  EXPECT_EQ(made.backfill_min_share, 0.5);
  EXPECT_EQ(made.budget_day_bytes, 10000);
  EXPECT_EQ(made.budget_month_bytes, 20000);
  EXPECT_EQ(made.batch_events, 7u);
  EXPECT_EQ(made.linger, Milliseconds{0});
}

TEST(UplinkConfiguration, HttpKeysAreRead) {
  const auto way = std::get<HttpUplinkConfiguration>(
      uplink(plus(kHttp, R"("timeout_ms":500,"headers":{"X-Key":"a b","X-N":5},"user":"me",
      "proxy":"http://proxy:3128","password_file":"secret","ca_file":"/ca.pem",
      "cert_file":"c.pem","key_file":"k.pem")"))
          .way);
  EXPECT_EQ(way.url.host, "h");
  EXPECT_EQ(way.url.path, "/x");
  EXPECT_EQ(way.format, "flume");
  EXPECT_EQ(way.timeout, Milliseconds{500});
  ASSERT_EQ(way.headers.size(), 2u);
  EXPECT_EQ(way.headers[1].second, "5");
  EXPECT_EQ(way.proxy.value().port, 3128);
  EXPECT_EQ(way.credentials.user, "me");
  EXPECT_EQ(way.credentials.password_file, "/d/secret");
  EXPECT_EQ(way.tls.ca_file, "/ca.pem");
  EXPECT_EQ(way.tls.cert_file, "/d/c.pem");
  EXPECT_EQ(way.tls.key_file, "/d/k.pem");
}

TEST(UplinkConfiguration, MqttKeysAreRead) {
  const auto defaults = std::get<MqttUplinkConfiguration>(uplink(kMqtt).way);
  EXPECT_EQ(defaults.payload, MqttPayload::lines);
  EXPECT_EQ(defaults.max_message_bytes, 131072u);
  EXPECT_EQ(defaults.keepalive, Seconds{60});
  EXPECT_EQ(defaults.timeout, Milliseconds{30000});
  EXPECT_EQ(defaults.no_subscriber, NoSubscriber::hold);
  const auto given = std::get<MqttUplinkConfiguration>(
      uplink(plus(kMqtt, R"("payload":"event","max_message_bytes":1024,"keepalive_s":5,
      "no_subscriber":"pass","user":"u")"))
          .way);
  EXPECT_EQ(given.payload, MqttPayload::event);
  EXPECT_EQ(given.max_message_bytes, 1024u);
  EXPECT_EQ(given.keepalive, Seconds{5});
  EXPECT_EQ(given.no_subscriber, NoSubscriber::pass);
}

TEST(UplinkConfiguration, FileDirectoryIsRelativeToTheDocument) {
  EXPECT_EQ(std::get<FileUplinkConfiguration>(uplink(kFile).way).directory, "/d/out");
  EXPECT_FALSE(std::get<FileUplinkConfiguration>(uplink(kFile).way).require_mount);
  EXPECT_EQ(fault(R"("uplink":"file","directory":"")"),
            "b.json:/uplinks/u/directory: must not be empty\n");
}

TEST(UplinkConfiguration, KindDecidesWhichKeysThereAre) {
  EXPECT_EQ(fault(R"("url":"http://h")"),
            "b.json:/uplinks/u/uplink: is missing: http, mqtt or file\n");
  EXPECT_EQ(fault(R"("uplink":"htp")"),
            "b.json:/uplinks/u/uplink: must be one of http, mqtt, file, is \"htp\"\n");
  EXPECT_EQ(fault(plus(kFile, R"("url":"http://h")")).substr(0, 34),
            "b.json:/uplinks/u/url: unknown key");
  EXPECT_EQ(faults_with(R"({"uplinks":{"u":5}})"), "b.json:/uplinks/u: must be an object, is 5\n");
  EXPECT_EQ(faults_with(R"({"uplinks":[]})"), "b.json:/uplinks: must be an object, is []\n");
}

TEST(UplinkConfiguration, SchemeFitsTheKind) {
  EXPECT_EQ(fault(R"("uplink":"http","url":"mqtt://h")"),
            "b.json:/uplinks/u/url: scheme must be one of http, https, is \"mqtt\"\n");
  EXPECT_EQ(fault(R"("uplink":"mqtt","url":"http://h")"),
            "b.json:/uplinks/u/url: scheme must be one of mqtt, mqtts, is \"http\"\n");
  EXPECT_EQ(fault(R"("uplink":"mqtt","url":"mqtt://h/topic")"),
            "b.json:/uplinks/u/url: an MQTT URL has no path; topics follow from the node's name\n");
  EXPECT_EQ(fault(plus(kHttp, R"("proxy":"ftp://p")")),
            "b.json:/uplinks/u/proxy: scheme must be one of http, socks5, socks5h, is \"ftp\"\n");
}

TEST(UplinkConfiguration, CertificateAndKeyComeInPairs) {
  EXPECT_EQ(fault(plus(kMqtt, R"("cert_file":"c")")),
            "b.json:/uplinks/u/cert_file: needs a key_file\n");
  EXPECT_EQ(fault(plus(kMqtt, R"("key_file":"k")")),
            "b.json:/uplinks/u/key_file: needs a cert_file\n");
  EXPECT_EQ(fault(plus(kMqtt, R"("cert_file":"c","key_file":"k")")), "");
  EXPECT_EQ(fault(R"("uplink":"http","url":"http://h","ca_file":"c")"),
            "b.json:/uplinks/u/ca_file: has no effect: the URL is http, not https\n");
}

TEST(UplinkConfiguration, PasswordNeedsAUser) {
  EXPECT_EQ(fault(plus(kMqtt, R"("password_file":"p")")),
            "b.json:/uplinks/u/password_file: needs a user\n");
}

TEST(UplinkConfiguration, HeadersStayInTheirLine) {
  EXPECT_EQ(fault(plus(kHttp, R"("headers":{"X":"a\tb"})")), "");
  EXPECT_EQ(fault(plus(kHttp, R"("headers":{"X":"a\r\nEvil: 1"})")),
            "b.json:/uplinks/u/headers/X: must be one line without control characters\n");
  EXPECT_EQ(fault(plus(kHttp, R"("headers":{"X":"a\nb"})")),
            "b.json:/uplinks/u/headers/X: must be one line without control characters\n");
  EXPECT_NE(fault(plus(kHttp, R"("headers":{"X\r\nY":"a"})")), "");
  EXPECT_NE(fault(plus(kHttp, R"("headers":{"X Y":"a"})")), "");
  EXPECT_EQ(fault(plus(kHttp, R"("headers":{"Content-Length":"5"})")),
            "b.json:/uplinks/u/headers/Content-Length: is set by the uplink itself\n");
}

TEST(UplinkConfiguration, HeadersHaveAMaximumOnBothSides) {
  const auto headers = [](std::size_t count) {
    std::string members;
    for (std::size_t i = 0; i < count; ++i) {
      members += (i == 0 ? "" : ",") + ("\"X" + std::to_string(i)) + "\":\"a\"";
    }
    return plus(kHttp, "\"headers\":{" + members + "}");
  };
  EXPECT_EQ(fault(headers(kMaxHeaders)), "");
  EXPECT_EQ(fault(headers(kMaxHeaders + 1)),
            "b.json:/uplinks/u/headers: must be at most 32, are 33\n");
}

TEST(UplinkConfiguration, GlobsMatchSomeStream) {
  EXPECT_EQ(fault(plus(kFile, R"("streams":["node.*","traffic.lane"])")), "");
  EXPECT_EQ(fault(plus(kFile, R"("streams":["node.*","trafic.lane"])")),
            "b.json:/uplinks/u/streams/1: \"trafic.lane\" matches no stream; did you mean "
            "\"traffic.lane\"?\n");
  EXPECT_EQ(fault(plus(kFile, R"("streams":[])")), "b.json:/uplinks/u/streams: names no stream\n");
}

TEST(UplinkConfiguration, NumbersHoldOnBothSides) {
  const struct {
    const char* key;
    const char* good[2];
    const char* bad[2];
  } rows[] = {
      {"batch_events", {"1", "10000"}, {"0", "10001"}},
      {"linger_ms", {"0", "600000"}, {"-1", "600001"}},
      {"live_s", {"1", "86400"}, {"0", "86401"}},
      {"backfill_min_share", {"0.01", "1"}, {"0.009", "1.01"}},
      {"timeout_ms", {"100", "600000"}, {"99", "600001"}},
      {"keepalive_s", {"5", "65535"}, {"4", "65536"}},
      {"max_message_bytes", {"1024", "16777216"}, {"1023", "16777217"}},
      {"budget_day_bytes", {"10000", "1000000000000000"}, {"9999", "1000000000000001"}},
  };
  for (const auto& row : rows) {
    const auto with = [&](const char* value) {
      return fault(plus(kMqtt, "\"" + std::string(row.key) + "\":" + value));
    };
    EXPECT_EQ(with(row.good[0]), "");
    EXPECT_EQ(with(row.good[1]), "");
    EXPECT_NE(with(row.bad[0]), "") << row.key;
    EXPECT_NE(with(row.bad[1]), "") << row.key;
  }
}

TEST(UplinkConfiguration, NamesAndNumberOfUplinksAreBounded) {
  EXPECT_NE(faults_with(R"({"uplinks":{"a/b":{"uplink":"file","directory":"/x"}}})"), "");
  const auto many = [](std::size_t count) {
    std::string members;
    for (std::size_t i = 0; i < count; ++i) {
      members +=
          (i == 0 ? "\"u" : ",\"u") + std::to_string(i) + R"(":{"uplink":"file","directory":"/x"})";
    }
    return R"({"uplinks":{)" + members + "}}";
  };
  EXPECT_EQ(faults_with(many(kMaxUplinks)), "");
  EXPECT_EQ(faults_with(many(kMaxUplinks + 1)), "b.json:/uplinks: must be at most 16, are 17\n");
}

}  // namespace
}  // namespace berm::control
