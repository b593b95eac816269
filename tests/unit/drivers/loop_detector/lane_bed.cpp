// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/drivers/loop_detector/lane_bed.hpp"

namespace berm::test {

std::string LaneBed::options(std::string_view more) {
  return "{" + std::string(more) + R"(
    "lanes": {
      "left":  {"uid": 1, "loops": ["LA", "LB"], "spacing_m": 4.5},
      "right": {"uid": 2, "loops": ["RA", "RB"], "spacing_m": 4.5},
      "ramp":  {"uid": 3, "loops": ["S"]}}})";
}

void LaneBed::start(std::string_view more) {
  bed_.start(drivers::loop_detector_driver, options(more));
}

void LaneBed::edge(std::uint16_t line, std::int64_t ms, bool on, std::uint32_t lost_before,
                   std::uint32_t resolution_us) {
  if (at_ms(ms) > bed_.now()) bed_.run_to(at_ms(ms));
  const hal::Edge edge{at_ms(ms), resolution_us, lost_before, line, on};
  bed_.feed({&edge, 1});
}

void LaneBed::level(std::uint16_t line, std::int64_t ms, bool on) {
  if (at_ms(ms) > bed_.now()) bed_.run_to(at_ms(ms));
  const hal::Edge edge{.time = at_ms(ms), .line = line, .on = on, .tells_state = true};
  bed_.feed({&edge, 1});
}

void LaneBed::car(std::uint16_t first_line, std::int64_t ms) {
  const auto second_line = static_cast<std::uint16_t>(first_line + 1);
  edge(first_line, ms, true);
  edge(second_line, ms + 225, true);
  edge(first_line, ms + 300, false);
  edge(second_line, ms + 525, false);
}

void LaneBed::pulse(std::uint16_t line, std::int64_t ms, std::int64_t on_ms) {
  edge(line, ms, true);
  edge(line, ms + on_ms, false);
}

std::vector<drivers::LanePeriod> LaneBed::periods(std::string_view lane) {
  std::vector<drivers::LanePeriod> found;
  for (const auto& period : bed_.periods()) {
    if (period.lane == lane) found.push_back(period);
  }
  return found;
}

std::vector<drivers::VehiclePassage> LaneBed::vehicles(std::string_view lane) {
  std::vector<drivers::VehiclePassage> found;
  for (const auto& vehicle : bed_.vehicles()) {
    if (vehicle.lane == lane) found.push_back(vehicle);
  }
  return found;
}

}  // namespace berm::test
