// SPDX-License-Identifier: Apache-2.0
#include "hal/base/log.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace berm {
namespace {

std::vector<std::string>& lines() {
  static std::vector<std::string> taken;
  return taken;
}

void take(LogLevel level, std::string_view component, std::string_view text) {
  lines().push_back(std::to_string(static_cast<int>(level)) + " " + std::string(component) + " " +
                    std::string(text));
}

class LogTest : public testing::Test {
 protected:
  LogTest() {
    lines().clear();
    Log::set_writer(&take);
  }
  ~LogTest() override {
    Log::set_writer(nullptr);
    Log::set_level(LogLevel::info);
  }
};

TEST_F(LogTest, WritesLevelComponentAndText) {
  const Log log("outbox");
  log.warning("disk is slow");
  EXPECT_EQ(lines(), std::vector<std::string>{"4 outbox disk is slow"});
}

TEST_F(LogTest, LevelHoldsFinerLinesBack) {
  const Log log("x");
  log.debug("no");
  Log::set_level(LogLevel::debug);
  log.debug("yes");
  Log::set_level(LogLevel::error);
  log.warning("no");
  EXPECT_EQ(lines(), std::vector<std::string>{"7 x yes"});
}

TEST_F(LogTest, ComponentsHaveALimitOfTheirOwnAndCopiesShareIt) {
  const Log noisy("noisy");
  const Log copy = noisy;
  const Log calm("calm");
  for (int i = 0; i < LogBurst::kBurst; ++i) (i % 2 == 0 ? noisy : copy).info("again");
  EXPECT_EQ(lines().size(), static_cast<std::size_t>(LogBurst::kBurst));
  noisy.info("beyond");
  copy.info("beyond");
  EXPECT_EQ(lines().size(), static_cast<std::size_t>(LogBurst::kBurst));
  calm.info("heard");
  EXPECT_EQ(lines().back(), "6 calm heard");
}

TEST(LogBurst, LetsABurstThroughAndNotOneMore) {
  LogBurst burst;
  for (int i = 0; i < LogBurst::kBurst; ++i) EXPECT_TRUE(burst.ask(100).allowed);
  EXPECT_FALSE(burst.ask(100).allowed);
  EXPECT_FALSE(burst.ask(100 + LogBurst::kWindowS - 1).allowed);
}

TEST(LogBurst, NextWindowSaysOnceHowManyWereHeldBack) {
  LogBurst burst;
  for (int i = 0; i < LogBurst::kBurst + 3; ++i) burst.ask(0);
  const auto first = burst.ask(LogBurst::kWindowS);
  EXPECT_TRUE(first.allowed);
  EXPECT_EQ(first.held_back, 3);
  EXPECT_EQ(burst.ask(LogBurst::kWindowS).held_back, 0);
  EXPECT_EQ(burst.ask(3 * LogBurst::kWindowS).held_back, 0);
}

}  // namespace
}  // namespace berm
