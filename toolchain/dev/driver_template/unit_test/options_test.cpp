// SPDX-License-Identifier: Apache-2.0
#include "drivers/pulse_counter/options.hpp"

#include <gtest/gtest.h>

namespace berm::drivers::pulse_counter {
namespace {

std::vector<OptionFault> faults_of(std::string_view document) {
  std::vector<OptionFault> faults;
  parse_options(kOptionTable, *Json::parse(document), "/drivers/p", faults);
  return faults;
}

TEST(PulseCounterOptions, PeriodIs60SecondsWhereNothingIsSaid) {
  std::vector<OptionFault> faults;
  const auto document = *Json::parse(R"({"signal": "1", "uid": 7, "lane": "R10"})");
  const auto options = from_options(parse_options(kOptionTable, document, "", faults));
  EXPECT_TRUE(faults.empty());
  EXPECT_EQ(options.period, Seconds{60});
  EXPECT_EQ(options.uid, 7);
}

TEST(PulseCounterOptions, PeriodIsWithin1And3600Seconds) {
  EXPECT_TRUE(faults_of(R"({"signal": "1", "uid": 7, "lane": "R", "period_s": 1})").empty());
  EXPECT_TRUE(faults_of(R"({"signal": "1", "uid": 7, "lane": "R", "period_s": 3600})").empty());
  EXPECT_FALSE(faults_of(R"({"signal": "1", "uid": 7, "lane": "R", "period_s": 0})").empty());
  EXPECT_FALSE(faults_of(R"({"signal": "1", "uid": 7, "lane": "R", "period_s": 3601})").empty());
}

TEST(PulseCounterOptions, SignalUidAndLaneMustBeSaid) {
  EXPECT_EQ(faults_of("{}").size(), 3u);
}

}  // namespace
}  // namespace berm::drivers::pulse_counter
