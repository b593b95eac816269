// SPDX-License-Identifier: Apache-2.0
#include "drivers/pulse_counter/pulse_period.hpp"

#include <gtest/gtest.h>

namespace berm::drivers::pulse_counter {
namespace {

using std::chrono_literals::operator""s;

hal::Edge edge(bool on, std::uint32_t lost_before = 0) {
  return {.time = mono_us(0), .lost_before = lost_before, .on = on};
}

TEST(PulsePeriod, CountsRisingEdges) {
  PulsePeriod period;
  for (const bool on : {false, true, false, true, false}) period.add(edge(on));
  EXPECT_EQ(period.count(), 2);
  EXPECT_EQ(period.odd_edges(), 0);
}

TEST(PulsePeriod, LevelAtTheBeginIsNoVehicle) {
  PulsePeriod period;
  period.add(edge(true));
  EXPECT_EQ(period.count(), 0);
}

TEST(PulsePeriod, RepeatedLevelIsOddAndDoesNotCount) {
  PulsePeriod period;
  for (const bool on : {false, true, true, false, false}) period.add(edge(on));
  EXPECT_EQ(period.count(), 1);
  EXPECT_EQ(period.odd_edges(), 2);
}

TEST(PulsePeriod, AfterLostEdgesTheLevelIsNotGuessed) {
  PulsePeriod period;
  period.add(edge(false));
  period.add(edge(true, 3));
  EXPECT_EQ(period.lost_edges(), 3);
  EXPECT_EQ(period.count(), 0);
}

TEST(PulsePeriod, CoverageIsTheShareThatWasSeen) {
  PulsePeriod period;
  period.observe(mono_us(0));
  period.lose_sight(mono_us(0) + 15s);
  EXPECT_DOUBLE_EQ(period.coverage(mono_us(0) + 60s, 60s), 0.25);
  period.observe(mono_us(0) + 30s);
  EXPECT_DOUBLE_EQ(period.coverage(mono_us(0) + 60s, 60s), 0.75);
}

TEST(PulsePeriod, NextPeriodKeepsTheLevelAndCountsAnew) {
  PulsePeriod period;
  period.observe(mono_us(0));
  for (const bool on : {false, true}) period.add(edge(on));
  PulsePeriod next = period.next(mono_us(0) + 60s);
  EXPECT_EQ(next.count(), 0);
  next.add(edge(false));
  next.add(edge(true));
  EXPECT_EQ(next.count(), 1);
  EXPECT_DOUBLE_EQ(next.coverage(mono_us(0) + 120s, 60s), 1.0);
}

TEST(PulsePeriod, ResumedPeriodKeepsWhatWasSeen) {
  PulsePeriod period(5, 20s);
  period.observe(mono_us(0) + 30s);
  EXPECT_EQ(period.count(), 5);
  EXPECT_DOUBLE_EQ(period.coverage(mono_us(0) + 40s, 60s), 0.5);
}

}  // namespace
}  // namespace berm::drivers::pulse_counter
