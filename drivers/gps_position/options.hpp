// SPDX-License-Identifier: Apache-2.0
// Options of the gps_position driver: the table that everything reads, the check the table cannot
// say, and the const struct the driver is made from. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "drivers/gps_position/fix_filter.hpp"
#include "hal/base/option_table.hpp"

namespace berm::drivers::gps_position {

extern const OptionTable kOptions;

struct PositionOptions {
  std::string gpsd;  // host:port
  FilterOptions filter;
};

// A port that is none.
void check(const Options& options, std::string_view path, std::vector<OptionFault>& faults);
// Precondition: parsed and checked without fault.
PositionOptions position_options(const Options& options);

}  // namespace berm::drivers::gps_position
