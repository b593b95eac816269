// SPDX-License-Identifier: Apache-2.0
#include "drivers/pulse_counter/options.hpp"

namespace berm::drivers::pulse_counter {
namespace {

const OptionSpec kRows[] = {
    {.key = "signal", .kind = OptionKind::text, .required = true, .help = "the counting contact"},
    {.key = "uid",
     .kind = OptionKind::integer,
     .required = true,
     .min = 1,
     .help = "number of the lane, unique in the fleet"},
    {.key = "lane", .kind = OptionKind::text, .required = true, .help = "name of the lane"},
    {.key = "period_s",
     .kind = OptionKind::integer,
     .default_json = "60",
     .min = 1,
     .max = 3600,
     .unit = "s",
     .help = "length of a period"},
};

}  // namespace

const OptionTable kOptionTable{.name = "pulse_counter", .rows = kRows};

PulseCounterOptions from_options(const Options& options) {
  return {.signal = options.text("signal"),
          .uid = options.integer("uid"),
          .lane = options.text("lane"),
          .period = Seconds{options.integer("period_s")}};
}

}  // namespace berm::drivers::pulse_counter
