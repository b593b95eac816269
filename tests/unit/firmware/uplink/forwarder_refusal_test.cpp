// SPDX-License-Identifier: Apache-2.0
// Whose fault a refusal is: promise uplink 3.
#include <gtest/gtest.h>

#include "firmware/uplink/limits.hpp"
#include "tests/unit/firmware/uplink/forwarder_bench.hpp"

namespace berm::uplink {
namespace {

using State = outbox::FakeOutbox::State;

struct ForwarderRefusalTest : testing::Test, ForwarderBench {
  static Answer refusal() {
    return {.verdict = Verdict::refused, .reason = "HTTP 400: bad", .can_set_aside = true};
  }
  // One bad event refuses its whole batch, as Flume does.
  void poison(std::vector<std::int64_t> seqs) {
    server.answer = [seqs = std::move(seqs)](const Request& request) {
      for (const std::int64_t seq : seqs) {
        if (has(request, {kLane, seq})) return refusal();
      }
      return Answer{Verdict::delivered};
    };
  }
  void succeed_once() {
    outbox.add("node.alarm");
    start();
    run_for(Seconds(1));
    ASSERT_EQ(delivered(), 1U);
  }
};

TEST_F(ForwarderRefusalTest, APoisonEventInABatchOfAHundredIsFoundAndSetAsideAlone) {
  for (std::int64_t bad = 1; bad <= 100; bad += 9) {
    ForwarderBench bench;
    bench.server.answer = [bad](const Request& request) {
      return has(request, {kLane, bad}) ? refusal() : Answer{Verdict::delivered};
    };
    bench.outbox.add("node.alarm");
    bench.start();
    bench.run_for(Seconds(1));
    bench.outbox.add_many(100);
    bench.run_for(Seconds(1));
    bench.outbox.add();  // something else must be accepted afterwards
    bench.run_for(Seconds(1));
    EXPECT_EQ(bench.outbox.state_of(kLane, bad), State::refused);
    EXPECT_EQ(bench.delivered(), 101U);
    EXPECT_LT(bench.server.requests.size(), 22U);
    EXPECT_EQ(bench.outbox.refusals()[0].reason, "HTTP 400: bad");
  }
}

TEST_F(ForwarderRefusalTest, ASuspectIsNotSetAsideUntilAnotherEventWasAccepted) {
  poison({1});
  succeed_once();
  outbox.add();
  run_for(Seconds(3600));
  EXPECT_EQ(refused(), 0U);
  EXPECT_EQ(outbox.state_of(kLane, 1), State::in_flight);
  outbox.add();
  run_for(Seconds(1));
  EXPECT_EQ(outbox.state_of(kLane, 1), State::refused);
  EXPECT_EQ(outbox.state_of(kLane, 2), State::delivered);
  EXPECT_TRUE(alarms.is_on("uplink_refused/flume"));
}

TEST_F(ForwarderRefusalTest, ASuspectThatIsTakenWhenAskedAgainIsDelivered) {
  succeed_once();
  bool is_proxy_broken = true;
  server.answer = [&](const Request&) {
    return is_proxy_broken ? refusal() : Answer{Verdict::delivered};
  };
  outbox.add();
  run_for(Seconds(1));
  outbox.add();
  run_for(Seconds(1));
  is_proxy_broken = false;
  outbox.add();
  run_for(Seconds(1));
  EXPECT_EQ(delivered(), 4U);
  EXPECT_EQ(refused(), 0U);
}

TEST_F(ForwarderRefusalTest, FourHundredForEverythingEndsInRejectingWithNothingSetAside) {
  server.answer = [](const Request&) { return refusal(); };
  outbox.add_many(500);
  start();
  run_for(Seconds(24 * 3600));
  EXPECT_EQ(state(), "rejecting");
  EXPECT_EQ(refused(), 0U);
  EXPECT_EQ(outbox.count(State::waiting), 500U);
  EXPECT_TRUE(alarms.is_on("uplink_rejecting/flume"));
  EXPECT_LT(server.requests.size(), 1200U);
}

TEST_F(ForwarderRefusalTest, TheSameAfterAnEarlierSuccess) {
  succeed_once();
  server.answer = [](const Request&) { return refusal(); };
  outbox.add_many(500);
  run_for(Seconds(24 * 3600));
  EXPECT_EQ(state(), "rejecting");
  EXPECT_EQ(refused(), 0U);
  EXPECT_EQ(outbox.count(State::waiting), 500U);
  EXPECT_LT(server.requests.size(), 1200U);
}

TEST_F(ForwarderRefusalTest, ARejectingUplinkThatHealsDeliversAll) {
  succeed_once();
  server.answer = [](const Request&) { return refusal(); };
  outbox.add_many(500);
  run_for(Seconds(24 * 3600));
  server.answer = [](const Request&) { return Answer{Verdict::delivered}; };
  run_for(Seconds(600));
  EXPECT_EQ(delivered(), 501U);
  EXPECT_FALSE(alarms.is_on("uplink_rejecting/flume"));
  EXPECT_FALSE(alarms.is_on("uplink_down/flume"));
}

TEST_F(ForwarderRefusalTest, ABatchRefusedBeforeAnySuccessIsHeldNotBisected) {
  server.answer = [](const Request&) { return refusal(); };
  outbox.add_many(100);
  start();
  run_for(Milliseconds(50));
  EXPECT_EQ(sizes_of(server.requests), std::vector<std::size_t>{100});
  EXPECT_EQ(outbox.count(State::waiting), 100U);
  EXPECT_EQ(state(), "backoff");
}

TEST_F(ForwarderRefusalTest, PoisonAtTheHeadOfAFreshProcessDoesNotBlockItForEver) {
  poison({1});
  outbox.add_many(100);
  start();
  run_for(Seconds(600));
  EXPECT_EQ(delivered(), 99U);
  EXPECT_EQ(outbox.state_of(kLane, 1), State::refused);
}

TEST_F(ForwarderRefusalTest, TwentyPoisonEventsInARowDoNotBlockTheOthersForEver) {
  std::vector<std::int64_t> bad(20);
  for (std::size_t i = 0; i < bad.size(); ++i) bad[i] = static_cast<std::int64_t>(i) + 30;
  poison(bad);
  succeed_once();
  outbox.add_many(1000);
  run_for(Seconds(4 * 3600));
  EXPECT_EQ(delivered(), 981U);
  EXPECT_EQ(refused(), 20U);
}

TEST_F(ForwarderRefusalTest, ThreeRefusedAloneWithNothingAcceptedBetweenAreReturned) {
  succeed_once();
  server.answer = [](const Request&) { return refusal(); };
  for (int i = 0; i < 2; ++i) {
    outbox.add();
    run_for(Milliseconds(100));
    EXPECT_EQ(state(), "idle");
  }
  EXPECT_EQ(outbox.count(State::in_flight), 2U);
  outbox.add();
  run_for(Milliseconds(50));
  EXPECT_EQ(state(), "rejecting");
  EXPECT_EQ(outbox.count(State::waiting), 3U);
}

TEST_F(ForwarderRefusalTest, FiveHundredBisectsButNeverSetsAside) {
  succeed_once();
  server.answer = [](const Request& request) {
    return has(request, {kLane, 13}) ? Answer{Verdict::refused, "HTTP 500"}
                                     : Answer{Verdict::delivered};
  };
  outbox.add_many(100);
  for (int i = 0; i < 100; ++i) {
    outbox.add();
    run_for(Seconds(600));
  }
  EXPECT_EQ(refused(), 0U);
  EXPECT_EQ(delivered(), 200U);  // all but that one
  EXPECT_EQ(outbox.state_of(kLane, 13), State::waiting);
}

TEST_F(ForwarderRefusalTest, OneEventTooLargeForTheServerIsSetAsideTheOthersAreNot) {
  succeed_once();
  server.answer = [](const Request& request) {
    return has(request, {kLane, 50})
               ? Answer{.verdict = Verdict::too_large, .reason = "HTTP 413", .can_set_aside = true}
               : Answer{Verdict::delivered};
  };
  outbox.add_many(100);
  run_for(Seconds(60));
  EXPECT_EQ(delivered(), 100U);
  EXPECT_EQ(outbox.state_of(kLane, 50), State::refused);
}

TEST_F(ForwarderRefusalTest, NoSubscriberHoldsAllAndSaysSo) {
  server.answer = [](const Request&) {
    return Answer{
        .verdict = Verdict::failed, .reason = "MQTT 16", .trouble = Trouble::no_subscriber};
  };
  outbox.add_many(10);
  start();
  run_for(Seconds(3600));
  EXPECT_EQ(outbox.count(State::waiting), 10U);
  EXPECT_TRUE(alarms.is_on("no_subscriber/flume"));
  server.answer = [](const Request&) { return Answer{Verdict::delivered}; };
  run_for(Seconds(310));
  EXPECT_EQ(delivered(), 10U);
  EXPECT_FALSE(alarms.is_on("no_subscriber/flume"));
}

// One replica of a channel is full: Flume has the batch already, and answers 503. The repeat has
// the same events with the same bytes and nothing else.
TEST_F(ForwarderRefusalTest, ASecondChannelThatIsFullGivesRepeatsOfTheSameEventsOnly) {
  std::map<EventName, int> first_channel;
  bool is_second_full = true;
  server.latency = Seconds(3);
  server.answer = [&](const Request& request) {
    for (const EventName& event : request) ++first_channel[event];
    return Answer{is_second_full ? Verdict::busy : Verdict::delivered, "HTTP 503"};
  };
  outbox.add_many(100);
  start();
  run_for(Seconds(60));
  is_second_full = false;
  run_for(Seconds(200));
  EXPECT_EQ(delivered(), 100U);
  EXPECT_EQ(first_channel.size(), 100U);
  EXPECT_FALSE(server.is_any_repeat_different);
  EXPECT_EQ(status("batch_limit"), 100);
}

}  // namespace
}  // namespace berm::uplink
