// SPDX-License-Identifier: Apache-2.0
// Promise outbox-5: what merged periods come to.
#include "firmware/event/period_sum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "firmware/event/event.hpp"
#include "hal/base/json.hpp"

namespace berm::event {
namespace {

using drivers::LanePeriod;

const PeriodTable& table() {
  static const PeriodTable made(*find_schema("traffic.lane"));
  return made;
}

std::string tail_of(const LanePeriod& period) {
  auto draft = write_draft(period, "e19", {});
  EXPECT_TRUE(draft);
  return draft ? draft->tail : std::string();
}

PeriodSum read(const std::string& tail, const std::string& rest = {}) {
  auto sum = table().read(tail, rest);
  if (!sum) throw std::runtime_error(sum.error().text + " in " + tail);
  return *sum;
}

// As the outbox keeps it in between: written, and read again.
PeriodSum stored(const PeriodSum& sum) {
  return read(sum.tail(), sum.rest());
}

PeriodSum merged(const std::vector<LanePeriod>& periods) {
  PeriodSum all = read(tail_of(periods.front()));
  for (std::size_t i = 1; i < periods.size(); ++i) all.add(read(tail_of(periods[i])));
  return all;
}

Json fields(const PeriodSum& sum) {
  auto json = Json::parse("{" + sum.tail().substr(1) + "}");
  EXPECT_TRUE(json) << sum.tail();
  return json ? *json : Json();
}

double number(const Json& fields, std::string_view name) {
  const Json* value = fields.find(name);
  return value != nullptr && value->is_number() ? value->number() : NAN;
}

bool is_null(const Json& fields, std::string_view name) {
  const Json* value = fields.find(name);
  return value != nullptr && value->is_null();
}

LanePeriod minute(std::int64_t count) {
  LanePeriod period;
  period.uid = 92301;
  period.lane = "R10";
  period.count = count;
  period.unclassified_count = 0;
  period.coverage = 1.0;
  period.availability_percent = 100.0;
  period.valid = 0;
  period.defect = 0;
  return period;
}

LanePeriod missed() {
  LanePeriod period = minute(0);
  period.count = period.unclassified_count = std::nullopt;
  period.coverage = 0.0;
  period.availability_percent = 0.0;
  period.valid = 2;
  period.defect = std::nullopt;
  period.flags = "missed";
  return period;
}

double rounded(double value) {
  return std::round(value * 100) / 100;
}

LanePeriod random_period(std::mt19937_64& random) {
  const auto below = [&random](std::uint64_t end) {
    return static_cast<std::int64_t>(random() % end);
  };
  if (below(8) == 0) return missed();
  LanePeriod period = minute(0);
  period.period_s = below(4) == 0 ? 1 + below(3600) : 60;
  period.unclassified_count = below(3);
  for (drivers::ClassMeasure& one : period.classes) {
    one.count = below(3) == 0 ? 0 : below(40);
    one.speed_count =
        one.count.value() == 0 ? 0 : below(1 + static_cast<std::uint64_t>(*one.count));
    *period.count += *one.count;
    if (*one.speed_count == 0) continue;
    one.speed_kmh = static_cast<double>(1 + below(20000)) / 100;
    one.speed_harmonic_kmh = static_cast<double>(1 + below(20000)) / 100;
    if (below(60) == 0) one.speed_kmh = std::nullopt;
  }
  *period.count += *period.unclassified_count;
  period.coverage = below(3) == 0 ? static_cast<double>(below(10001)) / 10000 : 1.0;
  if (below(20) == 0) period.coverage = std::nullopt;
  period.occupancy_percent = static_cast<double>(below(10001)) / 100;
  if (below(10) == 0) period.occupancy_percent = std::nullopt;
  period.unrest = static_cast<double>(below(90000)) / 100;
  if (below(4) == 0) period.expected = static_cast<double>(below(9000)) / 100;
  if (below(4) == 0) period.score = static_cast<double>(below(9000)) / 1000 - 4.0;
  period.valid = below(4);
  constexpr const char* kFlags[] = {"", "late", "late coarse", "half", "interrupted late"};
  period.flags = kFlags[below(5)];
  period.place.name = below(50) == 0 ? "Kontich" : "Edegem";
  return period;
}

// Merges them two by two, whichever, each outcome written and read again now and then.
PeriodSum merge_anyhow(std::vector<PeriodSum> sums, std::mt19937_64& random) {
  while (sums.size() > 1) {
    const std::size_t a = random() % sums.size();
    std::size_t b = random() % (sums.size() - 1);
    if (b >= a) ++b;
    PeriodSum both = sums[a];
    both.add(sums[b]);
    if (random() % 2 == 0) both = stored(both);
    sums.erase(sums.begin() + static_cast<std::ptrdiff_t>(std::max(a, b)));
    sums.erase(sums.begin() + static_cast<std::ptrdiff_t>(std::min(a, b)));
    sums.push_back(std::move(both));
  }
  return sums.front();
}

TEST(PeriodSum, WhatTheWriterWroteIsWrittenAgain) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 2000; ++i) {
    LanePeriod period = random_period(random);
    if (period.coverage == 0.0) continue;  // then an occupancy says nothing
    std::int64_t vehicles = 0;
    for (const auto& one : period.classes) vehicles += one.speed_count.value_or(0);
    const bool has_mean = std::ranges::none_of(period.classes, [](const auto& one) {
      return one.speed_count.value_or(0) > 0 && !one.speed_kmh;
    });
    if (vehicles == 0 || !has_mean) period.unrest = std::nullopt;
    const std::string tail = tail_of(period);
    EXPECT_EQ(read(tail).tail(), tail);
    EXPECT_EQ(read(tail).rest(), "");
  }
}

