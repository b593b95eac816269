// SPDX-License-Identifier: Apache-2.0
#include "drivers/miv_feed/points_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/miv_feed/point_table.hpp"

namespace berm::drivers::miv_feed {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Read {
  std::vector<Point> points;
  PointsCounts counts;
  Result<void> result;
  std::optional<WallTime> configured;
};

Read read(std::string_view text, std::size_t piece = 1u << 20) {
  PointsDocument document;
  Result<void> result;
  for (std::size_t at = 0; at < text.size() && result; at += piece) {
    result = document.feed(text.substr(at, piece));
  }
  if (result) result = document.finish();
  return {document.take_points(), document.counts(), result, document.configured()};
}

std::string config(const std::string& inside) {
  return "<mivconfig schemaVersion=\"1.0.0\"><tijd_laatste_config_wijziging>"
         "2017-02-17T14:42:06+01:00</tijd_laatste_config_wijziging>" +
         inside + "</mivconfig>";
}

std::string point(std::string_view id, std::string_view km = "94,695",
                  std::string_view lon = "4,289767347") {
  return "<meetpunt unieke_id=\"" + std::string(id) +
         "\"><beschrijvende_id>H291L10</beschrijvende_id>"
         "<volledige_naam>Snede &amp; café</volledige_naam><Ident_8>A0140002</Ident_8>"
         "<lve_nr>437</lve_nr><Kmp_Rsys>" +
         std::string(km) +
         "</Kmp_Rsys><Rijstrook>TR10</Rijstrook>"
         "<X_coord_EPSG_31370>144477,0917</X_coord_EPSG_31370>"
         "<Y_coord_EPSG_31370>208290.6237</Y_coord_EPSG_31370><lengtegraad_EPSG_4326>" +
         std::string(lon) +
         "</lengtegraad_EPSG_4326><breedtegraad_EPSG_4326>51,18458196</breedtegraad_EPSG_4326>"
         "</meetpunt>";
}

TEST(PointsDocument, ReadsDecimalCommasAndTextsWhereverItIsCut) {
  const std::string text = config(point("3640"));
  for (std::size_t piece = 1; piece < 120; ++piece) {
    const Read got = read(text, piece);
    ASSERT_TRUE(got.result);
    ASSERT_EQ(got.points.size(), 1U);
    const Point& one = got.points[0];
    EXPECT_EQ(one.uid, 3640);
    EXPECT_EQ(one.name, "Snede & café");
    EXPECT_EQ(one.road, "A0140002");
    EXPECT_EQ(one.lane, "TR10");
    EXPECT_TRUE(one.is_ghost());
    EXPECT_EQ(one.km, 94.695);
    EXPECT_EQ(one.x, 144477.0917);
    EXPECT_EQ(one.y, 208290.6237);
    EXPECT_EQ(one.lon, 4.289767347);
    EXPECT_EQ(one.lat, 51.18458196);
    EXPECT_EQ(got.configured, wall_s(1487338926));
    EXPECT_EQ(got.counts.odd_values, 0U);
  }
}

TEST(PointsDocument, LeavesWhatIsEmptyUnknownAndCountsWhatIsWrong) {
  const Read empty = read(config(point("1", "")));
  EXPECT_FALSE(empty.points.at(0).km);
  EXPECT_EQ(empty.counts.odd_values, 0U);
  for (const char* wrong : {"x", "1,2,3", "nan", "1e99", "10000,1"}) {
    const Read got = read(config(point("1", wrong)));
    EXPECT_FALSE(got.points.at(0).km) << wrong;
    EXPECT_EQ(got.counts.odd_values, 1U) << wrong;
  }
  EXPECT_TRUE(read(config(point("1", "1", "180"))).points.at(0).lon);
  EXPECT_FALSE(read(config(point("1", "1", "180,1"))).points.at(0).lon);
}

TEST(PointsDocument, CountsPointsWithoutAnId) {
  const Read got = read(config(point("") + point("x") + point("7")));
  EXPECT_EQ(got.points.size(), 1U);
  EXPECT_EQ(got.counts.missing_id, 2U);
}

TEST(PointsDocument, GivesWhatWasWholeOfAListCutInHalf) {
  const std::string text = config(point("1") + point("2"));
  const Read got = read(text.substr(0, text.size() - 60));
  EXPECT_FALSE(got.result);
  EXPECT_EQ(got.points.size(), 1U);
  EXPECT_EQ(got.counts.cut, 1U);
  EXPECT_FALSE(read("<miv></miv>").result);
}

TEST(PointsDocument, HoldsTheNumberOfPoints) {
  std::string most;
  for (std::size_t i = 0; i < kMaxPoints; ++i) {
    most += "<meetpunt unieke_id=\"" + std::to_string(i) + "\"/>";
  }
  EXPECT_EQ(read(config(most)).points.size(), kMaxPoints);
  const Read got = read(config(most + "<meetpunt unieke_id=\"99999\"/>"));
  EXPECT_EQ(got.points.size(), kMaxPoints);
  EXPECT_EQ(got.counts.too_many, 1U);
}

Point named(std::int64_t uid, std::string name) {
  Point point;
  point.uid = uid;
  point.name = std::move(name);
  return point;
}

TEST(PointTable, NamesThePointsThatAreNewOrChanged) {
  PointTable table;
  EXPECT_THAT(table.take({named(1, "a"), named(2, "b")}, true), ElementsAre(1, 2));
  EXPECT_THAT(table.take({named(2, "b"), named(1, "a")}, true), IsEmpty());
  EXPECT_THAT(table.take({named(1, "a"), named(2, "c"), named(3, "d")}, true), ElementsAre(2, 3));
  EXPECT_EQ(table.find(2)->name, "c");
}

TEST(PointTable, ForgetsWhatAWholeListDoesNotHaveAndKeepsItAfterACutOne) {
  PointTable table;
  table.take({named(1, "a"), named(2, "b")}, true);
  EXPECT_THAT(table.take({named(1, "x")}, false), ElementsAre(1));
  EXPECT_NE(table.find(2), nullptr);
  table.take({named(1, "x")}, true);
  EXPECT_EQ(table.find(2), nullptr);
}

TEST(PointTable, HasADigestOfWhatThePointsSayAndNotOfTheirOrder) {
  PointTable one, other;
  one.take({named(1, "a"), named(2, "b")}, true);
  other.take({named(2, "b"), named(1, "a")}, true);
  EXPECT_EQ(one.digest(), other.digest());
  other.take({named(2, "b"), named(1, "c")}, true);
  EXPECT_NE(one.digest(), other.digest());
}

}  // namespace
}  // namespace berm::drivers::miv_feed
