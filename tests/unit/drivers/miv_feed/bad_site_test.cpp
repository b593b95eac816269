// SPDX-License-Identifier: Apache-2.0
// A site that does not behave: every fault is counted with its reason, named by an alarm, and never
// becomes a value.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/drivers/miv_feed/feed_bed.hpp"

namespace berm::drivers::miv_feed {
namespace {

using testing::Contains;
using testing::Not;

constexpr const char* kBroken = "begin feed_invalid/data";
constexpr const char* kMended = "end feed_invalid/data";
constexpr const char* kDown = "begin feed_down/data";
constexpr const char* kUp = "end feed_down/data";

std::string good_data() {
  return data_xml({{.uid = 29, .observed_s = kMinuteOne}, {.uid = 30, .observed_s = kMinuteOne}});
}

TEST(MivBadSite, EmitsWhatWasWholeOfADocumentCutInHalfAndLaterOnlyTheRest) {
  FeedBed feed;
  feed.data.body.resize(feed.data.body.size() - 100);
  feed.start();
  feed.run_s(1);
  EXPECT_EQ(feed.emitted(), "29@0");
  EXPECT_EQ(feed.faults("data", "cut"), 1);
  EXPECT_EQ(feed.status("cut"), 1);
  EXPECT_THAT(feed.bed.alarms(), Contains(kBroken));
  feed.data.body = good_data();
  feed.run_s(6);  // sooner than the period
  EXPECT_EQ(feed.emitted(), "30@0");
  EXPECT_THAT(feed.bed.alarms(), Contains(kMended));
}

TEST(MivBadSite, SurvivesAPowerCutBetweenTwoHalvesOfADocument) {
  FeedBed feed;
  feed.data.body.resize(feed.data.body.size() - 100);
  feed.start();
  feed.run_s(1);
  EXPECT_EQ(feed.emitted(), "29@0");
  feed.data.body = good_data();
  feed.restart(false);
  feed.run_s(1);
  EXPECT_EQ(feed.emitted(), "30@0");
}

TEST(MivBadSite, NeverKeepsTheETagOfABrokenDocument) {
  FeedBed feed;
  feed.data.body.resize(feed.data.body.size() - 100);
  feed.start();
  feed.run_s(6);
  const auto& last = feed.asked.back();
  EXPECT_EQ(last.url, "http://site/data");
  for (const auto& [name, value] : last.headers) EXPECT_NE(name, "If-None-Match");
}

TEST(MivBadSite, RefusesWhatIsNotTheFeed) {
  struct Case {
    std::string body, reason;
  };
  const Case cases[] = {
      {"<!DOCTYPE html><html><body>Please log in</body></html>", "not_the_document"},
      {"<html><body>Please log in</body></html>", "not_the_document"},
      {"{\"error\":\"none\"}", "not_the_document"},
      {"", "empty"},
      {"<!DOCTYPE miv [<!ENTITY a \"aaaa\">]><miv>&a;</miv>", "not_the_document"},
      {"<miv></miv>", "not_the_document"},
      {"<miv><meetpunt/><meetpunt/></miv>", "not_the_document"},
      {list_xml({{.uid = 29}}), "not_the_document"},
  };
  for (const Case& one : cases) {
    FeedBed feed;
    feed.data.body = one.body;
    feed.start();
    feed.run_s(1);
    EXPECT_EQ(feed.emitted(), "");
    EXPECT_EQ(feed.faults("data", one.reason), 1) << one.body;
    EXPECT_THAT(feed.bed.alarms(), Contains(kBroken)) << one.body;
    feed.data.body = good_data();
    feed.run_s(6);
    EXPECT_EQ(feed.emitted(), "29@0 30@0");
  }
}

TEST(MivBadSite, HoldsADocumentOf100MegabytesAndEmitsWhatCameBeforeTheLimit) {
  FeedBed feed;
  std::string body = good_data();
  body.resize(body.rfind("</miv>"));
  while (body.size() < 100u << 20) body += "<meetpunt>" + std::string(4000, ' ') + "</meetpunt>";
  feed.data.body = body;
  feed.start();
  feed.run_s(1);
  EXPECT_EQ(feed.emitted(), "29@0 30@0");
  EXPECT_EQ(feed.faults("data", "too_long"), 1);
}

TEST(MivBadSite, DoesNotWaitForAnAnswerThatNeverEnds) {
  FeedBed feed;
  feed.data.ending = hal::SimHttpReply::Ending::silent;
  feed.start();
  feed.run_s(49);
  EXPECT_EQ(feed.faults("data", "timeout"), 0);
  feed.run_s(2);
  EXPECT_EQ(feed.faults("data", "timeout"), 1);
}

TEST(MivBadSite, DoesNotFollowRedirects) {
  FeedBed feed;
  feed.data.status = 302;
  feed.data.headers = {{"location", "http://portal/login"}};
  feed.start();
  feed.run_s(30);
  EXPECT_GE(feed.faults("data", "redirect"), 2);
  EXPECT_THAT(feed.bed.alarms(), Contains(kDown));
  EXPECT_NE(feed.bed.driver().status().child("data")->text("last_fault").find("portal/login"),
            std::string::npos);
  for (const auto& request : feed.asked) EXPECT_TRUE(request.url.starts_with("http://site/"));
}

TEST(MivBadSite, TakesA304ItDidNotAskForAsAFault) {
  FeedBed feed;
  feed.data.status = 304;
  feed.start();
  feed.run_s(1);
  EXPECT_EQ(feed.bed.driver().status().child("data")->integer("unchanged"), 0);
  EXPECT_EQ(feed.bed.driver().status().child("data")->integer("failures"), 1);
}

TEST(MivBadSite, BacksOffDuringAnOutageAndReadsWhatTheSiteStillOffersAfterwards) {
  FeedBed feed;
  feed.start();
  feed.run_s(1);
  EXPECT_EQ(feed.emitted(), "29@0 30@0");
  const std::size_t before = feed.asked.size();
  hal::SimLink link;
  link.refuse = true;
  feed.network->set_link(FeedBed::kHost, link);
  feed.network->cut(FeedBed::kHost);
  feed.run_s(3600);
  EXPECT_EQ(feed.asked.size(), before);
  const std::int64_t failures = feed.bed.driver().status().child("data")->integer("failures");
  EXPECT_GT(failures, 12);
  EXPECT_LT(failures, 35);
  EXPECT_THAT(feed.bed.alarms(), Contains(kDown));
  EXPECT_THAT(feed.bed.alarms(), Contains("begin feed_down/points"));
  feed.data.body = data_xml({{.uid = 29, .observed_s = kMinuteOne + 3600}}, kPublished + 3600);
  feed.network->set_link(FeedBed::kHost, {});
  feed.bed.alarms().clear();
  feed.run_s(301);
  EXPECT_EQ(feed.emitted(), "29@60");
  EXPECT_THAT(feed.bed.alarms(), Contains(kUp));
}

TEST(MivBadSite, HonoursRetryAfterWithinAnHour) {
  FeedBed feed;
  feed.data.status = 503;
  feed.data.headers = {{"retry-after", "120"}};
  feed.start();
  feed.run_s(119);
  EXPECT_EQ(feed.requests("/data"), 1);
  feed.run_s(2);
  EXPECT_EQ(feed.requests("/data"), 2);
  EXPECT_EQ(feed.faults("data", "http_503"), 2);
  feed.data.headers = {{"retry-after", "999999"}};
  feed.run_s(120);
  EXPECT_EQ(feed.requests("/data"), 3);
  feed.run_s(3601);
  EXPECT_EQ(feed.requests("/data"), 4);
}

TEST(MivBadSite, SpreadsItsRetriesByTheNodesName) {
  std::vector<std::size_t> counts;
  std::vector<std::int64_t> times;
  for (const char* node : {"a", "b", "c"}) {
    FeedBed feed;
    feed.bed.bed_site().node = node;
    feed.data.status = 500;
    feed.start();
    const MonoTime begin = feed.bed.now();
    while (feed.requests("/data") < 3) feed.bed.run_for(Milliseconds{1});
    times.push_back((feed.bed.now() - begin).count());
    EXPECT_GE(feed.bed.now() - begin, Seconds{7});
    EXPECT_LE(feed.bed.now() - begin, Seconds{16});
  }
  EXPECT_NE(times[0], times[1]);
  EXPECT_NE(times[1], times[2]);
}

TEST(MivBadSite, ReportsTheDataWithoutAListAndTheListAsSoonAsThereIsOne) {
  FeedBed feed;
  feed.list.status = 404;
  feed.start();
  feed.run_s(1);
  ASSERT_EQ(feed.bed.periods().size(), 2U);
  EXPECT_EQ(feed.bed.periods()[0].flags, "unplaced");
  EXPECT_EQ(feed.emitted(), "29@0 30@0");
  feed.list.status = 200;
  feed.data.body = data_xml({{.uid = 29, .observed_s = kMinuteOne + 60}}, kPublished + 60);
  feed.run_s(60);
  ASSERT_EQ(feed.bed.periods().size(), 1U);
  EXPECT_EQ(feed.bed.periods()[0].place.name, "Snede");
  EXPECT_EQ(feed.bed.rows().size(), 2U);
}

TEST(MivBadSite, KeepsTheListItHasWhileTheSiteGivesABrokenOne) {
  FeedBed feed;
  feed.start();
  feed.run_s(1);
  feed.list.body = "<html/>";
  feed.data.body = data_xml({{.uid = 29, .observed_s = kMinuteOne + 60}}, kPublished + 60);
  feed.bed.periods().clear();
  feed.run_s(60);
  ASSERT_EQ(feed.bed.periods().size(), 1U);
  EXPECT_EQ(feed.bed.periods()[0].lane, "R10");
  EXPECT_THAT(feed.bed.alarms(), Contains("begin feed_invalid/points"));
  EXPECT_THAT(feed.bed.alarms(), Not(Contains(kBroken)));
}

}  // namespace
}  // namespace berm::drivers::miv_feed
