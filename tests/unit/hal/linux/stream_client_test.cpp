// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/stream_client.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "hal/linux/stream_listener.hpp"
#include "hal/linux/unix_address.hpp"
#include "tests/unit/hal/linux/scratch_directory.hpp"

namespace berm::hal {
namespace {

constexpr Milliseconds kLong{20000};

// A listener that answers, on a loop of its own thread.
class Agent {
 public:
  Agent(const std::string& path,
        const std::function<void(StreamConnection&, std::string_view)>& answer) {
    auto made = listeners_.listen({.path = path}, [answer](StreamConnection& connection) {
      connection.on_bytes = [answer, &connection](std::string_view bytes) {
        answer(connection, bytes);
      };
    });
    EXPECT_TRUE(made);
    listener_ = std::move(*made);
    thread_ = std::thread([this] { loop_.run(); });
  }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent() {
    loop_.stop();
    thread_.join();
  }

 private:
  EpollLoop loop_;
  SocketStreamListeners listeners_{loop_};
  std::unique_ptr<StreamListener> listener_;
  std::thread thread_;
};

TEST(StreamClient, AsksALineAndReadsTheAnswerToItsEnd) {
  const ScratchDirectory scratch;
  const Agent agent(scratch / "s", [](StreamConnection& connection, std::string_view bytes) {
    connection.send("got " + std::string(bytes) + std::string(300000, 'z'));
    connection.close_after_sending();
  });
  const auto answer = ask(scratch / "s", "status", kLong, 1u << 20);
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->size(), 300000u + 11u);
  EXPECT_TRUE(answer->starts_with("got status\n"));
}

TEST(StreamClient, NobodyThereIsUnavailable) {
  const ScratchDirectory scratch;
  EXPECT_EQ(ask(scratch / "s", "status", kLong, 100).error().code, ErrorCode::unavailable);
  {
    const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    const auto address = unix_address(scratch / "s");
    ASSERT_EQ(::bind(dead.get(), address->get(), address->length), 0);
  }
  EXPECT_EQ(ask(scratch / "s", "status", kLong, 100).error().code, ErrorCode::unavailable);
}

TEST(StreamClient, AnAgentThatSaysNothingIsATimeout) {
  const ScratchDirectory scratch;
  const Agent agent(scratch / "s", [](StreamConnection&, std::string_view) {});
  const auto answer = ask(scratch / "s", "status", Milliseconds{20}, 100);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::timeout);
}

TEST(StreamClient, AnAnswerOfTheMaximumIsTakenAndOneByteMoreIsTooMuch) {
  const ScratchDirectory scratch;
  const Agent agent(scratch / "s", [](StreamConnection& connection, std::string_view) {
    connection.send("12345");
    connection.close_after_sending();
  });
  EXPECT_EQ(ask(scratch / "s", "x", kLong, 5).value(), "12345");
  const auto refused = ask(scratch / "s", "x", kLong, 4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::full);
}

TEST(StreamClient, PiecesCanBeTakenOneByOne) {
  const ScratchDirectory scratch;
  const Agent agent(scratch / "s", [](StreamConnection& connection, std::string_view bytes) {
    connection.send("[" + std::string(bytes) + "]");
    if (bytes == "end") connection.close_after_sending();
  });
  auto client = StreamClient::connect(scratch / "s", kLong);
  ASSERT_TRUE(client);
  ASSERT_TRUE(client->send("one", kLong));
  EXPECT_EQ(client->receive(kLong).value(), "[one]");
  ASSERT_TRUE(client->send("end", kLong));
  EXPECT_EQ(client->receive(kLong).value(), "[end]");
  EXPECT_EQ(client->receive(kLong).value(), "");
}

}  // namespace
}  // namespace berm::hal
