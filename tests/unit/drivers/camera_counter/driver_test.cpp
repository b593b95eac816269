// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/driver.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/drivers/camera_counter/camera_bed.hpp"

namespace berm::drivers::camera_counter {
namespace {

constexpr Microseconds kSecond{1'000'000};

bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

TEST(CameraDriver, PassagesBecomeVehiclesAndPeriods) {
  CameraBed bed;
  ASSERT_TRUE(bed.start().has_value());
  bed.say("ready 640 360\n");
  bed.tell_for(12);
  bed.pass(0, 900'000);
  bed.pass(0, 600'000);
  bed.pass(1, 500'000);
  bed.tell_for(25);
  EXPECT_EQ(bed.counted("away"), 2);
  EXPECT_EQ(bed.counted("toward"), 1);
  ASSERT_EQ(bed.vehicles.size(), 3u);
  EXPECT_EQ(bed.vehicles[0].speed_kmh, 50.0);
  EXPECT_EQ(bed.vehicles[0].length_class, 2);
  EXPECT_EQ(bed.vehicles[0].uid, 1);
  // Full periods that were told until their end were seen as a whole.
  ASSERT_GE(bed.periods.size(), 6u);
  EXPECT_EQ(bed.periods.back().coverage, 1.0);
  EXPECT_EQ(bed.periods.back().count, 0);
}

TEST(CameraDriver, TheWorkerGetsItsOptionsAndItsLimits) {
  CameraBed bed;
  ASSERT_TRUE(bed.start().has_value());
  const hal::ChildPlan& plan = bed.workers.last()->plan();
  EXPECT_EQ(plan.words, (std::vector<std::string>{"berm-camera", "work"}));
  EXPECT_NE(plan.input.find("film.mp4"), std::string::npos);
  EXPECT_GT(plan.memory_bytes, 0u);
  EXPECT_GT(plan.nice, 0);
}

TEST(CameraDriver, ASilentCameraIsNotAnEmptyRoad) {
  CameraBed bed;
  ASSERT_TRUE(bed.start().has_value());
  bed.run_for(30 * kSecond);
  ASSERT_GE(bed.periods.size(), 4u);
  for (const LanePeriod& period : bed.periods) {
    EXPECT_EQ(period.coverage, 0.0);
    EXPECT_FALSE(period.count.has_value());
  }
}

TEST(CameraDriver, AFrozenWorkerIsEndedAndAnotherIsStarted) {
  CameraBed bed;
  ASSERT_TRUE(bed.start().has_value());
  bed.say("ready 640 360\n");
  bed.tell_for(12);
  EXPECT_EQ(bed.workers.started(), 1u);
  bed.run_for(14 * kSecond);
  EXPECT_EQ(bed.workers.started(), 1u);
  bed.run_for(4 * kSecond);
  EXPECT_EQ(bed.workers.started(), 2u);
  EXPECT_TRUE(has(bed.alarms, "begin camera_down"));
  bed.say("ready 640 360\n");
  EXPECT_EQ(bed.alarms.back(), "end camera_down");
}

TEST(CameraDriver, GarbageEndsTheWorkerAndIsNeverCounted) {
  for (const std::string& garbage :
       {std::string("pass 0 1 2\n"), std::string(5000, 'x'), std::string("\0\0\n", 3),
        std::string("pass 9 1 1 - - - 1\n")}) {
    CameraBed bed;
    ASSERT_TRUE(bed.start().has_value());
    bed.say("ready 640 360\n");
    bed.tell_for(2);
    bed.say(garbage);
    EXPECT_EQ(bed.workers.last(), bed.workers.last());
    EXPECT_TRUE(has(bed.alarms, "begin camera_down"));
    bed.run_for(2 * kSecond);
    EXPECT_EQ(bed.workers.started(), 2u);
    bed.run_for(30 * kSecond);
    EXPECT_EQ(bed.counted("away") + bed.counted("toward"), 0);
  }
}

TEST(CameraDriver, RestartsComeSlowerAndSlower) {
  CameraBed bed;
  bed.workers.refuse_next(1000);
  ASSERT_TRUE(bed.start().has_value());
  bed.run_for(600 * kSecond);
  // 1, 2, 4, 8, 16, 32, 60, 60 … s: about 15 attempts in ten minutes, not hundreds.
  const std::int64_t attempts = bed.driver().status().integer("restarts");
  EXPECT_GE(attempts, 12);
  EXPECT_LE(attempts, 17);
  EXPECT_EQ(std::count(bed.alarms.begin(), bed.alarms.end(), "end camera_down"), 0);
}

TEST(CameraDriver, WhatCannotHaveHappenedIsRefused) {
  CameraBed bed;
  ASSERT_TRUE(bed.start().has_value());
  bed.run_for(5 * kSecond);
  bed.say("ready 640 360\n");
  bed.say("pass 0 " + std::to_string(us_of(bed.now()) + 1) + " 0 - - - 5\n");
  bed.say("pass 0 " + std::to_string(us_of(bed.now()) - 5'000'001) + " 0 - - - 5\n");
  bed.say("pass 2 " + std::to_string(us_of(bed.now()) - 5) + " 0 - - - 5\n");
  EXPECT_TRUE(bed.vehicles.empty());
  bed.say("pass 0 " + std::to_string(us_of(bed.now())) + " 0 - - - 5\n");
  EXPECT_EQ(bed.vehicles.size(), 1u);
  EXPECT_EQ(bed.driver().status().integer("refused_lines"), 3);
}

TEST(CameraDriver, DroppedPicturesLowerTheCoverage) {
  CameraBed bed;
  ASSERT_TRUE(bed.start().has_value());
  bed.say("ready 640 360\n");
  bed.tell_for(20, 500);
  bed.tell_for(10, 1000);
  ASSERT_FALSE(bed.periods.empty());
  EXPECT_EQ(bed.periods.front().coverage, 0.0);
}

TEST(CameraDriver, ADarkViewIsAnAlarmAndNotSeen) {
  CameraBed bed;
  ASSERT_TRUE(bed.start().has_value());
  bed.say("ready 640 360\n");
  bed.tell_for(20);
  bed.say("view dark\n");
  EXPECT_EQ(bed.alarms.back(), "begin camera_view");
  bed.tell_for(25);
  EXPECT_EQ(bed.periods.back().coverage, 0.0);
  bed.say("view good\n");
  EXPECT_EQ(bed.alarms.back(), "end camera_view");
  bed.tell_for(25);
  EXPECT_EQ(bed.periods.back().coverage, 1.0);
}

TEST(CameraDriver, WithoutChildrenItSaysWhy) {
  CameraBed bed;
  bed.has_children = false;
  const auto started = bed.start();
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, ErrorCode::unsupported);
}

TEST(CameraDriver, StoppingEndsTheWorker) {
  CameraBed bed;
  ASSERT_TRUE(bed.start().has_value());
  bed.say("ready 640 360\n");
  bed.stop();
  EXPECT_EQ(bed.workers.last(), nullptr);
  EXPECT_FALSE(bed.saved.empty());
}

}  // namespace
}  // namespace berm::drivers::camera_counter
