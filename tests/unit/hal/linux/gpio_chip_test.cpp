// SPDX-License-Identifier: Apache-2.0
// What the kernel is asked for, and how a chip is found; the kernel's answers are in
// gpio_sim_test.cpp.
#include "hal/linux/gpio_chip.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/hal/linux/scratch_directory.hpp"

namespace berm::hal {
namespace {

constexpr std::uint64_t kBothEdges =
    GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING;

TEST(GpioLineRequest, AsksForBothEdgesAndTheLargestBuffer) {
  const std::vector<GpioLineConfig> lines{{.offset = 17}, {.offset = 4}};
  const auto request = gpio_line_request(lines).value();
  EXPECT_EQ(request.num_lines, 2u);
  EXPECT_EQ(request.offsets[0], 17u);
  EXPECT_EQ(request.offsets[1], 4u);
  EXPECT_EQ(request.event_buffer_size, 1024u);
  EXPECT_EQ(request.config.flags, kBothEdges);
  EXPECT_EQ(request.config.num_attrs, 0u);
  EXPECT_STREQ(request.consumer, "berm");
}

TEST(GpioLineRequest, LinesOfTheSameSettingShareAnAttribute) {
  const std::vector<GpioLineConfig> lines{
      {.offset = 0, .active_low = true},
      {.offset = 1, .bias = GpioBias::pull_up},
      {.offset = 2, .bias = GpioBias::pull_up, .debounce_us = 500},
      {.offset = 3, .active_low = true, .debounce_us = 500}};
  const auto request = gpio_line_request(lines).value();
  EXPECT_EQ(request.config.flags, kBothEdges | GPIO_V2_LINE_FLAG_ACTIVE_LOW);
  ASSERT_EQ(request.config.num_attrs, 2u);
  EXPECT_EQ(request.config.attrs[0].attr.id, std::uint32_t{GPIO_V2_LINE_ATTR_ID_FLAGS});
  EXPECT_EQ(request.config.attrs[0].attr.flags, kBothEdges | GPIO_V2_LINE_FLAG_BIAS_PULL_UP);
  EXPECT_EQ(request.config.attrs[0].mask, 0b0110u);
  EXPECT_EQ(request.config.attrs[1].attr.id, std::uint32_t{GPIO_V2_LINE_ATTR_ID_DEBOUNCE});
  EXPECT_EQ(request.config.attrs[1].attr.debounce_period_us, 500u);
  EXPECT_EQ(request.config.attrs[1].mask, 0b1100u);
}

TEST(GpioLineRequest, EveryBiasHasItsFlag) {
  const auto flags = [](GpioBias bias) {
    const std::vector<GpioLineConfig> lines{{.bias = bias}};
    return gpio_line_request(lines).value().config.flags & ~kBothEdges;
  };
  EXPECT_EQ(flags(GpioBias::as_is), 0u);
  EXPECT_EQ(flags(GpioBias::none), std::uint64_t{GPIO_V2_LINE_FLAG_BIAS_DISABLED});
  EXPECT_EQ(flags(GpioBias::pull_up), std::uint64_t{GPIO_V2_LINE_FLAG_BIAS_PULL_UP});
  EXPECT_EQ(flags(GpioBias::pull_down), std::uint64_t{GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN});
}

TEST(GpioLineRequest, TakesOneTo64Lines) {
  EXPECT_FALSE(gpio_line_request({}));
  std::vector<GpioLineConfig> lines(64);
  EXPECT_TRUE(gpio_line_request(lines));
  lines.emplace_back();
  EXPECT_EQ(gpio_line_request(lines).error().code, ErrorCode::invalid);
}

TEST(GpioLineRequest, TakesTenKindsOfSettingsAndNoMore) {
  std::vector<GpioLineConfig> lines;
  for (std::uint32_t i = 1; i <= 10; ++i) lines.push_back({.offset = i, .debounce_us = i});
  EXPECT_TRUE(gpio_line_request(lines));
  lines.push_back({.offset = 11, .debounce_us = 11});
  EXPECT_EQ(gpio_line_request(lines).error().code, ErrorCode::invalid);
}

TEST(KernelGpioChips, AChipThatIsNotThereIsNotFound) {
  const ScratchDirectory scratch;
  KernelGpioChips chips(scratch.path());
  const std::vector<GpioLineConfig> lines(1);
  EXPECT_EQ(chips.request("gpiochip0", lines).error().code, ErrorCode::not_found);
  EXPECT_EQ(chips.request(scratch / "gpiochip0", lines).error().code, ErrorCode::not_found);
}

TEST(KernelGpioChips, WhatIsNoChipIsAnError) {
  const ScratchDirectory scratch;
  std::ofstream(scratch / "gpiochip0") << "a file";
  KernelGpioChips chips(scratch.path());
  const std::vector<GpioLineConfig> lines(1);
  EXPECT_EQ(chips.request("gpiochip0", lines).error().code, ErrorCode::not_found);
  EXPECT_FALSE(chips.request(scratch / "gpiochip0", lines));
}

}  // namespace
}  // namespace berm::hal
