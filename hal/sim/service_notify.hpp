// SPDX-License-Identifier: Apache-2.0
// SimServiceNotify: remembers what the agent told its supervisor, for tests. `watchdog_interval` is
// what the test says. Loop thread; never fails.
#pragma once

#include <cstdint>
#include <string>

#include "hal/service_notify.hpp"

namespace berm::hal {

class SimServiceNotify final : public ServiceNotify {
 public:
  explicit SimServiceNotify(Microseconds watchdog_interval = Microseconds{0})
      : watchdog_interval_(watchdog_interval) {}
  void ready() override { ++ready_; }
  void stopping() override { is_stopping_ = true; }
  void status(std::string_view text) override { status_ = text; }
  void watchdog() override { ++signs_of_life_; }
  Microseconds watchdog_interval() const override { return watchdog_interval_; }

  int times_ready() const { return ready_; }
  bool is_stopping() const { return is_stopping_; }
  const std::string& last_status() const { return status_; }
  std::uint64_t signs_of_life() const { return signs_of_life_; }

 private:
  Microseconds watchdog_interval_;
  int ready_ = 0;
  bool is_stopping_ = false;
  std::string status_;
  std::uint64_t signs_of_life_ = 0;
};

}  // namespace berm::hal
