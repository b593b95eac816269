// SPDX-License-Identifier: Apache-2.0
#include "drivers/miv_feed/data_document.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "hal/base/text.hpp"

namespace berm::drivers::miv_feed {
namespace {

class Collector final : public DataReader {
 public:
  bool wants(std::int64_t uid) const override { return uid != unwanted; }
  void on_point(const DocumentTimes& times, const MeasuredPoint& point) override {
    seen_times = times;
    points.push_back(point);
  }
  std::int64_t unwanted = -1;
  DocumentTimes seen_times;
  std::vector<MeasuredPoint> points;
};

struct Read {
  std::vector<MeasuredPoint> points;
  DocumentTimes times;
  DataCounts counts;
  Result<void> result;
};

Read read(std::string_view text, std::size_t piece = 1u << 20, std::int64_t unwanted = -1) {
  Collector collector;
  collector.unwanted = unwanted;
  DataDocument document(collector);
  Result<void> result;
  for (std::size_t at = 0; at < text.size() && result; at += piece) {
    result = document.feed(text.substr(at, piece));
  }
  if (result) result = document.finish();
  return {collector.points, document.times(), document.counts(), result};
}

std::string miv(const std::string& inside) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
         "<miv xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
         "xsi:noNamespaceSchemaLocation=\"./miv-verkeersdata.xsd\" schemaVersion=\"1.0.0\">\n"
         "<tijd_publicatie>2017-04-27T14:39:54.399+01:00</tijd_publicatie>\n"
         "<tijd_laatste_config_wijziging>2017-02-17T14:42:06+01:00"
         "</tijd_laatste_config_wijziging>\n" +
         inside + "</miv>\n";
}

constexpr const char* kPoint =
    "<meetpunt beschrijvende_id=\"H222L10\" unieke_id=\"29\">\n <lve_nr>55</lve_nr>\n"
    " <tijd_waarneming>2017-04-27T14:38:00+01:00</tijd_waarneming>\n"
    " <tijd_laatst_gewijzigd>2017-04-27T14:39:14+01:00</tijd_laatst_gewijzigd>\n"
    " <actueel_publicatie>1</actueel_publicatie>\n <beschikbaar>1</beschikbaar>\n"
    " <defect>2</defect>\n <geldig>3</geldig>\n"
    " <meetdata klasse_id=\"2\">\n  <verkeersintensiteit>9</verkeersintensiteit>\n"
    "  <voertuigsnelheid_rekenkundig>64</voertuigsnelheid_rekenkundig>\n"
    "  <voertuigsnelheid_harmonisch>63</voertuigsnelheid_harmonisch>\n </meetdata>\n"
    " <rekendata>\n  <bezettingsgraad>14</bezettingsgraad>\n"
    "  <beschikbaarheidsgraad>100</beschikbaarheidsgraad>\n"
    "  <onrustigheid>15</onrustigheid>\n </rekendata>\n</meetpunt>\n";

std::string with(std::string text, std::string_view what, std::string_view instead) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), instead);
}

TEST(DataDocument, GivesAPointAsTheFeedSaysItWhereverTheDocumentIsCut) {
  const std::string text = miv(kPoint);
  for (std::size_t piece = 1; piece < 200; ++piece) {
    const Read got = read(text, piece);
    ASSERT_TRUE(got.result) << got.result.error().text;
    ASSERT_EQ(got.points.size(), 1U);
    const MeasuredPoint& point = got.points[0];
    EXPECT_EQ(point.uid, 29);
    EXPECT_EQ(iso8601(s_of(point.observed)), "2017-04-27T13:38:00Z");
    EXPECT_EQ(point.classes[1].count, 9);
    EXPECT_EQ(point.classes[1].arithmetic, 64);
    EXPECT_EQ(point.classes[1].harmonic, 63);
    EXPECT_FALSE(point.classes[0].count);
    EXPECT_EQ(point.available, 1);
    EXPECT_EQ(point.defect, 2);
    EXPECT_EQ(point.valid, 3);
    EXPECT_EQ(point.occupancy, 14);
    EXPECT_EQ(point.availability, 100);
    EXPECT_EQ(point.unrest, 15);
    EXPECT_EQ(got.times.published, wall_us(1493300394399000));
    EXPECT_TRUE(got.times.configured);
    EXPECT_EQ(got.counts.odd_values, 0U);
  }
}

TEST(DataDocument, HonoursOffsets) {
  const std::string late = with(miv(kPoint), "14:39:54.399+01:00", "15:39:54.399+02:00");
  EXPECT_EQ(read(late).times.published, wall_us(1493300394399000));
  const std::string utc = with(miv(kPoint), "T14:38:00+01:00", "T13:38:00Z");
  EXPECT_EQ(s_of(read(utc).points.at(0).observed), 1493300280);
}

TEST(DataDocument, ReadsAMinuteOfAnotherYear) {
  const Read got = read(with(miv(kPoint), "2017-04-27T14:38", "2016-12-20T14:38"));
  EXPECT_EQ(iso8601(s_of(got.points.at(0).observed)), "2016-12-20T13:38:00Z");
}

TEST(DataDocument, CountsAPointWithoutAnIdAndGoesOn) {
  for (const char* id : {"", "unieke_id=\"\"", "unieke_id=\"x\"", "unieke_id=\"-1\"",
                         "unieke_id=\"99999999999999999999\""}) {
    const std::string bad = with(kPoint, "unieke_id=\"29\"", id);
    const Read got = read(miv(bad + kPoint));
    ASSERT_TRUE(got.result);
    EXPECT_EQ(got.points.size(), 1U) << id;
    EXPECT_EQ(got.counts.missing_id, 1U) << id;
  }
}

