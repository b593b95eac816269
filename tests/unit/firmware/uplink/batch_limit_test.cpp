// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/batch_limit.hpp"

#include <gtest/gtest.h>

#include "firmware/uplink/limits.hpp"

namespace berm::uplink {
namespace {

// Sends until `deliveries` full batches were taken by a receiver of that capacity; counts refusals.
std::size_t drive(BatchLimit& limit, std::size_t capacity, std::size_t deliveries) {
  std::size_t refused = 0;
  while (deliveries > 0) {
    const std::size_t events = limit.value();
    if (events > capacity) {
      limit.too_large(events);
      EXPECT_LT(limit.value(), events);
      ++refused;
    } else {
      limit.delivered(events);
      --deliveries;
    }
  }
  return refused;
}

TEST(BatchLimit, BeginsAtItsMaximum) {
  EXPECT_EQ(BatchLimit(100).value(), 100U);
}

TEST(BatchLimit, HalvesAtOnce) {
  BatchLimit limit(1000);
  limit.too_large(1000);
  EXPECT_EQ(limit.value(), 500U);
  limit.too_large(500);
  limit.too_large(250);
  limit.too_large(125);
  EXPECT_EQ(limit.value(), 62U);
}

TEST(BatchLimit, IsNeverLessThanOne) {
  BatchLimit limit(3);
  for (int i = 0; i < 10; ++i) limit.too_large(limit.value());
  EXPECT_EQ(limit.value(), 1U);
}

TEST(BatchLimit, NeverExceedsItsMaximum) {
  BatchLimit limit(100);
  drive(limit, 1'000'000, 10'000);
  EXPECT_EQ(limit.value(), 100U);
}

TEST(BatchLimit, ALateAnswerForALargerBatchDoesNotRaiseIt) {
  BatchLimit limit(1000);
  limit.too_large(1000);
  limit.too_large(500);
  limit.too_large(1000);
  EXPECT_EQ(limit.value(), 250U);
}

TEST(BatchLimit, LearnsACapacityOfAHundredWithinAnEighth) {
  BatchLimit limit(1000);
  drive(limit, 100, 200);
  EXPECT_GE(limit.value(), 88U);
  EXPECT_LE(limit.value(), 100U);
}

TEST(BatchLimit, RemembersWhatWasTooLargeAndProbesItSeldom) {
  BatchLimit limit(1000);
  drive(limit, 100, 200);
  const std::size_t refused = drive(limit, 100, 20'000);
  EXPECT_LE(refused, 8U);  // 256, 512, 1024, … full batches apart
  EXPECT_GE(refused, 3U);  // but it does probe
}

TEST(BatchLimit, FindsOutThatTheReceiverTakesMoreNow) {
  BatchLimit limit(1000);
  drive(limit, 100, 1000);
  drive(limit, 5000, 5000);
  EXPECT_EQ(limit.value(), 1000U);
}

TEST(BatchLimit, FollowsAReceiverThatTakesLessNow) {
  BatchLimit limit(1000);
  drive(limit, 1000, 10);
  drive(limit, 10, 1);
  EXPECT_LE(limit.value(), 10U);
}

TEST(BatchLimit, SmallDeliveriesDoNotRaiseIt) {
  BatchLimit limit(1000);
  limit.too_large(1000);
  for (int i = 0; i < 10'000; ++i) limit.delivered(499);
  EXPECT_EQ(limit.value(), 500U);
}

TEST(BatchLimit, WhatTheLinkWasTooSlowForComesBackSoon) {
  BatchLimit limit(1000);
  limit.too_slow(1000);
  EXPECT_EQ(limit.value(), 500U);
  for (std::size_t i = 0; i < kGrowAfter; ++i) limit.delivered(limit.value());
  EXPECT_EQ(limit.value(), 1000U);
}

TEST(BatchLimit, OneEventCannotBeTooLargeOrTooSlow) {
  BatchLimit limit(100);
  limit.too_large(1);
  limit.too_slow(1);
  EXPECT_EQ(limit.value(), 100U);
}

TEST(BatchLimit, WhereNothingFittedEverythingIsAsBeforeWithTheNextDelivery) {
  BatchLimit limit(1000);
  drive(limit, 1000, 10);
  while (limit.value() > 1) limit.too_large(limit.value());
  limit.nothing_fits();
  EXPECT_EQ(limit.value(), 1U);  // gently, until something is taken
  limit.delivered(1);
  EXPECT_EQ(limit.value(), 1000U);
}

TEST(BatchLimit, AReceiverOfOneEventIsServedOneByOne) {
  BatchLimit limit(1000);
  drive(limit, 1, 1);
  EXPECT_EQ(limit.value(), 1U);
  EXPECT_LE(drive(limit, 1, 10'000), 10U);
}

}  // namespace
}  // namespace berm::uplink
