// SPDX-License-Identifier: Apache-2.0
#include "drivers/gps_position/options.hpp"

#include <gtest/gtest.h>

namespace berm::drivers::gps_position {
namespace {

std::string faults_of(std::string_view text) {
  const auto json = Json::parse(text);
  EXPECT_TRUE(json.has_value()) << text;
  std::vector<OptionFault> faults;
  const Options options = parse_options(kOptions, *json, "/drivers/gps", faults);
  if (faults.empty()) check(options, "/drivers/gps", faults);
  std::string all;
  for (const OptionFault& fault : faults) all += fault.path + ": " + fault.text + "\n";
  return all;
}

TEST(GpsOptions, AreAllOptional) {
  const auto json = Json::parse("{}");
  std::vector<OptionFault> faults;
  const PositionOptions options = position_options(parse_options(kOptions, *json, "", faults));
  EXPECT_TRUE(faults.empty());
  EXPECT_EQ(options.gpsd, "127.0.0.1:2947");
  EXPECT_EQ(options.filter.max_error_m, 100.0);
  EXPECT_EQ(options.filter.move_m, 25.0);
  EXPECT_EQ(options.filter.interval, Seconds{60});
}

TEST(GpsOptions, TakeHostsAndAddresses) {
  EXPECT_EQ(faults_of(R"({"gpsd": "gps.cabinet.local:2947"})"), "");
  EXPECT_EQ(faults_of(R"({"gpsd": "[::1]:2947"})"), "");
  EXPECT_EQ(faults_of(R"({"gpsd": "localhost:1"})"), "");
  EXPECT_EQ(faults_of(R"({"gpsd": "localhost:65535"})"), "");
}

TEST(GpsOptions, RefuseWhatIsNoAddress) {
  for (const char* text : {"", "localhost", ":2947", "::1:2947", "localhost:", "localhost:-1",
                           "localhost:65536", "localhost:0", "a b:2947"}) {
    const std::string document = std::string("{\"gpsd\": \"") + text + "\"}";
    EXPECT_NE(faults_of(document).find("/drivers/gps/gpsd"), std::string::npos) << text;
  }
}

TEST(GpsOptions, HoldTheirRanges) {
  EXPECT_EQ(faults_of(R"({"max_error_m": 1, "move_m": 1, "interval_s": 1})"), "");
  EXPECT_EQ(faults_of(R"({"max_error_m": 10000, "move_m": 100000, "interval_s": 86400})"), "");
  EXPECT_NE(faults_of(R"({"max_error_m": 0.9})"), "");
  EXPECT_NE(faults_of(R"({"max_error_m": 10001})"), "");
  EXPECT_NE(faults_of(R"({"move_m": 0})"), "");
  EXPECT_NE(faults_of(R"({"interval_s": 0})"), "");
  EXPECT_NE(faults_of(R"({"interval_s": 86401})"), "");
}

}  // namespace
}  // namespace berm::drivers::gps_position
