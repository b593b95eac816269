// SPDX-License-Identifier: Apache-2.0
#include "drivers/loop_detector/options.hpp"

#include <gtest/gtest.h>

#include <string>

namespace berm::drivers::loop_detector {
namespace {

// The faults of a document as "path text" lines.
std::string faults_of(std::string_view document) {
  const auto json = Json::parse(document);
  EXPECT_TRUE(json.has_value());
  std::vector<OptionFault> faults;
  const Options options = parse_options(kOptions, *json, "/drivers/e19", faults);
  if (faults.empty()) check(options, "/drivers/e19", faults);
  std::string text;
  for (const OptionFault& fault : faults) text += fault.path + " " + fault.text + "\n";
  return text;
}

DetectorOptions made_of(std::string_view document) {
  std::vector<OptionFault> faults;
  const Options options = parse_options(kOptions, *Json::parse(document), "", faults);
  EXPECT_TRUE(faults.empty());
  return detector_options(options);
}

TEST(LoopDetectorOptions, DefaultsAreThoseOfTheContract) {
  const DetectorOptions options =
      made_of(R"({"lanes": {"R10": {"uid": 92301, "loops": ["0A", "0B"], "spacing_m": 4.5}}})");
  EXPECT_EQ(options.period_s, 60);
  EXPECT_FALSE(options.vehicles);
  ASSERT_EQ(options.lanes.size(), 1u);
  EXPECT_TRUE(options.lanes[0].engine.is_pair);
  EXPECT_EQ(options.lanes[0].engine.geometry.loop_length_m, 2.0);
  EXPECT_EQ(options.lanes[0].engine.geometry.spacing_m, 4.5);
}

TEST(LoopDetectorOptions, PeriodIsOneSecondToOneHour) {
  const auto with = [](const std::string& period) {
    return faults_of(R"({"period_s": )" + period +
                     R"(, "lanes": {"a": {"uid": 1, "loops": ["x"]}}})");
  };
  EXPECT_EQ(with("1"), "");
  EXPECT_EQ(with("3600"), "");
  EXPECT_NE(with("0").find("/drivers/e19/period_s"), std::string::npos);
  EXPECT_NE(with("3601").find("/drivers/e19/period_s"), std::string::npos);
}

TEST(LoopDetectorOptions, ClassesRise) {
  const auto with = [](const std::string& classes) {
    return R"({"classes": )" + classes + R"(, "lanes": {"a": {"uid": 1, "loops": ["x"]}}})";
  };
  EXPECT_EQ(faults_of(with(R"({"class_2_to_m": 5.6, "class_3_to_m": 5.6})")), "");
  EXPECT_EQ(faults_of(with(R"({"class_2_to_m": 7.0})")),
            "/drivers/e19/classes must rise from class 1 to class 4\n");
  const auto classes = made_of(with(R"({"class_2_to_m": 5.6})")).lanes[0].engine.geometry.classes;
  EXPECT_EQ(classes.class_of(5.6), 2);
  EXPECT_EQ(classes.class_of(5.61), 3);
  EXPECT_EQ(classes.class_of(12.01), 5);
}

TEST(LoopDetectorOptions, PlansHoldByTimeOfDay) {
  const auto with = [](const std::string& row) {
    return R"({"plans": {"night": )" + row + R"(}, "lanes": {"a": {"uid": 1, "loops": ["x"]}}})";
  };
  const auto plan =
      made_of(with(R"({"from": "22:30", "to": "05:15", "no_activity_min": 120})")).plan;
  EXPECT_EQ(plan.at(22 * 60 + 30).no_activity_min, 120);
  EXPECT_EQ(plan.at(5 * 60 + 14).no_activity_min, 120);
  EXPECT_EQ(plan.at(5 * 60 + 15).no_activity_min, 0);
  EXPECT_EQ(plan.at(12 * 60).max_presence_min, 5);
  for (const char* time : {"24:00", "7:00", "12:60", ""}) {
    const auto text = faults_of(with(R"({"from": ")" + std::string(time) + R"(", "to": "05:00"})"));
    EXPECT_NE(text.find("/drivers/e19/plans/night/from"), std::string::npos) << time;
  }
}

TEST(LoopDetectorOptions, APairNeedsItsSpacing) {
  EXPECT_EQ(faults_of(R"({"lanes": {"a": {"uid": 1, "loops": ["x", "y"]}}})"),
            "/drivers/e19/lanes/a/spacing_m is needed for a pair of loops\n");
}

TEST(LoopDetectorOptions, ALaneHasOneOrTwoLoops) {
  const auto none = faults_of(R"({"lanes": {"a": {"uid": 1, "loops": []}}})");
  EXPECT_NE(none.find("/drivers/e19/lanes/a/loops"), std::string::npos);
  const auto three = faults_of(R"({"lanes": {"a": {"uid": 1, "loops": ["x","y","z"]}}})");
  EXPECT_NE(three.find("names 3"), std::string::npos);
}

TEST(LoopDetectorOptions, AUidOrALoopUsedTwiceIsRefused) {
  const auto text =
      faults_of(R"({"lanes": {"a": {"uid": 1, "loops": ["x"]}, "b": {"uid": 1, "loops": ["x"]}}})");
  EXPECT_NE(text.find("/drivers/e19/lanes/b/uid"), std::string::npos);
  EXPECT_NE(text.find("/drivers/e19/lanes/b/loops"), std::string::npos);
}

TEST(LoopDetectorOptions, ADriverNeedsALane) {
  EXPECT_NE(faults_of(R"({"lanes": {}})").find("at least one lane"), std::string::npos);
  EXPECT_NE(faults_of("{}").find("/drivers/e19"), std::string::npos);
}

TEST(LoopDetectorOptions, ClaimsItsSignalsAndUids) {
  std::vector<OptionFault> faults;
  const Options options =
      parse_options(kOptions, *Json::parse(R"({"lanes": {"a": {"uid": 7, "loops": ["x"]},
                                 "b": {"uid": 8, "loops": ["y", "z"], "spacing_m": 4}}})"),
                    "", faults);
  EXPECT_EQ(signals(options), (std::vector<std::string>{"x", "y", "z"}));
  EXPECT_EQ(uids(options), (std::vector<std::int64_t>{7, 8}));
}

}  // namespace
}  // namespace berm::drivers::loop_detector
