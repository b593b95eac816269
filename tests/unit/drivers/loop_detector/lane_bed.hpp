// SPDX-License-Identifier: Apache-2.0
// LaneBed: a loop_detector in a DriverBed, with edges given in milliseconds since the bed's start.
// Two pairs "left" (lines 0, 1) and "right" (lines 2, 3), 2 m loops 4.5 m apart, and a single loop
// "ramp" (line 4). The bed starts on a whole minute. Edges are handed over when virtual time
// reaches them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/driver_bed.hpp"

namespace berm::drivers {
extern const DriverDescriptor loop_detector_driver;
}

namespace berm::test {

inline constexpr std::int64_t kBedStartS = 1'700'000'040;  // 2023-11-14 22:14:00 UTC
inline constexpr std::uint16_t kLeftA = 0, kLeftB = 1, kRightA = 2, kRightB = 3, kRamp = 4;

class LaneBed : public testing::Test {
 protected:
  // The bed's options with these members before them, e.g. "\"period_s\": 1,".
  static std::string options(std::string_view more = "\"vehicles\": true,");
  void start(std::string_view more = "\"vehicles\": true,");

  MonoTime at_ms(std::int64_t ms) const { return origin_ + Microseconds{ms * 1000}; }
  // Runs to the edge's time and hands it over.
  void edge(std::uint16_t line, std::int64_t ms, bool on, std::uint32_t lost_before = 0,
            std::uint32_t resolution_us = 1);
  // What the line is at, as read.
  void level(std::uint16_t line, std::int64_t ms, bool on);
  // 20 m/s, 4 m long: on for 300 ms, the second loop 225 ms later.
  void car(std::uint16_t first_line, std::int64_t ms);
  void pulse(std::uint16_t line, std::int64_t ms, std::int64_t on_ms = 300);
  void run_to_ms(std::int64_t ms) { bed_.run_to(at_ms(ms)); }

  // Of one lane, in order.
  std::vector<drivers::LanePeriod> periods(std::string_view lane);
  std::vector<drivers::VehiclePassage> vehicles(std::string_view lane);

  DriverBed bed_{wall_s(kBedStartS)};
  MonoTime origin_ = bed_.now();
};

}  // namespace berm::test
