// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/options.hpp"

#include <gtest/gtest.h>

#include <string>

namespace berm::drivers::camera_counter {
namespace {

std::string faults_of(std::string_view document) {
  const auto json = Json::parse(document);
  EXPECT_TRUE(json.has_value());
  std::vector<OptionFault> faults;
  const Options options = parse_options(kOptions, *json, "/drivers/cam", faults);
  check(options, "/drivers/cam", faults);
  std::string text;
  for (const OptionFault& fault : without_consequences(std::move(faults))) {
    text += fault.path + " " + fault.text + "\n";
  }
  return text;
}

CounterOptions made_of(std::string_view document) {
  std::vector<OptionFault> faults;
  const Options options = parse_options(kOptions, *Json::parse(document), "", faults);
  check(options, "", faults);
  EXPECT_TRUE(faults.empty());
  return counter_options(options);
}

TEST(CameraOptions, TheContractsExampleIsTaken) {
  const CounterOptions options = made_of(
      R"({"camera": "rtsp://10.0.0.2/1", "lanes": {"away": {"uid": 92401,
          "line": [[40, 190], [183, 190]], "direction": "up", "compare_with": "e19/R10"}}})");
  ASSERT_EQ(options.lanes.size(), 1u);
  EXPECT_EQ(options.lanes[0].uid, 92401);
  EXPECT_EQ(options.lanes[0].camera.line.from.x, 40.0);
  EXPECT_EQ(options.lanes[0].camera.line.to.x, 183.0);
  EXPECT_EQ(options.lanes[0].camera.line.direction, Direction::up);
  EXPECT_EQ(options.lanes[0].compare_with, "e19/R10");
  EXPECT_EQ(options.period_s, 60);
  EXPECT_FALSE(options.vehicles);
}

TEST(CameraOptions, WhatIsNoLineIsSaidWithItsPath) {
  for (const char* line :
       {"5", "[]", "[[1, 2]]", "[[1, 2], [3]]", "[[1, 2], [3, \"4\"]]", "[[-1, 2], [30, 4]]",
        "[[1, 2], [9000, 4]]", "[[1, 2], [3, 4], [5, 6]]"}) {
    const std::string faults = faults_of(
        std::string(R"({"camera": "a", "lanes": {"x": {"uid": 1, "line": )") + line + "}}}");
    EXPECT_TRUE(faults.starts_with("/drivers/cam/lanes/x/line must be [[x, y], [x, y]]"))
        << line << ": " << faults;
  }
  EXPECT_NE(faults_of(R"({"camera": "a", "lanes": {"x": {"uid": 1, "line": [[1, 1], [8, 1]]}}})")
                .find("at least 8 pixels"),
            std::string::npos);
  EXPECT_EQ(faults_of(R"({"camera": "a", "lanes": {"x": {"uid": 1, "line": [[1, 1], [9, 1]]}}})"),
            "");
}

TEST(CameraOptions, DirectionsUidsAndScalesAreChecked) {
  const auto lane = [](const std::string& more) {
    return R"({"camera": "a", "lanes": {"x": {"uid": 1, "line": [[1, 1], [99, 1]])" + more + "}}}";
  };
  EXPECT_NE(faults_of(lane(R"(, "direction": "north")")), "");
  EXPECT_NE(faults_of(lane(R"(, "scale": [[1, 2, 3, 4, 5]])")), "");
  EXPECT_NE(faults_of(lane(R"(, "scale": [[1, 2, 3, 40, 0], [1, 2, 3, 40, 5]])")), "");
  EXPECT_EQ(faults_of(lane(R"(, "scale": [[1, 2, 3, 40, 5], [1, 52, 3, 140, 5.5]])")), "");
  EXPECT_NE(faults_of(lane(R"(, "compare_with": "e19")")), "");
  EXPECT_NE(faults_of(R"({"camera": "a", "lanes": {}})"), "");
  EXPECT_NE(faults_of(R"({"camera": "a", "lanes": {"x": {"uid": 1, "line": [[1, 1], [99, 1]]},
                                                   "y": {"uid": 1, "line": [[1, 9], [99, 9]]}}})")
                .find("lane \"x\" already"),
            std::string::npos);
}

TEST(CameraOptions, TheWorkersDocumentSaysTheSameLanes) {
  const CounterOptions options = made_of(
      R"({"camera": "film.mp4", "lanes": {"b": {"uid": 2, "line": [[9.5, 8], [7, 66]],
          "direction": "left", "scale": [[1, 2, 3, 40, 5], [1, 52, 3, 140, 5.5]]},
          "a": {"uid": 1, "line": [[1, 1], [99, 1]]}}})");
  const CounterOptions again = made_of(worker_document(options));
  EXPECT_EQ(again.camera, "film.mp4");
  ASSERT_EQ(again.lanes.size(), 2u);
  EXPECT_EQ(again.lanes[0].camera.name, "b");
  EXPECT_EQ(again.lanes[0].camera.line.from.x, 9.5);
  EXPECT_EQ(again.lanes[0].camera.line.direction, Direction::left);
  ASSERT_TRUE(again.lanes[0].camera.scale.has_value());
  EXPECT_EQ((*again.lanes[0].camera.scale)[1].metres, 5.5);
  EXPECT_EQ(again.lanes[1].camera.line.direction, Direction::both);
}

TEST(CameraScale, PixelsOfAMetreGrowWithTheSquareTowardsTheCamera) {
  CameraLane lane;
  lane.line.from = {0, 100};
  lane.line.to = {100, 100};
  // 4 pixels a metre at row 60, 16 at row 160: 2 + (4 − 2)·0.4 = 2.8 is the root at row 100.
  const Scale scale = {KnownDistance{{50, 50}, {50, 70}, 5.0},
                       KnownDistance{{50, 120}, {50, 200}, 5.0}};
  EXPECT_NEAR(pixels_per_metre(lane, scale), 2.8 * 2.8, 1e-9);
}

}  // namespace
}  // namespace berm::drivers::camera_counter
