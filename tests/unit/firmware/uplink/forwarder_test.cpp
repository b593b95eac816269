// SPDX-License-Identifier: Apache-2.0
// Batches, windows, linger, backoff, the batch limit: promises uplink 1, 2, 4.
#include <gtest/gtest.h>

#include "firmware/uplink/limits.hpp"
#include "tests/unit/firmware/uplink/forwarder_bench.hpp"

namespace berm::uplink {
namespace {

using State = outbox::FakeOutbox::State;

struct ForwarderTest : testing::Test, ForwarderBench {};

TEST_F(ForwarderTest, DeliversWhatWaitedAndWhatComes) {
  outbox.add_many(250);
  start();
  run_for(Seconds(1));
  outbox.add_many(7);
  run_for(Seconds(1));
  EXPECT_EQ(delivered(), 257U);
  EXPECT_EQ(sizes_of(server.requests), (std::vector<std::size_t>{100, 100, 50, 7}));
  EXPECT_EQ(state(), "idle");
  EXPECT_TRUE(alarms.history.empty());
}

TEST_F(ForwarderTest, AnIdleUplinkSendsALoneEventAtOnce) {
  start();
  run_for(Seconds(100));
  const MonoTime before = loop.now();
  outbox.add();
  run_for(Seconds(1));
  ASSERT_EQ(server.times.size(), 1U);
  EXPECT_EQ(server.times[0], before);
}

TEST_F(ForwarderTest, WhileNothingWaitsNothingTicks) {
  outbox.add_many(3);
  start();
  run_for(Seconds(10));
  EXPECT_TRUE(loop.is_idle());
}

TEST_F(ForwarderTest, WithOneRequestUnderWayTheOthersGatherUntilItIsAnswered) {
  server.latency = Seconds(2);
  start();
  outbox.add();
  run_for(Milliseconds(1));
  for (int i = 0; i < 10; ++i) {
    outbox.add();
    run_for(Milliseconds(100));
  }
  run_for(Seconds(10));
  EXPECT_EQ(sizes_of(server.requests), (std::vector<std::size_t>{1, 10}));
}

TEST_F(ForwarderTest, WithAWindowASmallBatchLingersWhileSomethingIsUnderWay) {
  server.limits.max_in_flight = 20;
  server.latency = Seconds(30);
  start();
  outbox.add();
  run_for(Seconds(31));  // delivered: the window is open
  outbox.add();          // sent at once
  run_for(Milliseconds(100));
  outbox.add();
  outbox.add();
  run_for(Milliseconds(999));
  EXPECT_EQ(server.requests.size(), 2U);
  run_for(Milliseconds(2));
  EXPECT_EQ(sizes_of(server.requests), (std::vector<std::size_t>{1, 1, 2}));
}

TEST_F(ForwarderTest, AFullBatchDoesNotLinger) {
  server.limits.max_in_flight = 20;
  server.latency = Seconds(30);
  start();
  outbox.add();
  run_for(Seconds(31));
  outbox.add();
  run_for(Milliseconds(1));
  outbox.add_many(100);
  run_for(Milliseconds(1));
  EXPECT_EQ(sizes_of(server.requests), (std::vector<std::size_t>{1, 1, 100}));
}

TEST_F(ForwarderTest, NeverMoreThanTheWindowIsUnderWay) {
  server.limits.max_in_flight = 20;
  outbox.add_many(10'000);
  start();
  run_for(Seconds(10));
  EXPECT_EQ(server.under_way_peak, 20U);  // asserted by the transport as well
  EXPECT_EQ(delivered(), 10'000U);
}

TEST_F(ForwarderTest, MemoryHoldsOneBatchMoreThanIsUnderWay) {
  outbox.add_many(10'000);
  start();
  run_for(Seconds(10));
  EXPECT_EQ(delivered(), 10'000U);
  EXPECT_LE(outbox.in_flight_peak(), 200U);
}

TEST_F(ForwarderTest, TheNextBatchIsReadWhileOneIsUnderWay) {
  outbox.set_take_latency(Milliseconds(50));
  server.latency = Milliseconds(50);
  outbox.add_many(10'000);
  start();
  run_for(Milliseconds(50 * 105));
  EXPECT_EQ(delivered(), 10'000U);
}

TEST_F(ForwarderTest, OneEventPerMessageIsReadManyAtATime) {
  server.limits = {.max_in_flight = 20, .max_events = 1};
  outbox.add_many(1000);
  start();
  run_for(Seconds(10));
  EXPECT_EQ(delivered(), 1000U);
  EXPECT_EQ(server.requests.size(), 1000U);
  EXPECT_LE(outbox.takes(), 60U);
}

TEST_F(ForwarderTest, ABatchOfOneStreamHasOneStream) {
  server.limits.one_stream = true;  // asserted by the transport
  for (int i = 0; i < 50; ++i) {
    outbox.add("traffic.lane");
    outbox.add("node.alarm");
    outbox.add("node.alarm");
  }
  start();
  run_for(Seconds(10));
  EXPECT_EQ(delivered(), 150U);
}

TEST_F(ForwarderTest, ABatchIsNoLargerThanItsBytes) {
  server.limits.max_bytes = 10'000;  // asserted by the transport
  for (int i = 0; i < 100; ++i) outbox.add(kLane, 999);
  outbox.add(kLane, 50'000);  // one always fits
  start();
  run_for(Seconds(10));
  EXPECT_EQ(delivered(), 101U);
  EXPECT_EQ(server.requests[0].size(), 10U);
}

TEST_F(ForwarderTest, OrderIsThatOfTheOutbox) {
  outbox.add_many(5000);
  server.limits.max_in_flight = 5;
  start();
  run_for(Seconds(10));
  std::int64_t next = 1;
  for (const Request& request : server.requests) {
    for (const EventName& event : request) EXPECT_EQ(event.second, next++);
  }
}

TEST_F(ForwarderTest, AnEventYoungerThanLiveIsLiveAnOlderOneBackfill) {
  const std::int64_t now_ms = ms_of(clock.wall().time);
  options.batch_events = 1;
  outbox.add(kLane, 0, now_ms - 121'000);
  outbox.add(kLane, 0, now_ms - 119'000);
  outbox.add(kLane, 0, std::nullopt);
  start();
  run_for(Seconds(1));
  EXPECT_EQ(server.queues, (std::vector<std::string>{"backfill", "live", "live"}));
}

// --- backoff ---

TEST_F(ForwarderTest, AFailingServerIsAskedEverMoreSeldom) {
  server.answer = [](const Request&) { return Answer{Verdict::failed, "HTTP 502"}; };
  outbox.add_many(10);
  start();
  run_for(Seconds(24 * 3600));
  // Full jitter under 300 s: about one request every 150 s.
  EXPECT_GT(server.requests.size(), 300U);
  EXPECT_LT(server.requests.size(), 1200U);
  EXPECT_EQ(outbox.count(State::waiting), 10U);
  EXPECT_TRUE(alarms.is_on("uplink_down/flume"));
  EXPECT_EQ(state(), "down");
}

TEST_F(ForwarderTest, InBackoffNothingIsHeldInMemoryAndNothingIsSentForNewEvents) {
  server.answer = [](const Request&) {
    return Answer{.verdict = Verdict::busy, .reason = "HTTP 503", .retry_after = Seconds(1000)};
  };
  outbox.add_many(300);
  start();
  run_for(Seconds(1));
  EXPECT_EQ(state(), "backoff");
  EXPECT_EQ(outbox.count(State::in_flight), 0U);
  for (int i = 0; i < 100; ++i) {
    outbox.add();
    run_for(Seconds(9));
  }
  EXPECT_EQ(server.requests.size(), 1U);
}

TEST_F(ForwarderTest, RetryAfterIsHonoured) {
  bool is_busy = true;
  server.answer = [&](const Request&) {
    return is_busy ? Answer{.verdict = Verdict::busy, .retry_after = Seconds(500)}
                   : Answer{Verdict::delivered};
  };
  outbox.add();
  start();
  run_for(Seconds(1));
  is_busy = false;
  EXPECT_GE(status("retry_in_s"), 498);
  run_for(Seconds(498));
  EXPECT_EQ(delivered(), 0U);
  run_for(Seconds(103));
  EXPECT_EQ(delivered(), 1U);
}

TEST_F(ForwarderTest, ABusyServerGetsTheSameEventsAgainAndNothingElse) {
  int answers = 0;
  server.answer = [&](const Request&) {
    return Answer{++answers <= 3 ? Verdict::busy : Verdict::delivered};
  };
  outbox.add_many(100);
  start();
  run_for(Seconds(200));
  ASSERT_EQ(server.requests.size(), 4U);
  EXPECT_EQ(server.requests[0], server.requests[3]);
  EXPECT_EQ(delivered(), 100U);
  EXPECT_EQ(status("batch_limit"), 100);
  EXPECT_EQ(status("repeated"), 300);
}

TEST_F(ForwarderTest, AnAnswerLostAfterTheServerTookTheBatchGivesRepeatsOfTheSameBytes) {
  int answers = 0;
  server.answer = [&](const Request&) {
    return Answer{++answers == 1 ? Verdict::failed : Verdict::delivered};
  };
  outbox.add_many(30);
  start();
  run_for(Seconds(100));
  EXPECT_EQ(delivered(), 30U);
  EXPECT_EQ(server.lines.size(), 30U);  // no other events than ours
  EXPECT_FALSE(server.is_any_repeat_different);
}

TEST_F(ForwarderTest, AThousandNodesAreNotOneWaveWhenTheirServerFails) {
  std::vector<std::int64_t> at_ms;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    ForwarderBench node(seed);
    const MonoTime begin = node.loop.now();
    node.server.answer = [](const Request&) { return Answer{Verdict::failed}; };
    node.outbox.add();
    node.start();
    node.run_for(Seconds(120));
    ASSERT_GE(node.server.times.size(), 4U);
    at_ms.push_back((node.server.times[3] - begin).count() / 1000);
  }
  std::sort(at_ms.begin(), at_ms.end());
  EXPECT_GT(at_ms[950] - at_ms[50], 6000);  // the third retry: spread over many seconds
  for (std::size_t i = 0; i + 250 < at_ms.size(); ++i) {
    EXPECT_GT(at_ms[i + 250] - at_ms[i], 500);  // never a quarter of the fleet in half a second
  }
}

TEST_F(ForwarderTest, AfterAFailureOneRequestAtATimeUntilOneIsDelivered) {
  server.limits.max_in_flight = 20;
  server.latency = Seconds(1);
  bool is_broken = true;
  server.answer = [&](const Request&) {
    return Answer{is_broken ? Verdict::failed : Verdict::delivered};
  };
  outbox.add_many(10'000);
  start();
  run_for(Seconds(600));
  EXPECT_EQ(server.under_way_peak, 1U);
  is_broken = false;
  run_for(Seconds(600));
  EXPECT_EQ(delivered(), 10'000U);
  EXPECT_EQ(server.under_way_peak, 20U);
}

// --- the batch limit ---

TEST_F(ForwarderTest, ACapacityOfAHundredIsLearntFromBatchesOfAThousand) {
  options.batch_events = 1000;
  server.answer = [](const Request& request) {
    return Answer{request.size() > 100 ? Verdict::too_large : Verdict::delivered};
  };
  outbox.add_many(30'000);
  start();
  run_for(Seconds(60));
  EXPECT_EQ(delivered(), 30'000U);
  EXPECT_GE(status("batch_limit"), 88);
  EXPECT_LE(status("batch_limit"), 100);
  EXPECT_LT(server.requests.size(), 450U);  // halving costs no backoff and few requests
}

TEST_F(ForwarderTest, OneEventThatIsAlwaysTooLargeBacksOffAndHolds) {
  server.answer = [](const Request&) { return Answer{Verdict::too_large, "HTTP 431"}; };
  outbox.add_many(100);
  start();
  run_for(Seconds(3600));
  EXPECT_LT(server.requests.size(), 250U);
  EXPECT_EQ(outbox.count(State::waiting), 100U);
  EXPECT_EQ(refused(), 0U);
}

TEST_F(ForwarderTest, AFalseBatchLimitIsForgottenWithTheNextDelivery) {
  bool is_broken = false;
  server.answer = [&](const Request& request) {
    if (!is_broken) return Answer{Verdict::delivered};
    return Answer{request.size() > 1 ? Verdict::too_large : Verdict::busy};
  };
  outbox.add_many(1000);
  start();
  run_for(Seconds(10));
  is_broken = true;
  outbox.add_many(1000);
  run_for(Seconds(600));
  EXPECT_EQ(status("batch_limit"), 1);
  is_broken = false;
  run_for(Seconds(600));
  EXPECT_EQ(delivered(), 2000U);
  EXPECT_EQ(status("batch_limit"), 100);
}

TEST_F(ForwarderTest, ALinkTooThinForAFullBatchGetsSmallerOnes) {
  server.answer = [](const Request& request) {
    return request.size() > 30 ? Answer{.verdict = Verdict::failed, .timed_out = true}
                               : Answer{Verdict::delivered};
  };
  outbox.add_many(100);
  start();
  run_for(Seconds(3600));
  EXPECT_EQ(delivered(), 100U);
}

TEST_F(ForwarderTest, AnEventThatMustNeverBeSentIsSetAsideUnsent) {
  server.fault = [](const event::Event& event) {
    return std::string(event.seq == 50 ? "the event is too large" : "");
  };
  outbox.add_many(100);
  start();
  run_for(Seconds(1));
  EXPECT_EQ(delivered(), 99U);
  EXPECT_EQ(outbox.state_of(kLane, 50), State::refused);
  EXPECT_EQ(outbox.refusals()[0].reason, "the event is too large");
  EXPECT_FALSE(server.lines.contains({kLane, 50}));
  EXPECT_TRUE(alarms.is_on("uplink_refused/flume"));
  EXPECT_EQ(status("refused"), 1);
}

TEST_F(ForwarderTest, UplinksDoNotDelayOneAnother) {
  outbox::FakeOutbox shared(loop, 2);
  ScriptedServer dead;
  dead.needs_connection = true;
  dead.accepts_connection = false;
  ForwarderOptions second{.name = "broker", .index = 1};
  const UplinkParts parts{loop, clock, random, shared, alarms};
  const auto sound =
      make_forwarder(options, std::make_unique<ScriptedTransport>(loop, server), parts);
  const auto down = make_forwarder(second, std::make_unique<ScriptedTransport>(loop, dead), parts);
  down->start();
  sound->start();
  run_for(Seconds(100));
  shared.add();
  run_for(server.latency);
  EXPECT_EQ(shared.count(State::delivered, 0), 1U);
  EXPECT_EQ(shared.count(State::waiting, 1), 1U);
}

}  // namespace
}  // namespace berm::uplink
