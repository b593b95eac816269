// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/edge_input.hpp"

#include <gtest/gtest.h>

#include "hal/linux/clock.hpp"
#include "tests/unit/hal/linux/fake_gpio.hpp"

namespace berm::hal {
namespace {

class GpioEdgeInputsTest : public testing::Test {
 protected:
  void run_until(const std::function<bool()>& is_done) {
    const MonoTime end = loop_.now() + Seconds{20};
    std::function<void()> look = [&] {
      if (is_done() || loop_.now() >= end) return loop_.stop();
      loop_.after(Milliseconds{1}, look);
    };
    look();
    loop_.run();
    EXPECT_TRUE(is_done());
  }
  EdgeInput::OnEdges collector() {
    return [this](std::span<const Edge> edges) {
      edges_.insert(edges_.end(), edges.begin(), edges.end());
    };
  }
  EdgeInput::OnState states() {
    return [this](bool is_up, MonoTime) { states_.push_back(is_up); };
  }

  EpollLoop loop_;
  FakeGpioChips chips_;
  GpioEdgeInputs inputs_{loop_,
                         chips_,
                         {{"0A", "a", {.offset = 3, .active_low = true}},
                          {"0B", "b", {.offset = 4}},
                          {"1A", "a", {.offset = 5, .debounce_us = 100}}}};
  std::vector<Edge> edges_;
  std::vector<bool> states_;
};

TEST_F(GpioEdgeInputsTest, WiresOfOneChipAreAskedForTogetherWithTheirSettings) {
  const auto input = inputs_.open({"0A", "0B", "1A"});
  ASSERT_TRUE(input);
  const auto requests = chips_.requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].first, "a");
  ASSERT_EQ(requests[0].second.size(), 2u);
  EXPECT_TRUE(requests[0].second[0].active_low);
  EXPECT_EQ(requests[0].second[1].debounce_us, 100u);
  EXPECT_EQ(requests[1].first, "b");
}

TEST_F(GpioEdgeInputsTest, EdgesCarryTheIndexOfTheNameInOpen) {
  const auto input = inputs_.open({"1A", "0B", "0A"});
  ASSERT_TRUE(input);
  chips_.chip("a").set_levels(0b10);  // 0A, the second of its chip
  chips_.chip("b").set_levels(0b1);
  ASSERT_TRUE((*input)->start(collector(), states()));
  run_until([&] { return edges_.size() == 2; });
  std::set<int> lines;
  for (const Edge& edge : edges_) {
    EXPECT_TRUE(edge.on);
    lines.insert(edge.line);
  }
  EXPECT_EQ(lines, (std::set<int>{1, 2}));
}

TEST_F(GpioEdgeInputsTest, EdgesAndStatesArriveOnTheLoopAndInTheStatus) {
  const auto input = inputs_.open({"0A"});
  ASSERT_TRUE(input);
  ASSERT_TRUE((*input)->start(collector(), states()));
  FakeGpioChip& chip = chips_.chip("a");
  chip.wait_until_levels_read(1);
  chip.add(3, true, read_mono_clock() + Seconds{1});
  chip.add(3, false, read_mono_clock() + Seconds{2}, 3);
  chip.wake();
  run_until([&] { return edges_.size() == 2; });
  EXPECT_EQ((*input)->status().integer("edges_total"), 2);
  EXPECT_EQ((*input)->status().integer("edges_lost_total"), 3);
  EXPECT_EQ((*input)->status().integer("lines"), 1);
  chip.unplug();
  run_until([&] { return !states_.empty(); });
  EXPECT_EQ(states_, std::vector<bool>{false});
  EXPECT_FALSE(std::get<bool>(*(*input)->status().find("up")));
}

TEST_F(GpioEdgeInputsTest, AnUnknownSignalIsNotFound) {
  const auto input = inputs_.open({"0A", "9Z"});
  ASSERT_FALSE(input);
  EXPECT_EQ(input.error().code, ErrorCode::not_found);
  EXPECT_NE(input.error().text.find("9Z"), std::string::npos);
}

TEST_F(GpioEdgeInputsTest, ASignalBelongsToOneInputUntilThatDies) {
  auto first = inputs_.open({"0A", "0B"});
  ASSERT_TRUE(first);
  EXPECT_EQ(inputs_.open({"1A", "0B"}).error().code, ErrorCode::exists);
  EXPECT_TRUE(inputs_.open({"1A"}));  // the failed one kept nothing
  first->reset();
  EXPECT_TRUE(inputs_.open({"0B", "0A"}));
}

TEST_F(GpioEdgeInputsTest, OneNameTwiceInOneGroupIsRefused) {
  EXPECT_EQ(inputs_.open({"0A", "0A"}).error().code, ErrorCode::exists);
}

TEST_F(GpioEdgeInputsTest, AChipThatCannotBeOpenedIsAnErrorAndKeepsNothing) {
  chips_.chip("b").unplug();
  EXPECT_FALSE(inputs_.open({"0A", "0B"}));
  EXPECT_TRUE(inputs_.open({"0A"}));
}

TEST_F(GpioEdgeInputsTest, AnInputThatDiesTellsNothingMore) {
  auto input = inputs_.open({"0A"});
  ASSERT_TRUE(input);
  ASSERT_TRUE((*input)->start(collector(), states()));
  chips_.chip("a").wait_until_levels_read(1);
  chips_.chip("a").add(3, true, read_mono_clock() + Seconds{1});
  chips_.chip("a").wake();
  input->reset();
  loop_.post([&] { loop_.post([&] { loop_.stop(); }); });
  loop_.run();
  EXPECT_TRUE(edges_.empty());
}

}  // namespace
}  // namespace berm::hal
