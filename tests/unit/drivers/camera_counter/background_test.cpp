// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/background.hpp"

#include <gtest/gtest.h>

#include "drivers/camera_counter/line_sampler.hpp"

namespace berm::drivers::camera_counter {
namespace {

TEST(HalfSampleMode, IsTheRoadThoughItIsCoveredMostOfTheTime) {
  // 40 % road within 2 levels, the rest vehicles of all kinds.
  std::vector<float> values;
  for (int i = 0; i < 40; ++i) values.push_back(100.0f + static_cast<float>(i % 3));
  for (int i = 0; i < 60; ++i) values.push_back(static_cast<float>((i * 37) % 220));
  EXPECT_NEAR(half_sample_mode(values), 101.0f, 2.0f);
  std::vector<float> one{7.0f};
  EXPECT_EQ(half_sample_mode(one), 7.0f);
}

TEST(LineSampler, RefusesLinesThatAreNotInThePicture) {
  EXPECT_TRUE(LineSampler::make({0, 10}, {100, 10}, 100, 50).has_value());
  EXPECT_FALSE(LineSampler::make({0, 10}, {101, 10}, 100, 50).has_value());
  EXPECT_FALSE(LineSampler::make({0, 51}, {100, 51}, 100, 50).has_value());
  EXPECT_FALSE(LineSampler::make({0, 10}, {7, 10}, 100, 50).has_value());
}

TEST(LineSampler, ReadsTheLineAndItsNeighbours) {
  constexpr int kWide = 120, kHigh = 60;
  std::vector<std::uint8_t> y(kWide * kHigh), c(60 * 30, 128);
  for (int r = 0; r < kHigh; ++r) {
    for (int x = 0; x < kWide; ++x)
      y[static_cast<std::size_t>(r * kWide + x)] = static_cast<std::uint8_t>(3 * r);
  }
  const auto sampler = LineSampler::make({100, 30}, {20, 30}, kWide, kHigh);
  ASSERT_TRUE(sampler.has_value());
  LineRow row;
  sampler->read({kWide, kHigh, y.data(), c.data(), c.data(), 0, 0}, row);
  ASSERT_EQ(static_cast<int>(row.on.size()), sampler->samples());
  for (const float value : row.on) EXPECT_FLOAT_EQ(value, 90.0f);
  for (const float value : row.ahead) EXPECT_FLOAT_EQ(value, 105.0f);
  for (const float value : row.behind) EXPECT_FLOAT_EQ(value, 75.0f);
}

}  // namespace
}  // namespace berm::drivers::camera_counter
