// SPDX-License-Identifier: Apache-2.0
// The options of one pulse_counter: made from validated Options, then constant. Plain values.
#pragma once

#include <cstdint>
#include <string>

#include "hal/base/option_table.hpp"
#include "hal/base/time.hpp"

namespace berm::drivers::pulse_counter {

struct PulseCounterOptions {
  std::string signal;
  std::int64_t uid = 0;
  std::string lane;
  Seconds period{60};
};

extern const OptionTable kOptionTable;
// Precondition: `options` were parsed by kOptionTable without a fault.
PulseCounterOptions from_options(const Options& options);

}  // namespace berm::drivers::pulse_counter
