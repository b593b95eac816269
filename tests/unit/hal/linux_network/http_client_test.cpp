// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/http_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>

#include "hal/linux/curl_client.hpp"
#include "tests/unit/hal/linux_network/scripted_server.hpp"

namespace berm::hal {
namespace {

class CurlClientTest : public testing::Test {
 protected:
  void SetUp() override {
    auto client = make_curl_client(loop_);
    ASSERT_TRUE(client.has_value());
    client_ = std::move(*client);
  }
  Result<HttpAnswer> ask(HttpClient& client, HttpRequest request) {
    std::optional<Result<HttpAnswer>> answer;
    client.send(std::move(request), [&](Result<HttpAnswer> result) { answer = result; });
    if (!run_until(loop_, [&] { return answer.has_value(); })) return fail(ErrorCode::io, "none");
    return std::move(*answer);
  }
  HttpRequest get(const ScriptedServer& server) {
    HttpRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(server.port()) + "/";
    return request;
  }

  EpollLoop loop_;
  std::unique_ptr<HttpClient> client_;
};

std::string ok(const std::string&) {
  return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
}

TEST_F(CurlClientTest, the_module_beside_the_program_is_the_same_client) {
  const auto directory = default_module_directory();
  ASSERT_TRUE(directory.has_value());
  auto loaded = load_http_client(loop_, *directory);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().text;
  ScriptedServer server(loop_, ok);
  server.listen();
  const auto answer = ask(**loaded, get(server));
  ASSERT_TRUE(answer.has_value()) << answer.error().text;
  EXPECT_EQ(answer->status, 200);
}

std::string little_endian(std::uint32_t word) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>((word >> shift) & 0xffu);
  return bytes;
}

std::uint32_t crc_of_zeros(std::size_t count) {
  std::uint32_t crc = ~0u;
  for (std::size_t bit = 0; bit < count * 8; ++bit) {
    crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

// 1 + 258 × `repeats` zeros as gzip (RFC 1951, 1952): one literal, then the longest match of it.
std::string packed_zeros(std::size_t repeats) {
  std::string bits = "110";  // the last block, fixed codes; bits in the order they are sent
  bits += "00110000";        // literal 0
  for (std::size_t i = 0; i < repeats; ++i) bits += "1100010100000";  // length 258, distance 1
  bits += "0000000";                                                  // end of block
  bits.resize((bits.size() + 7) / 8 * 8, '0');
  std::string packed("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
  for (std::size_t at = 0; at < bits.size(); at += 8) {
    unsigned byte = 0;
    for (std::size_t i = 0; i < 8; ++i) byte |= (bits[at + i] == '1' ? 1u : 0u) << i;
    packed += static_cast<char>(byte);
  }
  const std::size_t bytes = 1 + 258 * repeats;
  return packed + little_endian(crc_of_zeros(bytes)) +
         little_endian(static_cast<std::uint32_t>(bytes));
}

TEST_F(CurlClientTest, a_body_that_swells_leaves_the_loop_its_turns) {
  constexpr std::size_t kRepeats = 16'000;
  constexpr std::size_t kBytes = 1 + 258 * kRepeats;
  const std::string packed = packed_zeros(kRepeats);
  ScriptedServer server(loop_, [&](const std::string&) {
    return "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " +
           std::to_string(packed.size()) + "\r\n\r\n" + packed;
  });
  server.listen();
  std::size_t total = 0;
  std::size_t this_turn = 0;
  std::size_t most = 0;
  bool is_over = false;
  std::function<void()> begin_turn = [&] {
    this_turn = 0;
    if (!is_over) loop_.post(begin_turn);
  };
  begin_turn();
  HttpRequest request = get(server);
  request.accept_gzip = true;
  request.on_body = [&](std::string_view piece) {
    total += piece.size();
    this_turn += piece.size();
    most = std::max(most, this_turn);
    return true;
  };
  const auto answer = ask(*client_, request);
  is_over = true;
  ASSERT_TRUE(answer.has_value()) << answer.error().text;
  EXPECT_EQ(total, kBytes);
  EXPECT_LE(most, 2 * (kBodyBytesPerTurn + 16384));  // a mark may fall between two turns
}

TEST_F(CurlClientTest, a_handshake_that_breaks_is_no_matter_of_certificates) {
  ScriptedServer server(loop_, [](const std::string&) { return ScriptedServer::kHangUp; });
  server.listen();
  HttpRequest request;
  request.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/";
  const auto answer = ask(*client_, request);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::closed) << answer.error().text;
}

TEST_F(CurlClientTest, a_missing_module_is_named) {
  const auto loaded = load_http_client(loop_, "/nowhere");
  ASSERT_FALSE(loaded.has_value());
  EXPECT_NE(loaded.error().text.find("/nowhere/berm-http.so"), std::string::npos);
}

TEST_F(CurlClientTest, a_proxy_of_the_environment_is_ignored) {
  const ScriptedServer nobody(loop_, nullptr);
  const std::string proxy = "http://127.0.0.1:" + std::to_string(nobody.port());
  ::setenv("http_proxy", proxy.c_str(), 1);
  ::setenv("all_proxy", proxy.c_str(), 1);
  ScriptedServer server(loop_, ok);
  server.listen();
  EXPECT_TRUE(ask(*client_, get(server)).has_value());
  HttpRequest request = get(server);
  request.proxy = proxy;
  EXPECT_FALSE(ask(*client_, request).has_value());
  ::unsetenv("http_proxy");
  ::unsetenv("all_proxy");
}

TEST_F(CurlClientTest, a_request_carries_what_was_asked_and_nothing_of_its_own) {
  ScriptedServer server(loop_, ok);
  server.listen();
  HttpRequest request = get(server);
  request.method = "POST";
  request.headers = {{"Content-Type", "text/x"}, {"X-Empty", ""}};
  request.body = "body";
  request.user = "u";
  request.password = "p";
  ASSERT_TRUE(ask(*client_, request).has_value());
  EXPECT_EQ(server.received(),
            "POST / HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                "\r\nAuthorization: Basic dTpw\r\nAccept: */*\r\n"
                "Content-Type: text/x\r\nX-Empty:\r\nContent-Length: 4\r\n\r\n"
                "body");
}

TEST_F(CurlClientTest, headers_without_end_are_full) {
  ScriptedServer server(loop_, [](const std::string&) {
    std::string answer = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 100; ++i) answer += "X-Long: " + std::string(1000, 'x') + "\r\n";
    return answer;
  });
  server.listen();
  const auto answer = ask(*client_, get(server));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::full);
}

TEST_F(CurlClientTest, a_black_hole_is_a_timeout_at_a_third_of_the_time) {
  ScriptedServer server(loop_, nullptr);
  server.listen_as_black_hole();
  HttpRequest request = get(server);
  request.timeout = Milliseconds{900};
  const MonoTime began = loop_.now();
  const auto answer = ask(*client_, request);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::timeout);
  EXPECT_GE(loop_.now() - began, Milliseconds{295});
  EXPECT_LT(loop_.now() - began, Milliseconds{850});
}

TEST_F(CurlClientTest, the_last_1xx_is_not_the_answer) {
  ScriptedServer server(loop_, [](const std::string&) {
    return std::string(
        "HTTP/1.1 103 Early\r\nX-A: 1\r\n\r\n"
        "HTTP/1.1 200 OK\r\nX-B: 2\r\nContent-Length: 2\r\n\r\nhi");
  });
  server.listen();
  const auto answer = ask(*client_, get(server));
  ASSERT_TRUE(answer.has_value()) << answer.error().text;
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(answer->header("x-a").empty());
  EXPECT_EQ(answer->header("x-b"), "2");
  EXPECT_EQ(answer->body, "hi");
}

}  // namespace
}  // namespace berm::hal
