// SPDX-License-Identifier: Apache-2.0
// What was delivered is offered again to whom it is asked for, with the same bytes.
#include <gtest/gtest.h>

#include "tests/support/outbox_bed.hpp"

namespace berm::test {
namespace {

using outbox::ResendReport;
using outbox::ResendRequest;

class OutboxResend : public ::testing::Test {
 protected:
  void SetUp() override {
    bed_.options.uplinks = {{.name = "flume"}, {.name = "stick"}};
    ASSERT_TRUE(bed_.open());
    for (int i = 0; i < 20; ++i) bed_.append_lane(i);
    bed_.run_for(Seconds{2});
    first_ = only(bed_.drain(0), "traffic.lane");
    bed_.drain(1);
  }
  Result<ResendReport> resend(const ResendRequest& request) {
    std::optional<Result<ResendReport>> answer;
    bed_.outbox().resend(request, [&](Result<ResendReport> report) { answer = std::move(report); });
    bed_.run_for(Seconds{1});
    return answer ? std::move(*answer) : fail(ErrorCode::timeout, "no answer");
  }
  OutboxBed bed_;
  std::vector<event::Event> first_;
};

TEST_F(OutboxResend, OffersTheSameBytesToTheOneThatIsNamed) {
  const auto report = resend({.stream = "traffic.lane", .ranges = "3-5 9-9", .uplink = "flume"});
  ASSERT_TRUE(report) << report.error().text;
  ASSERT_EQ(report->uplinks.size(), 1u);
  EXPECT_EQ(report->uplinks[0].queued, 4);
  EXPECT_EQ(report->gone, "");
  EXPECT_EQ(bed_.outbox().waiting(0), 4);
  EXPECT_EQ(bed_.outbox().waiting(1), 0);
  const auto again = bed_.drain(0);
  ASSERT_EQ(again.size(), 4u);
  EXPECT_EQ(again[0].line, first_[2].line);
  EXPECT_EQ(again[3].line, first_[8].line);
}

TEST_F(OutboxResend, WithoutAnUplinkAllThatTakeTheStreamGetIt) {
  const auto report = resend({.stream = "traffic.lane", .ranges = "1-1"});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->uplinks.size(), 2u);
  EXPECT_EQ(bed_.outbox().waiting(0), 1);
  EXPECT_EQ(bed_.outbox().waiting(1), 1);
}

TEST_F(OutboxResend, SaysWhatWaitsAnywayAndWhatIsNotHere) {
  bed_.append_lane(20);
  bed_.run_for(Seconds{2});
  const auto report = resend({.stream = "traffic.lane", .ranges = "20-30", .uplink = "flume"});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->uplinks[0].queued, 1);
  EXPECT_EQ(report->uplinks[0].waiting, 1);
  EXPECT_EQ(report->gone, "22-30");
}

TEST_F(OutboxResend, IsAnErrorWhereThereIsNothingToAskFor) {
  for (const ResendRequest& request :
       {ResendRequest{.stream = "traffic.lane", .epoch = "nowhere", .ranges = "1-1"},
        ResendRequest{.stream = "traffic.vehicle", .ranges = "1-1"},
        ResendRequest{.stream = "traffic.lane", .ranges = "1-1", .uplink = "kafka"},
        ResendRequest{.stream = "traffic.lane", .ranges = "5-3"},
        ResendRequest{.stream = "traffic.lane", .ranges = ""}}) {
    EXPECT_FALSE(resend(request)) << request.stream << request.ranges;
  }
  EXPECT_EQ(bed_.outbox().waiting(0), 0);
}

TEST_F(OutboxResend, SurvivesAPowerCutInItsQueue) {
  ASSERT_TRUE(resend({.stream = "traffic.lane", .ranges = "3-5", .uplink = "flume"}));
  bed_.power_cut();
  ASSERT_TRUE(bed_.open());
  const auto again = only(bed_.drain(0), "traffic.lane");
  EXPECT_EQ(again.size(), 3u);
}

TEST_F(OutboxResend, WhatIsAskedForAgainIsNotRemovedBeforeItIsDelivered) {
  bed_.options.keep_delivered_s = 60;
  bed_.close();
  ASSERT_TRUE(bed_.open());
  ASSERT_TRUE(resend({.stream = "traffic.lane", .ranges = "1-20", .uplink = "flume"}));
  bed_.run_for(Seconds{3600});
  EXPECT_EQ(only(bed_.drain(0), "traffic.lane").size(), 20u);
  bed_.run_for(Seconds{3600});
  const auto report = resend({.stream = "traffic.lane", .ranges = "1-20", .uplink = "flume"});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->gone, "1-20") << "and then it goes";
}

}  // namespace
}  // namespace berm::test
