// SPDX-License-Identifier: Apache-2.0
// The counter over rendered traffic, whose truth is known: by day, at night, in shadow, rain, with
// a shaking mast and jumps of exposure. What is asked for is what holds today, from the numbers of
// bench/camera; its table has the targets.
#include <gtest/gtest.h>

#include <cmath>

#include "drivers/camera_counter/camera_lane.hpp"
#include "drivers/camera_counter/limits.hpp"
#include "drivers/camera_counter/match.hpp"
#include "tests/support/rendered_count.hpp"

namespace berm::drivers::camera_counter {
namespace {

using tests::count_rendered;
using tests::CountedFilm;

hal::RenderedScene plain() {
  hal::RenderedScene scene;
  scene.seconds = 40.0;
  return scene;
}

void expect_f1(const hal::RenderedScene& scene, double least) {
  const CountedFilm film = count_rendered(scene);
  EXPECT_GE(film.agreement.truth, 10);
  EXPECT_GE(film.agreement.f1(), least)
      << film.agreement.counted << " counted, " << film.agreement.right << " right of "
      << film.agreement.truth << ", seed " << scene.seed;
}

TEST(RenderedTraffic, IsCountedByDay) {
  expect_f1(plain(), 0.93);
}

TEST(RenderedTraffic, IsCountedInShadow) {
  hal::RenderedScene scene = plain();
  scene.has_shadow = true;
  expect_f1(scene, 0.85);
}

TEST(RenderedTraffic, IsCountedInRain) {
  hal::RenderedScene scene = plain();
  scene.rain = 0.5;
  expect_f1(scene, 0.90);
}

TEST(RenderedTraffic, IsCountedFromAShakingMast) {
  hal::RenderedScene scene = plain();
  scene.shake_pixels = 1.5;
  expect_f1(scene, 0.80);
}

TEST(RenderedTraffic, IsCountedAtNight) {
  hal::RenderedScene scene = plain();
  scene.is_night = true;
  expect_f1(scene, 0.93);
}

TEST(RenderedTraffic, IsCountedThroughJumpsOfExposure) {
  hal::RenderedScene scene = plain();
  scene.has_exposure_jumps = true;
  expect_f1(scene, 0.85);
}

TEST(RenderedTraffic, AnEmptyRoadIsEmpty) {
  hal::RenderedScene scene = plain();
  scene.flow_veh_h = 0.001;
  scene.lanes_toward = scene.lanes_away = 0;
  scene.rain = 0.3;
  scene.shake_pixels = 1.0;
  const CountedFilm film = count_rendered(scene);
  EXPECT_EQ(film.agreement.counted, 0);
}

}  // namespace
}  // namespace berm::drivers::camera_counter
