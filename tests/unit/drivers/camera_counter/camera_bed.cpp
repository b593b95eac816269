// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/drivers/camera_counter/camera_bed.hpp"

#include "hal/base/assert.hpp"

namespace berm::drivers {
extern const DriverDescriptor camera_counter_driver;
}

namespace berm::drivers::camera_counter {

void CameraBed::emit(Observation observation, std::function<void()>) {
  if (auto* period = std::get_if<LanePeriod>(&observation)) periods.push_back(*period);
  if (auto* vehicle = std::get_if<VehiclePassage>(&observation)) this->vehicles.push_back(*vehicle);
}

Result<void> CameraBed::start(bool vehicles_too) {
  const std::string text =
      R"({"camera": "film.mp4", "period_s": 10, "vehicles": )" +
      std::string(vehicles_too ? "true" : "false") +
      R"(, "lanes": {"away": {"uid": 1, "line": [[0, 9], [99, 9]], "direction": "up"},
                     "toward": {"uid": 2, "line": [[100, 9], [199, 9]], "direction": "down"}}})";
  std::vector<OptionFault> faults;
  const Options options =
      parse_options(*camera_counter_driver.options, *Json::parse(text), "", faults);
  BERM_ASSERT(faults.empty());
  auto made = camera_counter_driver.create("cam", options, *this);
  BERM_ASSERT(made.has_value());
  driver_ = std::move(*made);
  return driver_->start({});
}

void CameraBed::say(std::string text) {
  BERM_ASSERT(workers.last() != nullptr);
  workers.last()->say(std::move(text));
  loop_.run_for(Microseconds{0});
}

void CameraBed::tell_for(int seconds, int seen) {
  for (int i = 0; i < 2 * seconds; ++i) {
    loop_.run_for(Microseconds{500'000});
    say("told " + std::to_string(us_of(now()) - 1'000'000) + " " + std::to_string(seen) + "\n");
  }
}

void CameraBed::pass(std::size_t lane, std::int64_t age_us, std::int64_t on_us) {
  say("pass " + std::to_string(lane) + " " + std::to_string(us_of(now()) - age_us) + " " +
      std::to_string(on_us) + " 5000 440 2 900\n");
}

std::int64_t CameraBed::counted(std::string_view lane) const {
  std::int64_t sum = 0;
  for (const LanePeriod& period : periods) {
    if (period.lane == lane) sum += period.count.value_or(0);
  }
  return sum;
}

}  // namespace berm::drivers::camera_counter
