// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/url.hpp"

#include <gtest/gtest.h>

#include <array>

#include "firmware/control/limits.hpp"

namespace berm::control {
namespace {

constexpr std::array<std::string_view, 4> kSchemes = {"http", "https", "mqtt", "mqtts"};

std::string refusal(std::string_view text) {
  const auto url = parse_url(text, kSchemes);
  return url ? "accepted" : url.error().text;
}

TEST(Url, IsTakenApart) {
  EXPECT_EQ(*parse_url("https://flume.example:9260/in?a=b", kSchemes),
            (Url{"https://flume.example:9260/in?a=b", "https", "flume.example", 9260, "/in?a=b"}));
  EXPECT_EQ(parse_url("mqtts://[2001:db8::1]:8884", kSchemes)->host, "2001:db8::1");
  EXPECT_EQ(parse_url("mqtts://[2001:db8::1]:8884", kSchemes)->port, 8884);
}

TEST(Url, WithoutPortHasTheSchemesOwn) {
  EXPECT_EQ(parse_url("http://h", kSchemes)->port, 80);
  EXPECT_EQ(parse_url("https://h/", kSchemes)->port, 443);
  EXPECT_EQ(parse_url("mqtt://h", kSchemes)->port, 1883);
  EXPECT_EQ(parse_url("mqtts://[::1]", kSchemes)->port, 8883);
}

TEST(Url, PortHoldsOnBothSides) {
  EXPECT_EQ(refusal("http://h:1"), "accepted");
  EXPECT_EQ(refusal("http://h:65535"), "accepted");
  EXPECT_EQ(refusal("http://h:0"), "port must be 1…65535, is \"0\"");
  EXPECT_EQ(refusal("http://h:65536"), "port must be 1…65535, is \"65536\"");
  EXPECT_EQ(refusal("http://h:"), "port must be 1…65535, is \"\"");
  EXPECT_EQ(refusal("http://h:-1"), "port must be 1…65535, is \"-1\"");
  EXPECT_EQ(refusal("http://h:80x"), "port must be 1…65535, is \"80x\"");
}

TEST(Url, WebSocketsAreRefusedWithTheReason) {
  EXPECT_EQ(refusal("ws://h"),
            "ws: MQTT over WebSockets is not supported (the client library has no WebSocket "
            "transport); use mqtt");
  EXPECT_NE(refusal("wss://h").find("use mqtts"), std::string::npos);
}

TEST(Url, OtherSchemesAreListed) {
  EXPECT_EQ(refusal("ftp://h"), "scheme must be one of http, https, mqtt, mqtts, is \"ftp\"");
  EXPECT_EQ(refusal("HTTP://h"), "scheme must be one of http, https, mqtt, mqtts, is \"HTTP\"");
  EXPECT_EQ(refusal("flume.example:9260"),
            "must be SCHEME://HOST[:PORT], with one of http, https, mqtt, mqtts");
  EXPECT_NE(refusal(""), "accepted");
}

TEST(Url, BadHostsAreRefused) {
  for (const char* url :
       {"http://", "http://:80", "http:///x", "http://a..b", "http://-a", "http://a_",
        "http://1.2.3", "http://1.2.3.256", "http://[::g]", "http://[::1", "http://[::1]x",
        "http://a b", "http://\xC3\xA9", "http://a\nb", "http://a%20b", "http://h:1:2"}) {
    EXPECT_NE(refusal(url), "accepted") << url;
  }
  for (const char* url : {"http://a-b.c_d.example.", "http://127.0.0.1", "http://x1"}) {
    EXPECT_EQ(refusal(url), "accepted") << url;
  }
}

TEST(Url, PasswordsAndFragmentsAreRefused) {
  EXPECT_EQ(refusal("http://me:secret@h/"),
            "must not hold a user or password: use user and password_file");
  EXPECT_EQ(refusal("http://h/@x"), "accepted");
  EXPECT_EQ(refusal("http://h/#x"), "a URL to send to has no fragment (#)");
}

TEST(Url, LengthHoldsOnBothSides) {
  const std::string head = "http://h/";
  EXPECT_EQ(refusal(head + std::string(kMaxUrlBytes - head.size(), 'a')), "accepted");
  EXPECT_EQ(refusal(head + std::string(kMaxUrlBytes - head.size() + 1, 'a')),
            "longer than 2048 bytes");
}

TEST(Endpoint, IsHostAndPort) {
  EXPECT_EQ(*parse_endpoint("127.0.0.1:9180"), (Endpoint{"127.0.0.1", 9180}));
  EXPECT_EQ(*parse_endpoint("[::1]:0"), (Endpoint{"::1", 0}));
  EXPECT_FALSE(parse_endpoint("127.0.0.1"));
  EXPECT_FALSE(parse_endpoint(":80"));
  EXPECT_FALSE(parse_endpoint("h:65536"));
}

TEST(Loopback, IsKnownWithoutAskingAnybody) {
  for (const char* host : {"localhost", "127.0.0.1", "127.255.0.3", "::1"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const char* host : {"128.0.0.1", "126.255.255.255", "::2", "127.example", "h", ""}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

}  // namespace
}  // namespace berm::control
