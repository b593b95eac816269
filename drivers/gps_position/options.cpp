// SPDX-License-Identifier: Apache-2.0
#include "drivers/gps_position/options.hpp"

#include "hal/base/text.hpp"

namespace berm::drivers::gps_position {
namespace {

constexpr OptionSpec kRows[] = {
    {.key = "gpsd",
     .default_json = "\"127.0.0.1:2947\"",
     .help = "host:port of gpsd; [address]:port for IPv6",
     .pattern = R"((\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]{0,252}):[0-9]{1,5})"},
    {.key = "max_error_m",
     .kind = OptionKind::number,
     .default_json = "100",
     .min = 1,
     .max = 10000,
     .unit = "m",
     .help = "a fix whose estimated horizontal error is larger is no position"},
    {.key = "move_m",
     .kind = OptionKind::number,
     .default_json = "25",
     .min = 1,
     .max = 100000,
     .unit = "m",
     .help = "an event after moving so far"},
    {.key = "interval_s",
     .kind = OptionKind::integer,
     .default_json = "60",
     .min = 1,
     .max = 86400,
     .unit = "s",
     .help = "and at the latest after so long"},
};

}  // namespace

constexpr OptionTable kOptions{"gps_position", kRows};

void check(const Options& options, std::string_view path, std::vector<OptionFault>& faults) {
  const std::string& gpsd = options.text("gpsd");
  const auto port = parse_integer(std::string_view(gpsd).substr(gpsd.rfind(':') + 1));
  if (port && *port >= 1 && *port <= 65535) return;
  faults.push_back({option_path(path, "gpsd"), "must end in a port of 1…65535, is " + gpsd});
}

PositionOptions position_options(const Options& options) {
  PositionOptions result{options.text("gpsd"), {}};
  result.filter.max_error_m = options.number("max_error_m");
  result.filter.move_m = options.number("move_m");
  result.filter.interval = Seconds{options.integer("interval_s")};
  return result;
}

}  // namespace berm::drivers::gps_position
