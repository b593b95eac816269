// SPDX-License-Identifier: Apache-2.0
// The contract of hal/stream_listener.hpp.
#include <map>
#include <memory>
#include <string>

#include "tests/contract/hal/backend.hpp"

namespace berm::hal::contract {

namespace {

// What the agent's side sees, and how it answers: each piece of bytes comes back in brackets.
struct Server {
  int accepted = 0;
  int closed = 0;
  std::string received;
  StreamConnection* last = nullptr;
  bool is_echo = true;

  StreamListener::OnConnection taker() {
    return [this](StreamConnection& connection) {
      ++accepted;
      last = &connection;
      connection.on_bytes = [this, &connection](std::string_view bytes) {
        received += bytes;
        if (is_echo) connection.send("[" + std::string(bytes) + "]");
      };
      connection.on_closed = [this, &connection] {
        ++closed;
        if (last == &connection) last = nullptr;
      };
    };
  }
};

}  // namespace

TEST_P(StreamListenerContract, BytesGoBothWays) {
  Server server;
  auto listener = backend_->listeners().listen({.path = path("s")}, server.taker());
  ASSERT_TRUE(listener) << listener.error().text;
  const auto peer = backend_->connect(path("s"));
  ASSERT_TRUE(peer);
  peer->send("hello");
  EXPECT_TRUE(run_until([&] { return peer->received() == "[hello]"; }));
  EXPECT_EQ(server.accepted, 1);
  EXPECT_FALSE(peer->is_closed());
}

TEST_P(StreamListenerContract, NobodyListensOnAPathWithoutListener) {
  EXPECT_FALSE(backend_->connect(path("none")));
}

TEST_P(StreamListenerContract, OurOwnUserIsAdmin) {
  Server server;
  auto listener = backend_->listeners().listen({.path = path("s")}, server.taker());
  ASSERT_TRUE(listener);
  const auto peer = backend_->connect(path("s"));
  EXPECT_TRUE(run_until([&] { return server.last != nullptr; }));
  EXPECT_TRUE(server.last->peer().is_admin);
  EXPECT_GT(server.last->peer().pid, 0);
}

TEST_P(StreamListenerContract, AClosedPeerIsToldOnceAndNothingMoreComesFromIt) {
  Server server;
  auto listener = backend_->listeners().listen({.path = path("s")}, server.taker());
  ASSERT_TRUE(listener);
  auto peer = backend_->connect(path("s"));
  peer->send("x");
  EXPECT_TRUE(run_until([&] { return server.received == "x"; }));
  peer.reset();
  EXPECT_TRUE(run_until([&] { return server.closed == 1; }));
  run_for(Milliseconds{5});
  EXPECT_EQ(server.closed, 1);
}

TEST_P(StreamListenerContract, CloseAfterSendingDeliversAllOfIt) {
  Server server;
  auto listener = backend_->listeners().listen({.path = path("s")}, server.taker());
  ASSERT_TRUE(listener);
  const auto peer = backend_->connect(path("s"));
  EXPECT_TRUE(run_until([&] { return server.last != nullptr; }));
  const std::string much(1u << 20, 'm');
  server.last->send(much);
  server.last->close_after_sending();
  EXPECT_TRUE(run_until([&] { return peer->is_closed(); }));
  EXPECT_EQ(peer->received().size(), much.size());
  EXPECT_TRUE(run_until([&] { return server.closed == 1; }));
}

TEST_P(StreamListenerContract, AConnectionMayEndInsideItsOwnCallbacks) {
  Server server;
  auto listener = backend_->listeners().listen({.path = path("s")}, [&](StreamConnection& c) {
    c.on_bytes = [&c, &server](std::string_view bytes) {
      server.received += bytes;
      c.send("bye");
      c.close_after_sending();
      c.send("lost");  // nothing is taken any more
    };
    c.on_closed = [&server] { ++server.closed; };
  });
  ASSERT_TRUE(listener);
  const auto peer = backend_->connect(path("s"));
  peer->send("x");
  EXPECT_TRUE(run_until([&] { return peer->is_closed() && server.closed == 1; }));
  EXPECT_EQ(peer->received(), "bye");
}

TEST_P(StreamListenerContract, APeerThatDoesNotReadIsClosedBeyondTheUnsentBytes) {
  Server server;
  auto listener = backend_->listeners().listen({.path = path("s"), .max_unsent_bytes = 1u << 20},
                                               server.taker());
  ASSERT_TRUE(listener);
  const auto peer = backend_->connect(path("s"));
  peer->set_reading(false);
  EXPECT_TRUE(run_until([&] { return server.last != nullptr; }));
  server.last->send(std::string(1u << 20, 'a'));  // at the bound: kept
  run_for(Milliseconds{5});
  ASSERT_EQ(server.closed, 0);
  server.last->send(std::string(4u << 20, 'b'));
  EXPECT_NE(server.last, nullptr);  // never told inside send
  EXPECT_TRUE(run_until([&] { return server.closed == 1; }));
}

TEST_P(StreamListenerContract, ASlowPeerGetsAllThatFitsTheBound) {
  Server server;
  auto listener = backend_->listeners().listen({.path = path("s"), .max_unsent_bytes = 2u << 20},
                                               server.taker());
  ASSERT_TRUE(listener);
  const auto peer = backend_->connect(path("s"));
  peer->set_reading(false);
  EXPECT_TRUE(run_until([&] { return server.last != nullptr; }));
  for (int i = 0; i < 20; ++i) server.last->send(std::string(100000, 'a'));
  run_for(Milliseconds{5});
  peer->set_reading(true);
  EXPECT_TRUE(run_until([&] { return peer->received().size() == 2000000; }));
  EXPECT_EQ(server.closed, 0);
}

TEST_P(StreamListenerContract, WhatIsUnreadIsCountedAndItsReadingTold) {
  Server server;
  auto listener = backend_->listeners().listen({.path = path("s"), .max_unsent_bytes = 2u << 20},
                                               server.taker());
  ASSERT_TRUE(listener);
  const auto peer = backend_->connect(path("s"));
  peer->set_reading(false);
  EXPECT_TRUE(run_until([&] { return server.last != nullptr; }));
  int drained = 0;
  server.last->on_drained = [&] { ++drained; };
  EXPECT_EQ(server.last->unsent_bytes(), 0u);
  server.last->send(std::string(1u << 20, 'a'));
  run_for(Milliseconds{5});
  EXPECT_GT(server.last->unsent_bytes(), 0u);
  EXPECT_LE(server.last->unsent_bytes(), 1u << 20);
  EXPECT_EQ(drained, 0);
  peer->set_reading(true);
  EXPECT_TRUE(run_until([&] { return peer->received().size() == 1u << 20; }));
  EXPECT_EQ(drained, 1);
  EXPECT_EQ(server.last->unsent_bytes(), 0u);
}

TEST_P(StreamListenerContract, OneConnectionBeyondTheMaximumIsClosedAtOnce) {
  Server server;
  auto listener =
      backend_->listeners().listen({.path = path("s"), .max_connections = 2}, server.taker());
  ASSERT_TRUE(listener);
  auto first = backend_->connect(path("s"));
  auto second = backend_->connect(path("s"));
  EXPECT_TRUE(run_until([&] { return server.accepted == 2; }));
  {
    const auto third = backend_->connect(path("s"));
    EXPECT_TRUE(run_until([&] { return !third || third->is_closed(); }));
  }
  EXPECT_EQ(server.accepted, 2);
  first.reset();
  EXPECT_TRUE(run_until([&] { return server.closed == 1; }));
  const auto fourth = backend_->connect(path("s"));
  ASSERT_TRUE(fourth);
  EXPECT_TRUE(run_until([&] { return server.accepted == 3; }));
}

TEST_P(StreamListenerContract, APathIsListenedOnOnce) {
  Server server;
  auto listener = backend_->listeners().listen({.path = path("s")}, server.taker());
  ASSERT_TRUE(listener);
  const auto second = backend_->listeners().listen({.path = path("s")}, server.taker());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::exists);
  EXPECT_TRUE(backend_->connect(path("s")));
}

TEST_P(StreamListenerContract, ADeadListenerClosesItsConnectionsAndTellsNobody) {
  Server server;
  auto listener = backend_->listeners().listen({.path = path("s")}, server.taker());
  ASSERT_TRUE(listener);
  const auto peer = backend_->connect(path("s"));
  EXPECT_TRUE(run_until([&] { return server.accepted == 1; }));
  listener->reset();
  EXPECT_TRUE(run_until([&] { return peer->is_closed(); }));
  EXPECT_EQ(server.closed, 0);
  EXPECT_FALSE(backend_->connect(path("s")));
  EXPECT_TRUE(backend_->listeners().listen({.path = path("s")}, server.taker()));
}

}  // namespace berm::hal::contract
