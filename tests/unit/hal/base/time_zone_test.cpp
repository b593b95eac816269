// SPDX-License-Identifier: Apache-2.0
#include "hal/base/time_zone.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "hal/base/text.hpp"

namespace berm {
namespace {

constexpr const char* kBrussels = "CET-1CEST,M3.5.0,M10.5.0/3";
constexpr std::int64_t kDay = 86400;

std::int64_t at(std::string_view iso) {
  return parse_iso8601_us(iso).value_or(0) / 1'000'000;
}

TimeZone zone_of(std::string_view rule) {
  auto zone = TimeZone::from_rule(rule);
  EXPECT_TRUE(zone) << rule;
  return zone ? *zone : TimeZone();
}

std::string day_begin(const TimeZone& zone, std::string_view iso) {
  return iso8601(zone.part_begin_s(at(iso), kDay));
}

TEST(TimeZone, WithoutARuleItIsUtc) {
  EXPECT_EQ(TimeZone().offset_s(1'800'000'000), 0);
  EXPECT_EQ(day_begin(TimeZone(), "2026-03-29T23:59:59Z"), "2026-03-29T00:00:00Z");
}

TEST(TimeZone, SummerBeginsAndEndsToTheSecond) {
  const TimeZone zone = zone_of(kBrussels);
  EXPECT_EQ(zone.offset_s(at("2026-03-29T00:59:59Z")), 3600);
  EXPECT_EQ(zone.offset_s(at("2026-03-29T01:00:00Z")), 7200);
  EXPECT_EQ(zone.offset_s(at("2026-10-25T00:59:59Z")), 7200);
  EXPECT_EQ(zone.offset_s(at("2026-10-25T01:00:00Z")), 3600);
  EXPECT_EQ(zone.offset_s(at("1971-01-01T00:00:00Z")), 3600);
}

TEST(TimeZone, CivilDaysHave23And25HoursWhereTheClockChanges) {
  const TimeZone zone = zone_of(kBrussels);
  EXPECT_EQ(day_begin(zone, "2026-03-29T21:59:59Z"), "2026-03-28T23:00:00Z");
  EXPECT_EQ(day_begin(zone, "2026-03-29T22:00:00Z"), "2026-03-29T22:00:00Z");
  EXPECT_EQ(day_begin(zone, "2026-10-25T22:59:59Z"), "2026-10-24T22:00:00Z");
  EXPECT_EQ(day_begin(zone, "2026-10-25T23:00:00Z"), "2026-10-25T23:00:00Z");
}

TEST(TimeZone, TheHourThatComesTwiceIsTwoHours) {
  const TimeZone zone = zone_of(kBrussels);
  EXPECT_EQ(iso8601(zone.part_begin_s(at("2026-10-25T00:30:00Z"), 3600)), "2026-10-25T00:00:00Z");
  EXPECT_EQ(iso8601(zone.part_begin_s(at("2026-10-25T01:30:00Z"), 3600)), "2026-10-25T01:00:00Z");
}

TEST(TimeZone, PartsFollowZonesThatAreNoWholeHoursAway) {
  const TimeZone zone = zone_of("<+0545>-5:45");
  EXPECT_EQ(iso8601(zone.part_begin_s(at("2026-06-01T12:20:00Z"), 3600)), "2026-06-01T12:15:00Z");
  EXPECT_EQ(day_begin(zone, "2026-06-01T18:15:00Z"), "2026-06-01T18:15:00Z");
}

TEST(TimeZone, SouthernSummersAndDaysOfTheYear) {
  const TimeZone south = zone_of("AEST-10AEDT,M10.1.0,M4.1.0/3");
  EXPECT_EQ(south.offset_s(at("2026-01-15T00:00:00Z")), 39600);
  EXPECT_EQ(south.offset_s(at("2026-07-15T00:00:00Z")), 36000);
  const TimeZone days = zone_of("AAA0BBB,J60/0,300/0");
  EXPECT_EQ(days.offset_s(at("2027-02-28T23:59:59Z")), 0);
  EXPECT_EQ(days.offset_s(at("2027-03-01T00:00:00Z")), 3600);
  EXPECT_EQ(days.offset_s(at("2028-02-29T23:59:59Z")), 0);
  EXPECT_EQ(days.offset_s(at("2028-03-01T00:00:00Z")), 3600);
}

TEST(TimeZone, EveryInstantIsInThePartThatBeginsForIt) {
  for (const char* rule :
       {kBrussels, "<+0545>-5:45", "AEST-10AEDT,M10.1.0,M4.1.0/3",
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1"}) {
    const TimeZone zone = zone_of(rule);
    for (const std::int64_t part_s : {900, 3600, 86400}) {
      std::int64_t begin = zone.part_begin_s(at("2026-01-01T00:00:00Z"), part_s);
      for (std::int64_t s = begin; s < at("2027-01-01T00:00:00Z"); s += 300) {
        const std::int64_t found = zone.part_begin_s(s, part_s);
        ASSERT_TRUE(found == begin || found == s) << rule << " " << iso8601(s);
        ASSERT_LT(s - found, part_s + 3600) << rule << " " << iso8601(s);
        begin = found;
      }
    }
  }
}

TEST(TimeZone, AFileSaysWhatItsRuleSays) {
  std::ifstream file("/usr/share/zoneinfo/Europe/Brussels", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.empty()) GTEST_SKIP() << "no zoneinfo on this machine";
  const auto zone = TimeZone::from_file(bytes);
  ASSERT_TRUE(zone);
  const TimeZone rule = zone_of(kBrussels);
  for (std::int64_t s = at("1997-01-01T00:00:00Z"); s < at("2060-01-01T00:00:00Z"); s += 1800) {
    ASSERT_EQ(zone->offset_s(s), rule.offset_s(s)) << iso8601(s);
  }
  for (std::size_t size = 0; size < bytes.size(); size += 7) {
    EXPECT_FALSE(TimeZone::from_file(std::string_view(bytes).substr(0, size)));
  }
}

TEST(TimeZone, RulesNobodyCanReadAreRefused) {
  for (const char* rule : {"", "CE", "CET", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0/3",
                           "CET-1CEST,M3.0.0,M10.5.0", "CET-1 ", "CET-200", "<+05-5"}) {
    EXPECT_FALSE(TimeZone::from_rule(rule)) << rule;
  }
}

}  // namespace
}  // namespace berm
