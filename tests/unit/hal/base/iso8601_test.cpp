// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hal/base/text.hpp"

namespace berm {
namespace {

TEST(Iso8601, WritesUtc) {
  EXPECT_EQ(iso8601(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(iso8601(-1), "1969-12-31T23:59:59Z");
  EXPECT_EQ(iso8601(951782400), "2000-02-29T00:00:00Z");
}

TEST(Iso8601, ReadsZonesAndFractions) {
  EXPECT_EQ(parse_iso8601_us("1970-01-01T00:00:01Z"), 1000000);
  EXPECT_EQ(parse_iso8601_us("1970-01-01T01:00:00+01:00"), 0);
  EXPECT_EQ(parse_iso8601_us("1969-12-31T23:30:00-00:30"), 0);
  EXPECT_EQ(parse_iso8601_us("1970-01-01T00:00:00.25Z"), 250000);
  EXPECT_EQ(parse_iso8601_us("1970-01-01T00:00:00.1234567Z"), 123456);
}

TEST(Iso8601, RoundTripsOverTheYears) {
  for (std::int64_t t = -2'000'000'000; t < 8'000'000'000; t += 12'345'677) {
    EXPECT_EQ(parse_iso8601_us(iso8601(t)), t * 1'000'000) << t;
  }
}

TEST(Iso8601, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "2026-11-21", "2026-11-21T04:48:00", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00Zx", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00+24:00", "26-01-01T00:00:00Z"}) {
    EXPECT_EQ(parse_iso8601_us(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace berm
