// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/mqtt_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "tests/unit/hal/linux_network/scripted_server.hpp"

namespace berm::hal {
namespace {

using namespace std::string_literals;

const std::string kConnack = "\x20\x03\x00\x00\x00"s;  // reason 0, no properties
const std::string kRefused = "\x20\x03\x00\x87\x00"s;  // 135, not authorised
const std::string kTakenOver = "\xe0\x02\x8e\x00"s;    // DISCONNECT 142
const std::string kServerKeepalive = "\x20\x06\x00\x00\x03\x13\x00\x05"s;  // 5 s instead of ours

struct Told {
  std::vector<int> connacks;
  std::vector<Error> ends;
  std::vector<int> reasons;
  bool is_any() const { return !connacks.empty() || !ends.empty(); }
};

class MosquittoClientTest : public testing::Test {
 protected:
  std::unique_ptr<MqttClient> make(int port, Milliseconds timeout, bool tls = false) {
    MqttOptions options;
    options.host = "127.0.0.1";
    options.port = port;
    options.client_id = "node";
    options.timeout = timeout;
    options.tls = tls;
    MqttEvents events;
    events.on_connected = [this](int reason, bool) { told_.connacks.push_back(reason); };
    events.on_disconnected = [this](const Error& error, int reason) {
      told_.ends.push_back(error);
      told_.reasons.push_back(reason);
    };
    auto client = clients_.create(std::move(options), std::move(events));
    EXPECT_TRUE(client.has_value());
    return std::move(*client);
  }

