// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/generated_edges.hpp"

#include <gtest/gtest.h>

#include <map>

#include "hal/sim/loop.hpp"

namespace berm::hal {
namespace {

struct Traffic {
  std::vector<Edge> edges;
  std::vector<GeneratedVehicle> vehicles;
};

GeneratedEdgeOptions two_lanes(double flow_veh_h = 900, std::uint64_t seed = 1) {
  return {.lanes = {{"left", "left 2", 4.5, 2.0}, {"single", "", 0, 2.0}},
          .flow_veh_h = flow_veh_h,
          .seed = seed};
}

Traffic run(GeneratedEdgeOptions options, Microseconds duration,
            const std::vector<std::string>& signals = {"left", "left 2", "single"}) {
  SimLoop loop;
  Traffic result;
  options.on_vehicle = [&](const GeneratedVehicle& vehicle) { result.vehicles.push_back(vehicle); };
  GeneratedEdgeInputs inputs(loop, std::move(options));
  auto input = inputs.open(signals).value();
  EXPECT_TRUE(input->start(
      [&](std::span<const Edge> edges) {
        for (const Edge& edge : edges) EXPECT_LE(edge.time, loop.now());
        result.edges.insert(result.edges.end(), edges.begin(), edges.end());
      },
      [](bool, MonoTime) {}));
  loop.run_for(duration);
  return result;
}

TEST(GeneratedEdges, TheSameSeedGivesTheSameEdgesAndAnotherOneOthers) {
  const auto text = [](const Traffic& result) {
    std::string out;
    for (const Edge& edge : result.edges) {
      out += std::to_string(us_of(edge.time)) + "," + std::to_string(edge.line) +
             (edge.on ? "+" : "-");
    }
    return out;
  };
  const std::string first = text(run(two_lanes(), Seconds{600}));
  GeneratedEdgeOptions coarse = two_lanes();
  coarse.step = Milliseconds{250};
  EXPECT_EQ(first, text(run(two_lanes(), Seconds{600})));
  EXPECT_EQ(first, text(run(coarse, Seconds{600})));
  EXPECT_NE(first, text(run(two_lanes(900, 2), Seconds{600})));
}

TEST(GeneratedEdges, FlowIsTheOneAskedFor) {
  for (const double flow : {300.0, 900.0, 1500.0}) {
    const Traffic result = run(two_lanes(flow), Seconds{36000});
    EXPECT_NEAR(static_cast<double>(result.vehicles.size()) / 20, flow, flow * 0.03);
  }
  EXPECT_TRUE(run(two_lanes(0), Seconds{600}).edges.empty());
}

TEST(GeneratedEdges, EveryLoopGoesOnAndOffInTurnEvenWhenTheLaneIsFull) {
  for (const double flow : {900.0, 6000.0}) {
    std::map<int, bool> level;
    std::map<int, MonoTime> last;
    for (const Edge& edge : run(two_lanes(flow), Seconds{7200}).edges) {
      EXPECT_NE(level[edge.line], edge.on);
      EXPECT_GT(edge.time, last[edge.line]);
      level[edge.line] = edge.on;
      last[edge.line] = edge.time;
    }
  }
}

TEST(GeneratedEdges, APairGivesBackSpeedAndLengthOfEachVehicle) {
  const Traffic result = run(two_lanes(), Seconds{3600});
  std::vector<Edge> lines[3];
  for (const Edge& edge : result.edges) lines[edge.line].push_back(edge);
  std::size_t n = 0;
  for (const GeneratedVehicle& vehicle : result.vehicles) {
    if (vehicle.lane != 0 || 2 * n + 1 >= lines[1].size()) continue;
    const auto seconds = [](Microseconds us) { return static_cast<double>(us.count()) * 1e-6; };
    EXPECT_EQ(lines[0][2 * n].time, vehicle.time);
    const double speed = 4.5 / seconds(lines[1][2 * n].time - lines[0][2 * n].time);
    const double length = speed * seconds(lines[0][2 * n + 1].time - lines[0][2 * n].time) - 2.0;
    EXPECT_NEAR(speed * 3.6, vehicle.speed_kmh, 0.01);
    EXPECT_NEAR(length, vehicle.length_m, 0.01);
    ++n;
  }
  EXPECT_GT(n, 800u);
}

TEST(GeneratedEdges, TheMixOfLengthsIsThatOfTheRoad) {
  const Traffic result = run(two_lanes(1200), Seconds{36000});
  const double bounds[] = {1.0, 4.9, 6.9, 12.0, 100};
  std::map<std::size_t, double> share;
  for (const GeneratedVehicle& vehicle : result.vehicles) {
    std::size_t length_class = 0;
    while (vehicle.length_m >= bounds[length_class]) ++length_class;
    share[length_class] += 1.0 / static_cast<double>(result.vehicles.size());
    EXPECT_GE(vehicle.speed_kmh, 60);
    EXPECT_LE(vehicle.speed_kmh, 145);
  }
  EXPECT_NEAR(share[1], 0.695, 0.02);
  EXPECT_NEAR(share[2], 0.141, 0.02);
  EXPECT_NEAR(share[3], 0.050, 0.01);
  EXPECT_NEAR(share[4], 0.114, 0.02);
}

TEST(GeneratedEdges, ALaneIsTheSameWhoeverElseIsThere) {
  GeneratedEdgeOptions alone = two_lanes();
  alone.lanes.erase(alone.lanes.begin());
  std::vector<MonoTime> with_others;
  for (const GeneratedVehicle& vehicle : run(two_lanes(), Seconds{600}).vehicles) {
    if (vehicle.lane == 1) with_others.push_back(vehicle.time);
  }
  std::vector<MonoTime> by_itself;
  for (const GeneratedVehicle& vehicle : run(alone, Seconds{600}, {"single"}).vehicles) {
    by_itself.push_back(vehicle.time);
  }
  EXPECT_EQ(with_others, by_itself);
}

TEST(GeneratedEdges, ASignalThatIsNoLoopIsNotFound) {
  SimLoop loop;
  GeneratedEdgeInputs inputs(loop, two_lanes());
  EXPECT_EQ(inputs.open({"right"}).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace berm::hal
