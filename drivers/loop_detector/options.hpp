// SPDX-License-Identifier: Apache-2.0
// Options of the loop_detector driver: the table that everything reads (parsing, `berm check`, the
// JSON Schema, the README's chapter), the checks across fields, and the const struct the driver is
// made from. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/driver.hpp"
#include "drivers/api/observation.hpp"
#include "drivers/traffic/lane_engine.hpp"
#include "hal/base/option_table.hpp"

namespace berm::drivers::loop_detector {

extern const OptionTable kOptions;

struct LaneOptions {
  std::string name;
  std::vector<std::string> loops;  // one or two, in driving direction
  traffic::EngineLane engine;
  Place place;
};

struct DetectorOptions {
  std::int64_t period_s = 60;
  bool vehicles = false;
  bool daily_tests = true;
  traffic::DetectorPlan plan;
  std::vector<LaneOptions> lanes;
};

// What the table cannot say: number of loops, a pair without spacing, a uid or a loop used twice.
void check(const Options& options, std::string_view path, std::vector<OptionFault>& faults);
// Precondition: parsed and checked without fault.
DetectorOptions detector_options(const Options& options);
std::vector<std::int64_t> uids(const Options& options);
std::vector<std::string> signals(const Options& options);
std::vector<LoopLane> loop_lanes(const Options& options);

}  // namespace berm::drivers::loop_detector
