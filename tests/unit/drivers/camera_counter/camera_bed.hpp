// SPDX-License-Identifier: Apache-2.0
// CameraBed: a DriverContext in virtual time with a worker that the test plays. Keeps periods,
// vehicles, alarms and the checkpoint. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/driver.hpp"
#include "hal/sim/child_process.hpp"
#include "hal/sim/clock.hpp"
#include "hal/sim/edge_input.hpp"
#include "hal/sim/loop.hpp"

namespace berm::drivers::camera_counter {

class CameraBed final : public DriverContext {
 public:
  hal::Loop& loop() override { return loop_; }
  hal::Clock& clock() override { return clock_; }
  hal::EdgeInputs& edges() override { return edges_; }
  hal::HttpClient* http() override { return nullptr; }
  hal::ChildProcesses* children() override { return has_children ? &workers : nullptr; }
  const Site& site() const override { return site_; }
  const Log& log() const override { return log_; }
  void emit(Observation observation, std::function<void()>) override;
  void checkpoint(std::string bytes) override { saved = std::move(bytes); }
  void begin_alarm(std::string_view alarm, std::string_view, Severity,
                   std::string_view text) override {
    alarms.push_back("begin " + std::string(alarm));
    last_text = text;
  }
  void end_alarm(std::string_view alarm, std::string_view) override {
    alarms.push_back("end " + std::string(alarm));
  }

  Result<void> start(bool vehicles = true);
  void stop() { driver_->stop(); }
  Driver& driver() { return *driver_; }
  // One piece of the worker's output, and the turn in which it arrives.
  void say(std::string text);
  // Tells progress twice a second until `seconds` from now have passed, one second behind.
  void tell_for(int seconds, int seen = 1000);
  void pass(std::size_t lane, std::int64_t age_us, std::int64_t on_us = 300'000);
  void run_for(Microseconds duration) { loop_.run_for(duration); }
  MonoTime now() const { return loop_.now(); }
  std::int64_t counted(std::string_view lane) const;

 private:
  hal::SimLoop loop_;
  hal::SimClock clock_{loop_};
  hal::ScriptedEdgeInputs edges_{loop_};
  Site site_;
  Log log_{"bed"};

 public:
  hal::PlayedProcesses workers{loop_};
  bool has_children = true;
  std::vector<LanePeriod> periods;
  std::vector<VehiclePassage> vehicles;
  std::vector<std::string> alarms;
  std::string last_text, saved;

 private:
  std::unique_ptr<Driver> driver_;
};

}  // namespace berm::drivers::camera_counter
