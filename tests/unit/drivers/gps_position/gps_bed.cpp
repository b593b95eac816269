// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/drivers/gps_position/gps_bed.hpp"

#include "drivers/gps_position/fix_filter.hpp"
#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm::drivers {
extern const DriverDescriptor gps_position_driver;
}

namespace berm::drivers::gps_position {

Result<void> GpsBed::start(std::string_view options_json) {
  const auto json = Json::parse(options_json);
  BERM_ASSERT(json.has_value());
  std::vector<OptionFault> faults;
  const Options options = parse_options(*gps_position_driver.options, *json, "", faults);
  BERM_ASSERT(faults.empty());
  auto made = gps_position_driver.create("gps", options, *this);
  BERM_ASSERT(made.has_value());
  driver_ = std::move(*made);
  return driver_->start({});
}

void GpsBed::say(const hal::PositionFix& fix) {
  feeds_.push(fix);
  loop_.run_for(Microseconds{0});
}

std::int64_t GpsBed::reports(std::string_view name) const {
  const Status status = driver_->status();
  const Status* reports = status.child("reports");
  BERM_ASSERT(reports != nullptr && reports->find(name) != nullptr);
  return reports->integer(name);
}

std::string GpsBed::run_command(bool json) {
  CommandRequest request;
  request.json = json;
  return driver_->commands().front().run(request).text;
}

hal::PositionFix good_fix(double metres_north) {
  hal::PositionFix fix;
  fix.mode = 3;
  fix.gps_time = wall_s(1'800'000'000);
  fix.time_error = Microseconds{5000};
  fix.lat = 51.2 + metres_north / 111'195.08;
  fix.lon = 4.4;
  fix.error_m = 4.0;
  fix.alt_m = 7.0;
  fix.speed_mps = 20.0;
  fix.track_deg = 12.5;
  fix.satellites = 9;
  return fix;
}

std::string field(const Row& row, std::string_view name) {
  for (const auto& [key, value] : row.values) {
    if (key != name) continue;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
    if (const auto* number = std::get_if<double>(&value)) return text_of("%.4f", *number);
    return "null";
  }
  return "";
}

}  // namespace berm::drivers::gps_position
