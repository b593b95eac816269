// SPDX-License-Identifier: Apache-2.0
// The server over simulated connections: order, bounds, and askers that go.
#include "firmware/shell/shell_server.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "hal/sim/loop.hpp"
#include "hal/sim/stream_listener.hpp"

namespace berm::shell {
namespace {

using Reply = std::shared_ptr<CommandReply>;

class ShellServerTest : public testing::Test {
 protected:
  ShellServerTest() {
    auto opened =
        ShellServer::open(loop_, listeners_, {.path = "s"}, [this] { return commands(); });
    EXPECT_TRUE(opened);
    server_ = std::move(*opened);
  }

  std::vector<Command> commands() {
    Command later{"later", "later", ""};
    later.run_later = [this](const CommandRequest& request, Reply reply) {
      asked_ = request;
      replies_.push_back(std::move(reply));
    };
    Command at_once{"at-once", "at-once", ""};
    at_once.run_later = [](const CommandRequest&, const Reply& reply) {
      reply->more("a");
      reply->more("b");
      reply->end({0, "c"});
      reply->end({0, "never"});
      reply->more("never");
    };
    return {{"now", "now", "", false,
             [this](const CommandRequest&) -> CommandAnswer {
               ++ran_;
               return {0, "now\n"};
             }},
            {"big", "big", "", false,
             [this](const CommandRequest&) -> CommandAnswer {
               ++ran_;
               return {0, std::string(50'000, 'b')};
             }},
            {"change", "change", "", true,
             [](const CommandRequest&) -> CommandAnswer { return {0, "changed\n"}; }},
            std::move(later),
            std::move(at_once)};
  }

  void turn() { loop_.run_for(Milliseconds{1}); }

  hal::SimLoop loop_;
  hal::SimStreamListeners listeners_{loop_};
  std::unique_ptr<ShellServer> server_;
  std::vector<Reply> replies_;
  std::optional<CommandRequest> asked_;
  int ran_ = 0;
};

TEST_F(ShellServerTest, SeveralRequestsInOnePieceAreAnsweredInTheirOrder) {
  const auto peer = listeners_.connect("s");
  peer->send("now\r\nnone\nnow");
  turn();
  EXPECT_EQ(peer->received(), "0 4\nnow\n2 44\nunknown command 'none', did you mean 'now'?\n");
}

TEST_F(ShellServerTest, AnAnswerThatComesLaterHoldsUpThoseBehindIt) {
  const auto peer = listeners_.connect("s");
  peer->send("later \"two words\" --json\nnow\n");
  turn();
  EXPECT_EQ(peer->received(), "");
  ASSERT_EQ(replies_.size(), 1u);
  EXPECT_EQ(asked_->words, std::vector<std::string>{"two words"});
  EXPECT_TRUE(asked_->json);
  const auto other = listeners_.connect("s");
  other->send("now\n");
  turn();
  EXPECT_EQ(other->received(), "0 4\nnow\n") << "another connection is not held up";
  replies_[0]->end({1, "done\n"});
  turn();
  EXPECT_EQ(peer->received(), "1 5\ndone\n0 4\nnow\n");
  EXPECT_FALSE(replies_[0]->is_open());
}

TEST_F(ShellServerTest, AnAnswerComesInPiecesAndEndsOnce) {
  const auto peer = listeners_.connect("s");
  peer->send("at-once\nnow\n");
  turn();
  EXPECT_EQ(peer->received(), "- 1\na- 1\nb0 1\nc0 4\nnow\n");
}

TEST_F(ShellServerTest, AReplyOutlivesItsAskerAndTheServer) {
  auto peer = listeners_.connect("s");
  peer->send("later\n");
  turn();
  EXPECT_TRUE(replies_.at(0)->is_open());
  peer.reset();
  turn();
  EXPECT_FALSE(replies_[0]->is_open());
  EXPECT_EQ(replies_[0]->unsent_bytes(), 0u);
  replies_[0]->more("x");
  replies_[0]->end({0, "x"});
  const auto second = listeners_.connect("s");
  second->send("later\n");
  turn();
  EXPECT_TRUE(replies_.at(1)->is_open());
  server_.reset();
  EXPECT_FALSE(replies_[1]->is_open());
  replies_[1]->end({0, "x"});
}

TEST_F(ShellServerTest, OnlyAnAdminChangesThings) {
  const auto stranger = listeners_.connect("s", {.uid = 5, .gid = 5, .pid = 7, .is_admin = false});
  const auto admin = listeners_.connect("s");
  stranger->send("change\n");
  admin->send("change\n");
  turn();
  EXPECT_TRUE(stranger->received().starts_with("1 ")) << stranger->received();
  EXPECT_EQ(admin->received(), "0 8\nchanged\n");
}

TEST_F(ShellServerTest, ALineAtTheBoundIsAnsweredOneBeyondEndsTheConnection) {
  const auto peer = listeners_.connect("s");
  peer->send("now" + std::string(kMaxRequestBytes - 4, ' ') + "\n");
  turn();
  EXPECT_EQ(peer->received(), "0 4\nnow\n");
  peer->send(std::string(kMaxRequestBytes, 'x'));
  turn();
  EXPECT_FALSE(peer->is_closed());
  peer->send("x");
  turn();
  EXPECT_TRUE(peer->is_closed());
  EXPECT_TRUE(peer->received().ends_with("the request is too long\n"));
}

TEST_F(ShellServerTest, BinaryIsAnsweredWithAnErrorAndTheConnectionGoesOn) {
  const auto peer = listeners_.connect("s");
  peer->send(std::string("\0\x01\xff\n\"open\nnow\n", 14));
  turn();
  EXPECT_TRUE(peer->received().starts_with("2 ")) << peer->received();
  EXPECT_TRUE(peer->received().ends_with("0 4\nnow\n")) << peer->received();
}

TEST_F(ShellServerTest, WhoDoesNotReadGetsNoFurtherAnswerUntilItHas) {
  const auto peer = listeners_.connect("s");
  turn();
  peer->set_reading(false);
  for (int i = 0; i < 10; ++i) peer->send("big\n");
  turn();
  EXPECT_EQ(ran_, 2) << "the second passed kMaxUnsentBytes";
  peer->set_reading(true);
  turn();
  EXPECT_EQ(ran_, 10);
  EXPECT_EQ(peer->received().size(), 10 * (50'000 + std::string("0 50000\n").size()));
}

TEST_F(ShellServerTest, WhoAsksOnAndDoesNotReadIsCutOff) {
  const auto peer = listeners_.connect("s");
  turn();
  peer->set_reading(false);
  for (int i = 0; i < 40'000 && !peer->is_closed(); ++i) {
    peer->send("big\n");
    if (i % 1000 == 0) turn();
  }
  peer->set_reading(true);
  turn();
  EXPECT_TRUE(peer->is_closed());
  EXPECT_LT(ran_, 10);
}

TEST_F(ShellServerTest, AFloodOfRequestsLeavesTheLoopItsTurn) {
  const auto peer = listeners_.connect("s");
  turn();
  // Posted once per turn: how many are answered from one turn to the next.
  int most = 0;
  int before = 0;
  const std::function<void()> look = [&] {
    most = std::max(most, ran_ - before);
    before = ran_;
    if (ran_ < 1000) loop_.post(look);
  };
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += "now\n";
  peer->send(flood);
  loop_.run_until_idle(1);  // the server has the bytes
  look();
  turn();
  EXPECT_EQ(most, kMaxAnswersPerTurn);
  EXPECT_EQ(ran_, 1000);
}

TEST_F(ShellServerTest, AReplySaysHowMuchIsUnread) {
  const auto peer = listeners_.connect("s");
  peer->send("later\n");
  turn();
  peer->set_reading(false);
  replies_.at(0)->more(std::string(1000, 'm'));
  EXPECT_GE(replies_[0]->unsent_bytes(), 1000u);
  peer->set_reading(true);
  turn();
  EXPECT_EQ(replies_[0]->unsent_bytes(), 0u);
}

TEST_F(ShellServerTest, MoreClientsThanAllowedAreClosedAtOnceAndTheOthersAnswered) {
  std::vector<std::unique_ptr<hal::SimStreamPeer>> peers;
  for (std::size_t i = 0; i < kMaxClients + 1; ++i) peers.push_back(listeners_.connect("s"));
  turn();
  EXPECT_TRUE(peers.back()->is_closed());
  for (std::size_t i = 0; i < kMaxClients; ++i) peers[i]->send("now\n");
  turn();
  for (std::size_t i = 0; i < kMaxClients; ++i) {
    EXPECT_EQ(peers[i]->received(), "0 4\nnow\n") << i;
  }
}

}  // namespace
}  // namespace berm::shell
