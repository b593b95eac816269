// SPDX-License-Identifier: Apache-2.0
// Options of the camera_counter driver: the table that everything reads, the checks across fields,
// and the const structs that driver and worker are made from. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/driver.hpp"
#include "drivers/api/observation.hpp"
#include "drivers/camera_counter/camera_lane.hpp"
#include "hal/base/option_table.hpp"

namespace berm::drivers::camera_counter {

extern const OptionTable kOptions;

struct LaneOptions {
  std::int64_t uid = 0;
  CameraLane camera;
  std::string compare_with;  // "driver/lane"; empty: none
  Place place;
};

struct CounterOptions {
  std::string camera;
  std::string model;
  std::int64_t period_s = 60;
  bool vehicles = false;
  std::int64_t memory_bytes = 0;
  std::int64_t nice = 0;
  std::vector<LaneOptions> lanes;
};

// What the table cannot say: the form of a line and of a scale, a uid used twice, too many lanes.
void check(const Options& options, std::string_view path, std::vector<OptionFault>& faults);
// Precondition: parsed and checked without fault.
CounterOptions counter_options(const Options& options);
std::vector<std::int64_t> uids(const Options& options);
// What the worker reads first: the options it needs, as a document that `kOptions` takes.
std::string worker_document(const CounterOptions& options);

}  // namespace berm::drivers::camera_counter