  EpollLoop loop_;
  MosquittoClients clients_{loop_};
  Told told_;
};

TEST_F(MosquittoClientTest, a_disconnect_of_142_is_told_as_142) {
  ScriptedServer server(loop_, [](const std::string&) { return kConnack + kTakenOver; });
  server.listen();
  const auto client = make(server.port(), Seconds{10});
  client->connect();
  ASSERT_TRUE(run_until(loop_, [&] { return !told_.ends.empty(); }));
  EXPECT_EQ(told_.connacks, std::vector<int>{0});
  EXPECT_EQ(told_.reasons, std::vector<int>{142});
  EXPECT_EQ(told_.ends[0].code, ErrorCode::closed);
}

TEST_F(MosquittoClientTest, a_refused_connack_is_told_once_and_nothing_after_it) {
  ScriptedServer server(loop_, [](const std::string&) { return kRefused; });
  server.listen();
  const auto client = make(server.port(), Seconds{10});
  client->connect();
  ASSERT_TRUE(run_until(loop_, [&] { return told_.is_any(); }));
  Timer timer(loop_);
  bool is_over = false;
  timer.after(Milliseconds{50}, [&] { is_over = true; });
  ASSERT_TRUE(run_until(loop_, [&] { return is_over; }));
  EXPECT_EQ(told_.connacks, std::vector<int>{135});
  EXPECT_TRUE(told_.ends.empty());
  EXPECT_FALSE(client->is_connected());
}

TEST_F(MosquittoClientTest, the_brokers_own_keepalive_is_kept) {
  std::string pings;
  ScriptedServer server(loop_, [&](const std::string& piece) {
    if (piece == "\xc0\x00"s) pings += piece;
    return piece[0] == '\x10' ? kServerKeepalive : std::string("\xd0\x00", 2);
  });
  server.listen();
  const auto client = make(server.port(), Seconds{10});  // ours is 60 s
  client->connect();
  EXPECT_TRUE(run_until(loop_, [&] { return !pings.empty(); }));
  EXPECT_TRUE(told_.ends.empty());
}

TEST_F(MosquittoClientTest, a_black_hole_is_a_timeout_and_never_holds_the_loop) {
  ScriptedServer server(loop_, nullptr);
  server.listen_as_black_hole();
  const auto client = make(server.port(), Milliseconds{400});
  const MonoTime began = loop_.now();
  client->connect();
  MonoTime last = loop_.now();
  Microseconds longest{0};
  ASSERT_TRUE(run_until(loop_, [&] {
    longest = std::max<Microseconds>(longest, loop_.now() - last);
    last = loop_.now();
    return told_.is_any();
  }));
  EXPECT_EQ(told_.ends[0].code, ErrorCode::timeout);
  EXPECT_GE(loop_.now() - began, Milliseconds{400});
  EXPECT_LT(longest, Milliseconds{200});
}

TEST_F(MosquittoClientTest, a_client_may_die_while_a_black_hole_swallows_its_attempt) {
  ScriptedServer server(loop_, nullptr);
  server.listen_as_black_hole();
  auto client = make(server.port(), Seconds{10});
  client->connect();
  Timer timer(loop_);
  timer.after(Milliseconds{50}, [&] { client.reset(); });
  EXPECT_TRUE(run_until(loop_, [&] { return !client; }));
  EXPECT_FALSE(told_.is_any());
}

// The TLS hello is written before the refusal is read: it must not hide it (seen as an endless
// loop).
TEST_F(MosquittoClientTest, a_port_nobody_listens_on_is_unavailable_over_tls_too) {
  const ScriptedServer server(loop_, nullptr);  // bound, not listening
  for (int i = 0; i < 50; ++i) {
    told_ = {};
    const auto client = make(server.port(), Seconds{10}, true);
    client->connect();
    ASSERT_TRUE(run_until(loop_, [&] { return told_.is_any(); }));
    ASSERT_EQ(told_.ends.size(), 1U);
    ASSERT_EQ(told_.ends[0].code, ErrorCode::unavailable) << told_.ends[0].text;
  }
}

TEST_F(MosquittoClientTest, a_server_that_speaks_no_tls_is_permission) {
  ScriptedServer server(loop_,
                        [](const std::string&) { return "HTTP/1.1 400 Bad Request\r\n\r\n"s; });
  server.listen();
  const auto client = make(server.port(), Seconds{10}, true);
  client->connect();
  ASSERT_TRUE(run_until(loop_, [&] { return told_.is_any(); }));
  ASSERT_EQ(told_.ends.size(), 1U);
  EXPECT_EQ(told_.ends[0].code, ErrorCode::permission) << told_.ends[0].text;
}

TEST_F(MosquittoClientTest, garbage_instead_of_a_connack_ends_the_attempt) {
  ScriptedServer server(loop_, [](const std::string&) { return std::string(64, '\xff'); });
  server.listen();
  const auto client = make(server.port(), Seconds{10});
  client->connect();
  ASSERT_TRUE(run_until(loop_, [&] { return told_.is_any(); }));
  EXPECT_EQ(told_.ends.size(), 1U);
  EXPECT_TRUE(told_.connacks.empty());
}

TEST_F(MosquittoClientTest, localhost_is_found_whatever_family_it_resolves_to_first) {
  ScriptedServer server(loop_, [](const std::string&) { return kConnack; });
  server.listen();
  MqttOptions options;
  options.host = "localhost";
  options.port = server.port();
  options.client_id = "node";
  MqttEvents events;
  events.on_connected = [this](int reason, bool) { told_.connacks.push_back(reason); };
  auto client = clients_.create(options, std::move(events));
  ASSERT_TRUE(client.has_value());
  (*client)->connect();
  EXPECT_TRUE(run_until(loop_, [&] { return told_.is_any(); }));
  EXPECT_EQ(told_.connacks, std::vector<int>{0});
}

TEST_F(MosquittoClientTest, a_handshake_that_breaks_is_no_matter_of_certificates) {
  ScriptedServer server(loop_, [](const std::string&) { return ScriptedServer::kHangUp; });
  server.listen();
  const auto client = make(server.port(), Seconds{10}, true);
  client->connect();
  ASSERT_TRUE(run_until(loop_, [&] { return told_.is_any(); }));
  ASSERT_EQ(told_.ends.size(), 1U);
  EXPECT_EQ(told_.ends[0].code, ErrorCode::closed) << told_.ends[0].text;
}

TEST_F(MosquittoClientTest, a_missing_ca_file_is_named_at_each_connection) {
  MqttOptions options;
  options.host = "127.0.0.1";
  options.tls = true;
  options.tls_options.ca_file = "/nowhere/ca.pem";
  MqttEvents events;
  events.on_disconnected = [this](const Error& error, int) { told_.ends.push_back(error); };
  const auto client = clients_.create(options, std::move(events));
  ASSERT_TRUE(client.has_value());
  for (std::size_t count = 1; count < 3; ++count) {
    (*client)->connect();
    EXPECT_EQ(told_.ends.size(), count - 1) << "told inside connect";
    ASSERT_TRUE(run_until(loop_, [&] { return told_.ends.size() == count; }));
    EXPECT_EQ(told_.ends.back().code, ErrorCode::permission);
    EXPECT_NE(told_.ends.back().text.find("/nowhere/ca.pem"), std::string::npos);
  }
}

TEST(NameLookupTest, a_lookup_that_nobody_waits_for_any_more_tells_nobody) {
  EpollLoop loop;
  NameLookups lookups(loop);
  int told = 0;
  for (int i = 0; i < 20; ++i) {
    const auto dropped = lookups.start("localhost", [&](auto) { told += 1000; });
  }
  const auto kept = lookups.start("127.0.0.1", [&](auto addresses) {
    EXPECT_EQ(*addresses, NameLookup::Addresses{"127.0.0.1"});
    ++told;
  });
  EXPECT_EQ(told, 0) << "told inside start";
  EXPECT_TRUE(run_until(loop, [&] { return told > 0; }));
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace berm::hal