TEST(PeriodSum, AnyGroupingInAnyOrderHasTheSameOutcome) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::vector<PeriodSum> sums;
    const std::size_t many = 2 + random() % (seed % 10 == 0 ? 1440 : 60);
    for (std::size_t i = 0; i < many; ++i) sums.push_back(read(tail_of(random_period(random))));
    const PeriodSum one = merge_anyhow(sums, random);
    const PeriodSum other = merge_anyhow(sums, random);
    ASSERT_EQ(one.tail(), other.tail());
    ASSERT_EQ(one.rest(), other.rest());
    ASSERT_EQ(stored(one).tail(), one.tail());
  }
}

TEST(PeriodSum, NothingIsLostBeyondRounding) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::vector<PeriodSum> sums;
    double speeds = 0, paces = 0, squares = 0, occupied = 0, covered = 0, whole = 0;
    std::int64_t count = 0, vehicles = 0;
    for (int i = 0; i < 96; ++i) {
      LanePeriod period = minute(0);
      auto& cars = period.classes[1];
      cars.count = cars.speed_count = 1 + static_cast<std::int64_t>(random() % 40);
      period.count = cars.count;
      cars.speed_kmh = rounded(60.0 + static_cast<double>(random() % 6000) / 100);
      cars.speed_harmonic_kmh = rounded(*cars.speed_kmh - 1);
      period.unrest = rounded(static_cast<double>(random() % 9000) / 100);
      period.coverage = static_cast<double>(5000 + random() % 5001) / 10000;
      period.occupancy_percent = rounded(static_cast<double>(random() % 9000) / 100);
      const auto n = static_cast<double>(*cars.count);
      count += *cars.count;
      vehicles += *cars.count;
      speeds += n * *cars.speed_kmh;
      paces += n / *cars.speed_harmonic_kmh;
      squares += n * (*period.unrest + *cars.speed_kmh * *cars.speed_kmh);
      occupied += 60 * *period.coverage * *period.occupancy_percent;
      covered += 60 * *period.coverage;
      whole += 60;
      sums.push_back(read(tail_of(period)));
    }
    const Json day = fields(merge_anyhow(sums, random));
    constexpr double kHalf = 0.005 + 1e-6;
    const auto n = static_cast<double>(vehicles);
    EXPECT_EQ(number(day, "count"), static_cast<double>(count));
    EXPECT_EQ(number(day, "period_s"), whole);
    EXPECT_NEAR(number(day, "measure_class_2_speed"), speeds / n, kHalf);
    EXPECT_NEAR(number(day, "measure_class_2_speed_harmonic"), n / paces, kHalf);
    EXPECT_NEAR(number(day, "unrest"), squares / n - speeds / n * speeds / n, kHalf);
    EXPECT_NEAR(number(day, "occupancy"), occupied / covered, kHalf);
    EXPECT_NEAR(number(day, "coverage"), covered / whole, 0.00005 + 1e-9);
  }
}

TEST(PeriodSum, NullIsNotZero) {
  const Json one = fields(merged({minute(5), missed()}));
  EXPECT_EQ(number(one, "count"), 5);
  EXPECT_EQ(number(one, "coverage"), 0.5);
  EXPECT_EQ(number(one, "availability"), 50);
  EXPECT_EQ(number(one, "valid"), 2);
  EXPECT_EQ(number(one, "defect"), 0);
  const Json none = fields(merged({missed(), missed()}));
  EXPECT_TRUE(is_null(none, "count"));
  EXPECT_TRUE(is_null(none, "measure_class_1_count"));
  EXPECT_TRUE(is_null(none, "occupancy"));
  EXPECT_EQ(number(none, "coverage"), 0.0);
  EXPECT_EQ(number(none, "period_s"), 120);
}

