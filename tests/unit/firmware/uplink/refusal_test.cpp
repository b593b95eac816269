// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/refusal.hpp"

#include <gtest/gtest.h>

#include "firmware/uplink/limits.hpp"

namespace berm::uplink {
namespace {

using Step = Refusals::Step;

outbox::EventRef event(std::int64_t seq) {
  return {"traffic.lane", "k3v9x2m8q1", seq};
}

TEST(Refusals, ABatchIsBisectedOnlyAfterASuccess) {
  Refusals refusals;
  EXPECT_EQ(refusals.refused_batch(), Step::stay_away);
  refusals.accepted();
  EXPECT_EQ(refusals.refused_batch(), Step::bisect);
}

TEST(Refusals, AfterARefusedBatchWithoutSuccessTheNextRequestIsAProbe) {
  Refusals refusals;
  EXPECT_FALSE(refusals.is_probing());
  EXPECT_EQ(refusals.refused_batch(), Step::stay_away);
  EXPECT_TRUE(refusals.is_probing());
  refusals.accepted();
  EXPECT_FALSE(refusals.is_probing());
}

TEST(Refusals, OneRefusedEventIsSuspectedOnly) {
  Refusals refusals;
  refusals.accepted();
  EXPECT_EQ(refusals.refused_single(event(1), true), Step::suspect);
  EXPECT_TRUE(refusals.is_remembered(event(1)));
}

TEST(Refusals, AnEventIsSetAsideWhenRefusedAgainAfterAnAcceptance) {
  Refusals refusals;
  EXPECT_EQ(refusals.refused_single(event(1), true), Step::suspect);
  refusals.accepted();
  EXPECT_EQ(refusals.refused_single(event(1), true), Step::set_aside);
  EXPECT_FALSE(refusals.is_remembered(event(1)));
}

TEST(Refusals, RefusedTwiceWithoutAnAcceptanceIsNotEnough) {
  Refusals refusals;
  refusals.accepted();
  EXPECT_EQ(refusals.refused_single(event(1), true), Step::suspect);
  EXPECT_EQ(refusals.refused_single(event(1), true), Step::suspect);
}

TEST(Refusals, TwoInARowAreSuspectsTheThirdAccusesTheEndpoint) {
  Refusals refusals;
  refusals.accepted();
  EXPECT_EQ(refusals.refused_single(event(1), true), Step::suspect);
  EXPECT_EQ(refusals.refused_single(event(2), true), Step::suspect);
  EXPECT_FALSE(refusals.is_rejecting());
  EXPECT_EQ(refusals.refused_single(event(3), true), Step::stay_away);
  EXPECT_TRUE(refusals.is_rejecting());
}

TEST(Refusals, AnAcceptanceBetweenBeginsTheCountAnew) {
  Refusals refusals;
  for (std::int64_t seq = 1; seq <= 10; ++seq) {
    EXPECT_EQ(refusals.refused_single(event(2 * seq), true), Step::suspect);
    EXPECT_EQ(refusals.refused_single(event(2 * seq + 1), true), Step::suspect);
    refusals.accepted();
  }
  EXPECT_FALSE(refusals.is_rejecting());
}

TEST(Refusals, WhileProbingEveryRefusalSendsUsAway) {
  Refusals refusals;
  EXPECT_EQ(refusals.refused_batch(), Step::stay_away);
  EXPECT_EQ(refusals.refused_single(event(1), true), Step::stay_away);
  EXPECT_FALSE(refusals.is_rejecting());
  EXPECT_EQ(refusals.refused_single(event(2), true), Step::stay_away);
  EXPECT_TRUE(refusals.is_rejecting());
}

TEST(Refusals, ARejectingEndpointThatAcceptsSomethingIsSoundAgain) {
  Refusals refusals;
  for (std::int64_t seq = 1; seq <= 3; ++seq) {
    static_cast<void>(refusals.refused_single(event(seq), true));
  }
  refusals.accepted();
  EXPECT_FALSE(refusals.is_rejecting());
  EXPECT_EQ(refusals.refused_batch(), Step::bisect);
}

TEST(Refusals, AnAnswerThatSaysNothingOfTheEventNeverSetsItAside) {
  Refusals refusals;
  refusals.accepted();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(refusals.refused_single(event(1), false), Step::stay_away);
    refusals.accepted();
  }
  EXPECT_TRUE(refusals.is_remembered(event(1)));
}

TEST(Refusals, ADeliveredEventIsForgotten) {
  Refusals refusals;
  refusals.accepted();
  static_cast<void>(refusals.refused_single(event(1), true));
  refusals.forget(event(1));
  refusals.accepted();
  EXPECT_EQ(refusals.refused_single(event(1), true), Step::suspect);
}

TEST(Refusals, RememberAtMostSixteenTheOldestGoesFirst) {
  Refusals refusals;
  for (std::size_t seq = 1; seq <= kMaxRemembered; ++seq) {
    static_cast<void>(refusals.refused_single(event(static_cast<std::int64_t>(seq)), true));
  }
  EXPECT_TRUE(refusals.is_remembered(event(1)));
  static_cast<void>(refusals.refused_single(event(100), true));
  EXPECT_FALSE(refusals.is_remembered(event(1)));
  EXPECT_TRUE(refusals.is_remembered(event(2)));
  EXPECT_TRUE(refusals.is_remembered(event(100)));
}

TEST(Refusals, TheSameNumberInAnotherStreamOrEpochIsAnotherEvent) {
  Refusals refusals;
  static_cast<void>(refusals.refused_single(event(1), true));
  EXPECT_FALSE(refusals.is_remembered({"traffic.vehicle", "k3v9x2m8q1", 1}));
  EXPECT_FALSE(refusals.is_remembered({"traffic.lane", "another0epoch", 1}));
}

}  // namespace
}  // namespace berm::uplink
