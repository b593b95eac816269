// SPDX-License-Identifier: Apache-2.0
// The same street through the kernel itself, where it has gpio-sim (CONFIG_GPIO_SIM, configfs,
// root).
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "hal/linux/clock.hpp"
#include "hal/linux/edge_input.hpp"

namespace berm::hal {
namespace {

constexpr const char* kConfigfs = "/sys/kernel/config/gpio-sim";
constexpr const char* kLabel = "berm-gpio-sim-test";

void put(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text << std::flush;
}

std::string get(const std::filesystem::path& path) {
  std::string text;
  std::getline(std::ifstream(path) >> std::ws, text);
  return text;
}

// A chip of four lines in the kernel, for the life of a test.
class SimulatedChip {
 public:
  SimulatedChip() {
    std::filesystem::create_directories(bank_);
    put(bank_ / "num_lines", "4");
    put(bank_ / "label", kLabel);
    put(device_ / "live", "1");
    lines_ = std::filesystem::path("/sys/devices/platform") / get(device_ / "dev_name") /
             get(bank_ / "chip_name");
  }
  SimulatedChip(const SimulatedChip&) = delete;
  SimulatedChip& operator=(const SimulatedChip&) = delete;
  ~SimulatedChip() {
    put(device_ / "live", "0");
    ::rmdir(bank_.c_str());
    ::rmdir(device_.c_str());
  }
  void set(int offset, bool on) const {
    put(lines_ / ("sim_gpio" + std::to_string(offset)) / "pull", on ? "pull-up" : "pull-down");
  }

 private:
  const std::filesystem::path device_ =
      std::filesystem::path(kConfigfs) / ("berm-" + std::to_string(::getpid()));
  const std::filesystem::path bank_ = device_ / "bank0";
  std::filesystem::path lines_;
};

TEST(GpioSim, EdgesOfTheKernelArriveWithItsStamps) {
  if (!std::filesystem::exists(kConfigfs)) {
    GTEST_SKIP() << kConfigfs << " is absent: this kernel has no gpio-sim loaded";
  }
  if (::geteuid() != 0) GTEST_SKIP() << "making a gpio-sim chip needs root";
  const SimulatedChip chip;
  chip.set(2, true);
  EpollLoop loop;
  KernelGpioChips chips;
  GpioEdgeInputs inputs(loop, chips,
                        {{"L0", kLabel, {.offset = 0}},
                         {"L1", kLabel, {.offset = 1, .active_low = true}},
                         {"L2", kLabel, {.offset = 2}}});
  const auto input = inputs.open({"L0", "L1", "L2"});
  ASSERT_TRUE(input) << input.error().text;
  std::vector<Edge> edges;
  ASSERT_TRUE((*input)->start(
      [&](std::span<const Edge> more) { edges.insert(edges.end(), more.begin(), more.end()); },
      [](bool, MonoTime) {}));
  int step = 0;
  const MonoTime begin = loop.now();
  std::function<void()> go = [&] {
    // Two lines are on at first (L1 is inverted); then each change waits for the edge before.
    if (step < 4 && edges.size() == 2 + static_cast<std::size_t>(step)) {
      if (step == 0) chip.set(0, true);
      if (step == 1) chip.set(1, true);
      if (step == 2) chip.set(0, false);
      if (step == 3) chip.set(2, false);
      ++step;
    }
    if (edges.size() == 6 || loop.now() > begin + Seconds{20}) return loop.stop();
    loop.after(Milliseconds{1}, go);
  };
  go();
  loop.run();
  ASSERT_EQ(edges.size(), 6u);
  EXPECT_TRUE(edges[2].line == 0 && edges[2].on);
  EXPECT_TRUE(edges[3].line == 1 && !edges[3].on);
  EXPECT_TRUE(edges[4].line == 0 && !edges[4].on);
  EXPECT_TRUE(edges[5].line == 2 && !edges[5].on);
  for (const Edge& edge : edges) {
    EXPECT_EQ(edge.lost_before, 0u);
    EXPECT_GE(edge.time, begin);
    EXPECT_LE(edge.time, read_mono_clock());
  }
}

}  // namespace
}  // namespace berm::hal
