// SPDX-License-Identifier: Apache-2.0
// Connections, stop, destruction, an outbox that cannot be read.
#include <gtest/gtest.h>

#include "firmware/uplink/limits.hpp"
#include "tests/unit/firmware/uplink/forwarder_bench.hpp"

namespace berm::uplink {
namespace {

using State = outbox::FakeOutbox::State;

struct ForwarderLifeTest : testing::Test, ForwarderBench {};

TEST_F(ForwarderLifeTest, WaitsForItsConnection) {
  server.needs_connection = true;
  outbox.add_many(10);
  start();
  EXPECT_EQ(state(), "connecting");
  run_for(Seconds(1));
  EXPECT_EQ(delivered(), 10U);
  EXPECT_EQ(server.opens, 1);
}

TEST_F(ForwarderLifeTest, AConnectionThatIsRefusedIsTriedEverMoreSeldom) {
  server.needs_connection = true;
  server.accepts_connection = false;
  start();
  run_for(Seconds(3600));
  EXPECT_GT(server.opens, 10);
  EXPECT_LT(server.opens, 80);
  EXPECT_EQ(alarms.text("uplink_down/flume").find("flume has taken nothing for"), 0U);
  server.accepts_connection = true;
  run_for(Seconds(400));
  EXPECT_FALSE(alarms.is_on("uplink_down/flume"));  // although no event was there to deliver
  EXPECT_EQ(state(), "idle");
}

TEST_F(ForwarderLifeTest, ALostConnectionReturnsAllAndSendsItAgain) {
  server.needs_connection = true;
  server.limits.max_in_flight = 20;
  server.latency = Milliseconds(100);
  outbox.add_many(2000);
  start();
  run_for(Milliseconds(250));
  ASSERT_GT(outbox.count(State::in_flight), 1000U);
  transport->lose(Loss{"connection reset"});
  EXPECT_EQ(outbox.count(State::in_flight), 0U);
  run_for(Seconds(60));
  EXPECT_EQ(delivered(), 2000U);
  EXPECT_FALSE(server.is_any_repeat_different);
  EXPECT_EQ(server.lines.size(), 2000U);
}

TEST_F(ForwarderLifeTest, AnIdleConnectionThatIsLostIsMadeAgain) {
  server.needs_connection = true;
  start();
  run_for(Seconds(600));
  transport->lose(Loss{"keepalive"});
  EXPECT_EQ(state(), "backoff");
  run_for(Seconds(10));
  EXPECT_EQ(state(), "idle");
}

TEST_F(ForwarderLifeTest, ATakeoverStaysAwayForFiveMinutes) {
  server.needs_connection = true;
  start();
  run_for(Seconds(10));
  transport->lose(
      Loss{.reason = "taken over", .trouble = Trouble::identity_used_twice, .wait = kTakeoverWait});
  EXPECT_TRUE(alarms.is_on("identity_used_twice/flume"));
  const int opens = server.opens;
  run_for(kTakeoverWait - Seconds(1));
  EXPECT_EQ(server.opens, opens);
  run_for(Seconds(62));
  EXPECT_EQ(server.opens, opens + 1);
}

TEST_F(ForwarderLifeTest, ALossDuringBackoffDoesNotLengthenIt) {
  server.needs_connection = true;
  server.answer = [](const Request&) { return Answer{Verdict::failed}; };
  outbox.add();
  start();
  run_for(Milliseconds(20));
  ASSERT_EQ(state(), "backoff");
  const std::int64_t before = status("retry_in_s");
  transport->lose(Loss{"reset"});
  EXPECT_EQ(status("retry_in_s"), before);
  run_for(Seconds(3));
  EXPECT_EQ(server.opens, 2);
}

TEST_F(ForwarderLifeTest, APacketThatMakesTheBrokerHangUpIsFoundAndSetAside) {
  server.needs_connection = true;
  server.limits = {.max_in_flight = 20, .max_events = 100};
  server.hangs_up = [](const Request& request) { return has(request, {kLane, 40}); };
  outbox.add_many(100);
  start();
  for (int i = 0; i < 100; ++i) {
    outbox.add();
    run_for(Seconds(600));
  }
  EXPECT_EQ(delivered(), 199U);
  EXPECT_EQ(outbox.state_of(kLane, 40), State::refused);
}

TEST_F(ForwarderLifeTest, StopSendsWhatFitsThenIsDone) {
  outbox.add_many(1000);
  start();
  bool is_done = false;
  forwarder->stop(Seconds(5), [&] { is_done = true; });
  EXPECT_FALSE(is_done);
  run_for(Seconds(5));
  EXPECT_TRUE(is_done);
  EXPECT_EQ(delivered(), 1000U);
  EXPECT_EQ(state(), "stopped");
  EXPECT_EQ(server.closes, 1);
}

TEST_F(ForwarderLifeTest, StopEndsWithItsGraceAndReturnsTheRest) {
  server.latency = Seconds(2);
  outbox.add_many(1000);
  start();
  run_for(Seconds(1));
  bool is_done = false;
  forwarder->stop(Seconds(5), [&] { is_done = true; });
  run_for(Milliseconds(4999));
  EXPECT_FALSE(is_done);
  run_for(Milliseconds(1));
  EXPECT_TRUE(is_done);
  EXPECT_EQ(outbox.count(State::in_flight), 0U);
  EXPECT_EQ(delivered(), 200U);  // a third was under way
  EXPECT_TRUE(loop.is_idle());
}

TEST_F(ForwarderLifeTest, StopDoesNotWaitForABrokenServer) {
  server.answer = [](const Request&) { return Answer{Verdict::failed}; };
  outbox.add_many(10);
  start();
  run_for(Seconds(60));
  bool is_done = false;
  forwarder->stop(Seconds(5), [&] { is_done = true; });
  run_for(Microseconds(0));
  EXPECT_TRUE(is_done);
}

TEST_F(ForwarderLifeTest, StoppingWhatNeverStartedIsDone) {
  auto never = make_forwarder(options, std::make_unique<ScriptedTransport>(loop, server),
                              {loop, clock, random, outbox, alarms});
  bool is_done = false;
  never->stop(Seconds(5), [&] { is_done = true; });
  EXPECT_FALSE(is_done);
  run_for(Microseconds(0));
  EXPECT_TRUE(is_done);
}

TEST_F(ForwarderLifeTest, DestructionReturnsAllAndLateCallbacksDoNothing) {
  outbox.set_take_latency(Milliseconds(5));
  outbox.add_many(1000);
  start();
  run_for(Milliseconds(12));
  forwarder.reset();
  outbox.add();
  EXPECT_EQ(outbox.count(State::delivered), 0U);
  run_for(Seconds(10));
  EXPECT_EQ(server.closes, 1);
}

TEST_F(ForwarderLifeTest, AnotherForwarderGoesOnWhereOneWasDestroyed) {
  server.latency = Seconds(1);
  outbox.add_many(300);
  start();
  run_for(Milliseconds(500));
  forwarder.reset();
  EXPECT_EQ(outbox.count(State::waiting), 300U);
  start();
  run_for(Seconds(10));
  EXPECT_EQ(delivered(), 300U);
}

TEST_F(ForwarderLifeTest, AnOutboxThatCannotBeReadIsAskedAgain) {
  outbox.fail_takes(3);
  outbox.add_many(10);
  start();
  run_for(Seconds(1));
  EXPECT_EQ(outbox.takes(), 1U);
  EXPECT_NE(forwarder->status().text("last_error").find("input/output error"), std::string::npos);
  run_for(kOutboxRetry * 3);
  EXPECT_EQ(delivered(), 10U);
}

TEST_F(ForwarderLifeTest, StatusHasItsNames) {
  start();
  const Status status = forwarder->status();
  EXPECT_EQ(status.name(), "flume");
  for (const char* name : {"state", "delivered", "waiting", "in_flight", "repeated", "refused",
                           "failures", "last_error", "retry_in_s", "batch_limit"}) {
    EXPECT_NE(status.find(name), nullptr) << name;
  }
  EXPECT_NE(status.child("transport"), nullptr);
}

}  // namespace
}  // namespace berm::uplink
