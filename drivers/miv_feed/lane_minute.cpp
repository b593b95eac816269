// SPDX-License-Identifier: Apache-2.0
#include "drivers/miv_feed/lane_minute.hpp"

namespace berm::drivers::miv_feed {
namespace {

using Number = std::optional<std::int64_t>;

bool is_within(const Number& value, std::int64_t min, std::int64_t max) {
  return value && *value >= min && *value <= max;
}

// Takes values over as long as the schema allows them, and counts those it does not.
struct Judge {
  std::uint64_t odd_values = 0;

  Number integer(const Number& value, std::int64_t max) {
    if (!value) return std::nullopt;
    if (is_within(value, 0, max)) return value;
    ++odd_values;
    return std::nullopt;
  }
  std::optional<double> number(const Number& value, std::int64_t max) {
    const Number fine = integer(value, max);
    return fine ? std::optional(static_cast<double>(*fine)) : std::nullopt;
  }
};

void add_flag(std::string& flags, std::string_view flag) {
  if (!flags.empty()) flags += ' ';
  flags += flag;
}

std::string flags_of(const DocumentTimes& times, const MeasuredPoint& measured, const Point* point,
                     bool is_old, bool is_complete) {
  std::string flags;
  const auto age_s = staleness_s(times, measured.observed);
  if (age_s && *age_s > kStaleAfterS) add_flag(flags, "stale");
  if (is_old) add_flag(flags, "old_document");
  if (point != nullptr && point->is_ghost()) add_flag(flags, "ghost");
  if (measured.available == 0) add_flag(flags, "unavailable");
  if (!is_complete) add_flag(flags, "incomplete");
  if (point == nullptr) add_flag(flags, "unplaced");
  return flags;
}

Place place_of(const Point& point) {
  Place place;
  if (!point.name.empty()) place.name = point.name;
  if (!point.road.empty()) place.road = point.road;
  place.km = point.km;
  place.lat = point.lat;
  place.lon = point.lon;
  return place;
}

}  // namespace

ClassMeasure class_measure(const MeasuredClass& measured) {
  ClassMeasure measure;
  if (is_within(measured.count, 0, kMaxCount)) measure.count = measured.count;
  measure.speed_count = 0;
  const bool is_valid =
      measure.count.value_or(0) > 0 && is_within(measured.harmonic, 1, kMaxSpeedKmh);
  if (!is_valid) return measure;
  measure.speed_count = measure.count;
  measure.speed_harmonic_kmh = static_cast<double>(*measured.harmonic);
  if (is_within(measured.arithmetic, 1, kMaxSpeedKmh)) {
    measure.speed_kmh = static_cast<double>(*measured.arithmetic);
  }
  return measure;
}

std::optional<std::int64_t> staleness_s(const DocumentTimes& times, WallTime observed) {
  if (!times.published) return std::nullopt;
  return std::chrono::floor<Seconds>(*times.published - observed).count();
}

bool is_old_document(const DocumentTimes& times, std::optional<WallTime> now) {
  return times.published && now && *now - *times.published > Seconds{kOldDocumentAfterS};
}

LaneMinute lane_minute(const DocumentTimes& times, const MeasuredPoint& measured,
                       const Point* point, bool enrich, bool is_old, MonoTime now) {
  Judge judge;
  LaneMinute minute;
  LanePeriod& period = minute.period;
  period.start = {now, measured.observed, ClockSource::ntp};  // the site's clock vouches for it
  period.uid = measured.uid;
  if (point != nullptr) period.lane = point->lane;
  period.period_s = kMinuteS;
  std::int64_t total = 0;
  bool is_complete = true;
  for (std::size_t i = 0; i < measured.classes.size(); ++i) {
    static_cast<void>(judge.integer(measured.classes[i].count, kMaxCount));
    period.classes[i] = class_measure(measured.classes[i]);
    is_complete = is_complete && period.classes[i].count;
    total += period.classes[i].count.value_or(0);
  }
  if (is_complete) period.count = total;
  period.occupancy_percent = judge.number(measured.occupancy, 100);
  period.availability_percent = judge.number(measured.availability, 100);
  period.unrest = judge.number(measured.unrest, kMaxUnrest);
  if (period.availability_percent) period.coverage = *period.availability_percent / 100.0;
  period.valid = judge.integer(measured.valid, 3);
  period.defect = judge.integer(measured.defect, 2);
  period.flags = flags_of(times, measured, point, is_old, is_complete);
  if (enrich && point != nullptr) period.place = place_of(*point);
  minute.odd_values = judge.odd_values;
  return minute;
}

}  // namespace berm::drivers::miv_feed