TEST(DataDocument, CountsAPointWithoutAReadableTime) {
  for (const char* time : {"", "yesterday", "2017-04-27T14:38:00", "2017-13-27T14:38:00+01:00"}) {
    const Read got = read(miv(with(kPoint, "2017-04-27T14:38:00+01:00", time) + kPoint));
    EXPECT_EQ(got.points.size(), 1U) << time;
    EXPECT_EQ(got.counts.bad_time, 1U) << time;
  }
}

TEST(DataDocument, GivesARepeatedIdAsOftenAsItIsThere) {
  EXPECT_EQ(read(miv(std::string(kPoint) + kPoint)).points.size(), 2U);
}

TEST(DataDocument, SkipsThePointsNobodyWants) {
  const std::string other = with(kPoint, "unieke_id=\"29\"", "unieke_id=\"30\"");
  const Read got = read(miv(kPoint + other), 100, 29);
  ASSERT_EQ(got.points.size(), 1U);
  EXPECT_EQ(got.points[0].uid, 30);
  EXPECT_EQ(got.counts.unwanted, 1U);
}

TEST(DataDocument, LeavesWhatIsNoNumberUnknownAndCountsIt) {
  const Read got = read(miv(with(kPoint, ">9<", ">nine<")));
  EXPECT_FALSE(got.points.at(0).classes[1].count);
  EXPECT_EQ(got.counts.odd_values, 1U);
  EXPECT_EQ(read(miv(with(kPoint, ">9<", "> 9 <"))).points.at(0).classes[1].count, 9);
  EXPECT_FALSE(read(miv(with(kPoint, ">9<", "><"))).points.at(0).classes[1].count);
}

TEST(DataDocument, CountsClassesThatAreNone) {
  for (const char* id : {"klasse_id=\"0\"", "klasse_id=\"6\"", "klasse_id=\"\"", ""}) {
    const Read got = read(miv(with(kPoint, "klasse_id=\"2\"", id)));
    EXPECT_EQ(got.counts.odd_values, 1U) << id;
    for (const MeasuredClass& one : got.points.at(0).classes) EXPECT_FALSE(one.count);
  }
  EXPECT_TRUE(
      read(miv(with(kPoint, "klasse_id=\"2\"", "klasse_id=\"1\""))).points[0].classes[0].count);
  EXPECT_TRUE(
      read(miv(with(kPoint, "klasse_id=\"2\"", "klasse_id=\"5\""))).points[0].classes[4].count);
}

TEST(DataDocument, TakesElementsItDoesNotKnowAndKnownOnesElsewhereForNothing) {
  const std::string extra =
      "<nieuw a=\"1\"><verkeersintensiteit>7</verkeersintensiteit></nieuw><geldig>1</geldig>";
  const Read got = read(miv("<onbekend/>" + with(kPoint, "<geldig>3</geldig>", extra)));
  ASSERT_TRUE(got.result);
  EXPECT_EQ(got.points.at(0).valid, 1);
  EXPECT_EQ(got.points.at(0).classes[1].count, 9);
}

TEST(DataDocument, HoldsTheNumberOfUnknownElements) {
  std::string flood;
  for (std::size_t i = 0; i <= kMaxUnknownElements; ++i) flood += "<n" + std::to_string(i) + "/>";
  const Read got = read(miv(kPoint + flood));
  ASSERT_FALSE(got.result);
  EXPECT_NE(got.result.error().text.find("too many unknown"), std::string::npos);
  EXPECT_EQ(got.points.size(), 1U);
}

TEST(DataDocument, GivesWhatWasWholeOfADocumentCutInHalfAndCountsTheRest) {
  const std::string text = miv(std::string(kPoint) + with(kPoint, "\"29\"", "\"30\""));
  const Read got = read(text.substr(0, text.size() - 100));
  ASSERT_FALSE(got.result);
  EXPECT_EQ(got.result.error().code, ErrorCode::closed);
  EXPECT_EQ(got.points.size(), 1U);
  EXPECT_EQ(got.counts.cut, 1U);
}

TEST(DataDocument, RefusesWhatIsNotTheFeed) {
  EXPECT_FALSE(read("").result);
  EXPECT_FALSE(read("{\"error\": 1}").result);
  EXPECT_FALSE(read("<!DOCTYPE html><html><body>Log in</body></html>").result);
  const Read page = read("<html><body>Log in</body></html>");
  ASSERT_FALSE(page.result);
  EXPECT_NE(page.result.error().text.find("<html>"), std::string::npos);
  EXPECT_FALSE(read("<mivconfig><meetpunt unieke_id=\"1\"/></mivconfig>").result);
}

TEST(DataDocument, HoldsTheBytesOfADocument) {
  Collector collector;
  DataDocument document(collector);
  ASSERT_TRUE(document.feed("<miv>"));
  std::string line;
  for (int i = 0; i < 8192; ++i) line += "<meetpunt/>";
  std::size_t fed = 5;
  Result<void> result;
  while (result && fed <= kMaxDocumentBytes + line.size()) {
    result = document.feed(line);
    fed += line.size();
  }
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::full);
  EXPECT_LE(document.bytes(), kMaxDocumentBytes);
}

}  // namespace
}  // namespace berm::drivers::miv_feed
