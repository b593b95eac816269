// SPDX-License-Identifier: Apache-2.0
// A site that behaves: what is asked when, what is emitted once, what a restart does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/drivers/miv_feed/feed_bed.hpp"

namespace berm::drivers::miv_feed {
namespace {

using testing::IsEmpty;

TEST(MivRounds, FetchTheListThenTheDataAtOnceOnStart) {
  FeedBed feed;
  feed.start();
  feed.run_s(1);
  ASSERT_EQ(feed.asked.size(), 2U);
  EXPECT_EQ(feed.asked[0].url, "http://site/list");
  EXPECT_EQ(feed.asked[1].url, "http://site/data");
  EXPECT_TRUE(feed.asked[1].accept_gzip);
  ASSERT_EQ(feed.bed.periods().size(), 2U);
  const LanePeriod& first = feed.bed.periods()[0];
  EXPECT_EQ(first.lane, "R10");
  EXPECT_EQ(first.place.name, "Snede");
  EXPECT_EQ(first.place.km, 94.695);
  EXPECT_EQ(first.count, 9);
  EXPECT_EQ(first.flags, "");
  EXPECT_EQ(feed.bed.periods()[1].flags, "ghost");
  EXPECT_EQ(feed.bed.rows().size(), 2U);
  EXPECT_THAT(feed.bed.alarms(), testing::Each(testing::StartsWith("end ")));
}

TEST(MivRounds, AskAgainEachPeriodOnlyForWhatHasChanged) {
  FeedBed feed;
  feed.start();
  feed.run_s(1);
  EXPECT_EQ(feed.emitted(), "29@0 30@0");
  feed.run_s(60);
  EXPECT_EQ(feed.requests("/list"), 2);
  EXPECT_EQ(feed.requests("/data"), 2);
  EXPECT_EQ(feed.emitted(), "");
  const Status status = feed.bed.driver().status();
  EXPECT_EQ(status.child("data")->integer("unchanged"), 1);
  EXPECT_EQ(status.child("points")->integer("unchanged"), 1);
  feed.data.body = data_xml({{.uid = 29, .observed_s = kMinuteOne + 60}, {.uid = 30}});
  feed.run_s(60);
  EXPECT_EQ(feed.emitted(), "29@1");
}

TEST(MivRounds, AskForAListWithoutAnETagOnlyHourly) {
  FeedBed feed;
  feed.list.honours_etag = false;
  feed.start();
  feed.run_s(3599);
  EXPECT_EQ(feed.requests("/list"), 1);
  feed.run_s(61);
  EXPECT_EQ(feed.requests("/list"), 2);
}

TEST(MivRounds, EmitALateMinuteWhenItComesAndAnOldDocumentsNewOnesOnly) {
  FeedBed feed;
  feed.data.body = data_xml({{.uid = 29, .observed_s = kMinuteOne + 60}}, kPublished + 60);
  feed.start();
  feed.run_s(1);
  EXPECT_EQ(feed.emitted(), "29@1");
  feed.data.body = data_xml({{.uid = 29}, {.uid = 30}}, kPublished);
  feed.run_s(60);
  EXPECT_EQ(feed.emitted(), "29@0 30@0");
  feed.data.body = data_xml({{.uid = 29}, {.uid = 30}, {.uid = 29}}, kPublished);
  feed.run_s(60);
  EXPECT_EQ(feed.emitted(), "");
  EXPECT_EQ(feed.status("repeated"), 1);
}

TEST(MivRounds, FlagTheDocumentsAgeAgainstAKnownClockAndChangeNothingElse) {
  FeedBed feed;
  feed.data.body = data_xml({{.uid = 29}}, kPublished - 161);
  feed.start();
  feed.run_s(1);
  ASSERT_EQ(feed.bed.periods().size(), 1U);
  EXPECT_EQ(feed.bed.periods()[0].flags, "old_document");
  EXPECT_EQ(feed.bed.periods()[0].count, 9);
  FeedBed unknown;
  unknown.bed.bed_clock().source = ClockSource::none;
  unknown.data.body = feed.data.body;
  unknown.start();
  unknown.run_s(1);
  EXPECT_EQ(unknown.bed.periods().at(0).flags, "");
  FeedBed recorded;  // as recorded, years ago
  recorded.data.body = data_xml({{.uid = 29, .observed_s = 1451649480}}, 1493300394);
  recorded.start();
  recorded.run_s(1);
  EXPECT_EQ(recorded.bed.periods().at(0).flags, "stale old_document");
  EXPECT_EQ(s_of(*recorded.bed.periods().at(0).start.wall), 1451649480);
}

TEST(MivRounds, ReportOnlyTheListedPointsAndNameThoseTheSiteDoesNotHave) {
  FeedBed feed(",\"points\":[30,31]");
  feed.start();
  feed.run_s(1);
  EXPECT_EQ(feed.emitted(), "30@0");
  EXPECT_EQ(feed.bed.rows().size(), 1U);
  EXPECT_EQ(feed.status("unknown_points"), 1);
  EXPECT_THAT(feed.bed.alarms(), testing::Contains("begin unknown_points/points"));
  feed.list.body = list_xml({{.uid = 30}, {.uid = 31}});
  feed.run_s(60);
  EXPECT_THAT(feed.bed.alarms(), testing::Contains("end unknown_points/points"));
  EXPECT_EQ(feed.bed.rows().size(), 3U);  // 30 has another lane now, 31 is new
}

TEST(MivRounds, TellAPointOnChangeAndOnceADay) {
  FeedBed feed;
  feed.start();
  feed.run_s(86'000);
  EXPECT_EQ(feed.bed.rows().size(), 2U);
  feed.list.body = list_xml({{.uid = 29, .name = "Anders"}, {.uid = 30, .lane = "TR10"}});
  feed.run_s(60);
  ASSERT_EQ(feed.bed.rows().size(), 3U);
  EXPECT_EQ(std::get<std::string>(feed.bed.rows()[2].values[1].second), "Anders");
  feed.run_s(400);
  EXPECT_EQ(feed.bed.rows().size(), 5U);
  feed.run_s(86'400);
  EXPECT_EQ(feed.bed.rows().size(), 7U);
}

TEST(MivRounds, RepeatNothingAfterARestart) {
  for (const bool in_good_order : {true, false}) {
    FeedBed feed;
    feed.start();
    feed.run_s(1);
    EXPECT_EQ(feed.emitted(), "29@0 30@0");
    EXPECT_EQ(feed.bed.rows().size(), 2U);
    feed.restart(in_good_order);
    feed.run_s(1);
    EXPECT_EQ(feed.emitted(), "") << in_good_order;
    EXPECT_EQ(feed.bed.rows().size(), 2U);
    feed.list.body = list_xml({{.uid = 29}, {.uid = 30}});
    feed.restart(in_good_order);
    feed.run_s(1);
    EXPECT_EQ(feed.bed.rows().size(), 4U) << "a changed list is told";
  }
}

TEST(MivRounds, GoOnWithTheDayAfterARestart) {
  FeedBed feed;
  feed.start();
  feed.run_s(86'000);
  feed.restart(false);
  feed.run_s(300);
  EXPECT_EQ(feed.bed.rows().size(), 2U);
  feed.run_s(200);
  EXPECT_EQ(feed.bed.rows().size(), 4U);
}

TEST(MivRounds, BeginAnewWithACheckpointThatIsNone) {
  FeedBed feed;
  feed.bed.set_checkpoint("garbage of another version, long enough to be one");
  feed.start();
  feed.run_s(1);
  EXPECT_EQ(feed.emitted(), "29@0 30@0");
}

TEST(MivRounds, StopInTheMiddleOfARequest) {
  FeedBed feed;
  feed.data.delay = Seconds{10};
  feed.start();
  feed.run_s(5);
  feed.bed.stop();
  feed.run_s(100);
  EXPECT_EQ(feed.emitted(), "");
}

TEST(MivRounds, NeedAnHttpClient) {
  FeedBed feed;
  EXPECT_TRUE(miv_feed_driver.needs_http);
  feed.bed.set_http(nullptr);
  EXPECT_DEATH(feed.start(), "");
}

}  // namespace
}  // namespace berm::drivers::miv_feed