TEST(PeriodSum, OccupancyIsOfTheCoveredTime) {
  LanePeriod seen = minute(1);
  seen.occupancy_percent = 30.0;
  LanePeriod hardly = minute(1);
  hardly.coverage = 0.5;
  hardly.occupancy_percent = 0.0;
  EXPECT_EQ(number(fields(merged({seen, hardly, missed()})), "occupancy"), 20.0);
}

TEST(PeriodSum, ZeroSpeedsOfNobodyDoNotMatterAndUnknownOnesOfSomebodyDo) {
  LanePeriod fast = minute(2);
  fast.classes[1] = {.count = 2, .speed_kmh = 90.0, .speed_harmonic_kmh = 88.0, .speed_count = 2};
  fast.unrest = 4.0;
  LanePeriod empty = minute(0);
  empty.classes[1] = {.count = 0, .speed_kmh = {}, .speed_harmonic_kmh = {}, .speed_count = 0};
  Json both = fields(merged({fast, empty}));
  EXPECT_EQ(number(both, "measure_class_2_speed"), 90.0);
  EXPECT_EQ(number(both, "measure_class_2_speed_harmonic"), 88.0);
  EXPECT_EQ(number(both, "unrest"), 4.0);
  empty.classes[1] = {.count = 1, .speed_kmh = {}, .speed_harmonic_kmh = 70.0, .speed_count = 1};
  both = fields(merged({fast, empty}));
  EXPECT_TRUE(is_null(both, "measure_class_2_speed"));
  EXPECT_TRUE(is_null(both, "unrest"));
  EXPECT_EQ(number(both, "measure_class_2_speed_harmonic"), 81.05);  // 3 / (2/88 + 1/70)
  EXPECT_EQ(number(both, "measure_class_2_speed_count"), 3);
}

TEST(PeriodSum, FlagsUniteAndWhatDiffersIsNull) {
  LanePeriod one = minute(1);
  one.flags = "late half";
  one.place.name = "Edegem";
  one.place.road = "E19";
  LanePeriod other = minute(1);
  other.flags = "coarse late";
  other.place.name = "Kontich";
  other.place.road = "E19";
  const Json both = fields(merged({one, other}));
  EXPECT_EQ(both.find("flags")->string(), "coarse half late");
  EXPECT_TRUE(is_null(both, "name"));
  EXPECT_EQ(both.find("road")->string(), "E19");
}

TEST(PeriodSum, OnlyPeriodsOfOneLaneAreMerged) {
  LanePeriod other = minute(1);
  other.uid = 92302;
  EXPECT_FALSE(read(tail_of(minute(1))).is_of_one_lane(read(tail_of(other))));
  EXPECT_TRUE(read(tail_of(minute(1))).is_of_one_lane(read(tail_of(missed()))));
}

TEST(PeriodSum, TextsWithQuotesCommasAndEscapesComeThrough) {
  LanePeriod odd = minute(1);
  odd.lane = "R\"1,0\\";
  odd.place.name = "a\",\"b\n";
  const std::string tail = tail_of(odd);
  PeriodSum two = read(tail);
  two.add(read(tail));
  const Json both = fields(two);
  EXPECT_EQ(both.find("lane")->string(), odd.lane);
  EXPECT_EQ(both.find("name")->string(), *odd.place.name);
}

TEST(PeriodSum, WhatTheTableDidNotWriteIsRefused) {
  const std::string tail = tail_of(minute(1));
  EXPECT_FALSE(table().read("", ""));
  EXPECT_FALSE(table().read(tail.substr(1), ""));
  EXPECT_FALSE(table().read(tail + " ", ""));
  EXPECT_FALSE(table().read(tail.substr(0, tail.size() - 1), ""));
  std::string odd = tail;
  odd.replace(odd.find("\"count\":1"), 9, "\"count\":-1");
  EXPECT_FALSE(table().read(odd, ""));
  odd = tail;
  odd.replace(odd.find("\"coverage\":1.0"), 14, "\"coverage\":1e0");
  EXPECT_FALSE(table().read(odd, ""));
  odd = tail;
  odd.replace(odd.find("\"period_s\":60"), 13, "\"period_s\":0");
  EXPECT_FALSE(table().read(odd, ""));
}

}  // namespace
}  // namespace berm::event
