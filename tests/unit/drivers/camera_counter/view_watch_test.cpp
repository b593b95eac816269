// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/view_watch.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace berm::drivers::camera_counter {
namespace {

constexpr int kWide = 320, kHigh = 180;

struct Film {
  std::vector<std::uint8_t> y = std::vector<std::uint8_t>(kWide * kHigh);
  std::vector<std::uint8_t> c = std::vector<std::uint8_t>(160 * 90, 128);
  ViewWatch watch;
  std::int64_t now_us = 0;
  View view = View::good;

  // `value(x, y, frame)`.
  void run(int seconds, const std::function<int(int, int, int)>& value) {
    for (int i = 0; i < 8 * seconds; ++i, now_us += 125'000) {
      for (int r = 0; r < kHigh; r += 1) {
        for (int x = 0; x < kWide; ++x) {
          y[static_cast<std::size_t>(r * kWide + x)] = static_cast<std::uint8_t>(value(x, r, i));
        }
      }
      for (int k = 0; k < 8; ++k) {
        const auto told =
            watch.look({kWide, kHigh, y.data(), c.data(), c.data(), i, now_us}, now_us);
        if (told) view = *told;
      }
    }
  }
};

int scene(int x, int y, int frame) {
  return 80 + (x * 7 / 40 * 53 + y / 30 * 31) % 90 + frame % 3;
}

TEST(ViewWatch, ALivingSceneIsGood) {
  Film film;
  film.run(70, scene);
  EXPECT_EQ(film.view, View::good);
}

TEST(ViewWatch, TheSamePictureForFiveSecondsIsFrozen) {
  Film film;
  film.run(4, [](int x, int y, int) { return scene(x, y, 0); });
  EXPECT_EQ(film.view, View::good);
  film.run(3, [](int x, int y, int) { return scene(x, y, 0); });
  EXPECT_EQ(film.view, View::frozen);
  film.run(1, scene);
  EXPECT_EQ(film.view, View::good);
}

TEST(ViewWatch, ABlackPictureIsDark) {
  Film film;
  film.run(2, scene);
  film.run(7, [](int, int, int frame) { return 16 + frame % 4; });
  EXPECT_EQ(film.view, View::dark);
  film.run(1, scene);
  EXPECT_EQ(film.view, View::good);
}

TEST(ViewWatch, AnotherSceneForAMinuteIsMoved) {
  Film film;
  film.run(62, scene);
  film.run(80, [](int x, int y, int frame) { return scene(x + 90, y + 45, frame); });
  EXPECT_EQ(film.view, View::moved);
}

}  // namespace
}  // namespace berm::drivers::camera_counter
