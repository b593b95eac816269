// SPDX-License-Identifier: Apache-2.0
#include "drivers/miv_feed/lane_minute.hpp"

#include <gtest/gtest.h>

namespace berm::drivers::miv_feed {
namespace {

using Number = std::optional<std::int64_t>;

const WallTime kObserved = wall_s(1493300280);

MeasuredPoint whole_point() {
  MeasuredPoint point;
  point.uid = 30;
  point.observed = kObserved;
  point.classes[0] = {0, 0, 252};
  point.classes[1] = {9, 64, 63};
  point.classes[2] = {2, 66, 65};
  point.classes[3] = {1, 65, 65};
  point.classes[4] = {5, 63, 63};
  point.available = 1;
  point.defect = 0;
  point.valid = 0;
  point.occupancy = 14;
  point.availability = 95;
  point.unrest = 15;
  return point;
}

DocumentTimes published(std::int64_t after_s) {
  return {.published = kObserved + Seconds{after_s}, .configured = std::nullopt};
}

Point placed(std::string lane) {
  Point point;
  point.uid = 30;
  point.name = "Parking";
  point.road = "A0140002";
  point.lane = std::move(lane);
  point.km = 94.695;
  point.lat = 51.18;
  return point;
}

LanePeriod period_of(const MeasuredPoint& measured, const Point* point = nullptr,
                     bool enrich = true, std::int64_t age_s = 114, bool is_old = false) {
  return lane_minute(published(age_s), measured, point, enrich, is_old, mono_us(5)).period;
}

TEST(ClassMeasure, HasASpeedOnlyWhereSomebodyDroveByAndTheHarmonicMeanIsOne) {
  struct Row {
    MeasuredClass measured;
    bool is_valid;
  };
  const Row rows[] = {
      {{1, 90, 89}, true},   {{1, 200, 200}, true},       {{1, 1, 1}, true},
      {{0, 0, 252}, false},  {{0, 0, 254}, false},        {{3, 90, 0}, false},
      {{3, 90, 201}, false}, {{3, 251, 251}, false},      {{3, 254, 254}, false},
      {{0, 90, 89}, false},  {{Number(), 90, 89}, false}, {{3, 90, Number()}, false},
      {{-1, 90, 89}, false}, {{3, 90, -5}, false},
  };
  for (const Row& row : rows) {
    const ClassMeasure measure = class_measure(row.measured);
    EXPECT_EQ(measure.speed_harmonic_kmh.has_value(), row.is_valid);
    EXPECT_EQ(measure.speed_kmh.has_value(), row.is_valid);
    EXPECT_EQ(measure.speed_count, row.is_valid ? *row.measured.count : 0);
  }
}

TEST(ClassMeasure, KeepsTheHarmonicMeanWhereOnlyTheArithmeticOneIsASentinel) {
  for (const std::int64_t sentinel : {0, 201, 251, 252, 254}) {
    const ClassMeasure measure = class_measure({3, sentinel, 80});
    EXPECT_EQ(measure.speed_harmonic_kmh, 80.0);
    EXPECT_FALSE(measure.speed_kmh);
    EXPECT_EQ(measure.speed_count, 3);
  }
}

TEST(LaneMinute, SaysWhatThePointSaid) {
  const Point point = placed("R10");
  const LanePeriod period = period_of(whole_point(), &point);
  EXPECT_EQ(period.start.wall, kObserved);
  EXPECT_EQ(period.start.mono, mono_us(5));
  EXPECT_EQ(period.uid, 30);
  EXPECT_EQ(period.lane, "R10");
  EXPECT_EQ(period.period_s, 60);
  EXPECT_EQ(period.count, 17);
  EXPECT_FALSE(period.unclassified_count);
  EXPECT_EQ(period.classes[0].count, 0);
  EXPECT_FALSE(period.classes[0].speed_kmh);
  EXPECT_EQ(period.classes[0].speed_count, 0);
  EXPECT_EQ(period.classes[1].speed_kmh, 64.0);
  EXPECT_EQ(period.classes[1].speed_harmonic_kmh, 63.0);
  EXPECT_EQ(period.classes[1].speed_count, 9);
  EXPECT_EQ(period.occupancy_percent, 14.0);
  EXPECT_EQ(period.availability_percent, 95.0);
  EXPECT_EQ(period.coverage, 0.95);
  EXPECT_EQ(period.unrest, 15.0);
  EXPECT_EQ(period.valid, 0);
  EXPECT_EQ(period.defect, 0);
  EXPECT_EQ(period.flags, "");
  EXPECT_EQ(period.place.name, "Parking");
  EXPECT_EQ(period.place.road, "A0140002");
  EXPECT_EQ(period.place.km, 94.695);
  EXPECT_EQ(period.place.lat, 51.18);
  EXPECT_FALSE(period.place.lon);
  EXPECT_FALSE(period.place.direction);
}

TEST(LaneMinute, IsNotEnrichedWhereThatIsNotWantedButNamesItsLane) {
  const Point point = placed("R10");
  const LanePeriod period = period_of(whole_point(), &point, false);
  EXPECT_EQ(period.lane, "R10");
  EXPECT_FALSE(period.place.name);
  EXPECT_FALSE(period.place.lat);
}

TEST(LaneMinute, IsStaleWhenPublishedOver180SecondsAfterItsBegin) {
  const Point point = placed("R10");
  EXPECT_EQ(period_of(whole_point(), &point, true, 180).flags, "");
  EXPECT_EQ(period_of(whole_point(), &point, true, 181).flags, "stale");
  EXPECT_EQ(period_of(whole_point(), &point, true, 181).count, 17);
  EXPECT_EQ(period_of(whole_point(), &point, true, -3600).flags, "");
  const auto unknown = lane_minute({}, whole_point(), &point, true, false, mono_us(5));
  EXPECT_EQ(unknown.period.flags, "");
}

TEST(LaneMinute, IsOfAnOldDocumentWhenPublishedOver180SecondsAgo) {
  const DocumentTimes times = published(0);
  EXPECT_FALSE(is_old_document(times, kObserved + Seconds{180}));
  EXPECT_TRUE(is_old_document(times, kObserved + Seconds{181}));
  EXPECT_FALSE(is_old_document(times, kObserved - Seconds{500}));
  EXPECT_FALSE(is_old_document(times, std::nullopt));
  EXPECT_FALSE(is_old_document({}, kObserved));
  const Point point = placed("R10");
  EXPECT_EQ(period_of(whole_point(), &point, true, 200, true).flags, "stale old_document");
}

TEST(LaneMinute, MarksGhostsUnavailableAndUnplacedPoints) {
  const Point ghost = placed("TR10");
  EXPECT_EQ(period_of(whole_point(), &ghost).flags, "ghost");
  EXPECT_EQ(period_of(whole_point()).flags, "unplaced");
  EXPECT_EQ(period_of(whole_point()).lane, "");
  MeasuredPoint off = whole_point();
  off.available = 0;
  EXPECT_EQ(period_of(off, &ghost).flags, "ghost unavailable");
}

TEST(LaneMinute, HasNoTotalWhereAClassIsMissing) {
  const Point point = placed("R10");
  MeasuredPoint partial = whole_point();
  partial.classes[4] = {};
  const LanePeriod period = period_of(partial, &point);
  EXPECT_FALSE(period.count);
  EXPECT_FALSE(period.classes[4].count);
  EXPECT_EQ(period.classes[4].speed_count, 0);
  EXPECT_EQ(period.classes[1].count, 9);
  EXPECT_EQ(period.flags, "incomplete");
}

TEST(LaneMinute, MakesNullOfWhatTheSchemaForbidsAndCountsIt) {
  MeasuredPoint odd = whole_point();
  odd.occupancy = 101;
  odd.availability = -1;
  odd.unrest = -1;
  odd.valid = 4;
  odd.defect = 3;
  odd.classes[0].count = -1;
  const LaneMinute minute = lane_minute(published(114), odd, nullptr, true, false, mono_us(5));
  EXPECT_FALSE(minute.period.occupancy_percent);
  EXPECT_FALSE(minute.period.availability_percent);
  EXPECT_FALSE(minute.period.coverage);
  EXPECT_FALSE(minute.period.unrest);
  EXPECT_FALSE(minute.period.valid);
  EXPECT_FALSE(minute.period.defect);
  EXPECT_FALSE(minute.period.count);
  EXPECT_EQ(minute.odd_values, 6U);
  MeasuredPoint fine = whole_point();
  fine.occupancy = 100;
  fine.availability = 0;
  fine.valid = 3;
  fine.defect = 2;
  EXPECT_EQ(lane_minute(published(114), fine, nullptr, true, false, mono_us(5)).odd_values, 0U);
}

}  // namespace
}  // namespace berm::drivers::miv_feed
