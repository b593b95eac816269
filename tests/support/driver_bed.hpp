// SPDX-License-Identifier: Apache-2.0
// DriverBed: a DriverContext in virtual time, for tests and fuzz targets of drivers. Keeps what a
// driver emits, the alarms, and the last checkpoint as the outbox would: durable together with what
// was emitted before it. `power_cut` drops the driver without a word; `reboot` gives the next life
// another boot id and its own monotonic time, while wall time goes on. Edges are given by hand:
// `edges` hands them to the driver at once, late or in batches as the test likes. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "drivers/api/driver.hpp"
#include "hal/sim/loop.hpp"

namespace berm::test {

class BedClock final : public hal::Clock {
 public:
  explicit BedClock(const hal::Loop& loop) : loop_(&loop) {}
  MonoTime mono() const override { return loop_->now(); }
  hal::WallReading wall() const override {
    return {wall_us(us_of(loop_->now()) + offset_us), source};
  }
  const std::string& boot_id() const override { return boot; }

  std::int64_t offset_us = 0;  // wall − mono; change it to step the clock
  ClockSource source = ClockSource::ntp;
  std::string boot = "boot-1";

 private:
  friend class DriverBed;
  const hal::Loop* loop_;
};

class DriverBed final : public drivers::DriverContext {
 public:
  // Wall time is `start` now.
  explicit DriverBed(WallTime start = wall_s(1'700'000'040));
  ~DriverBed() override;

  hal::Loop& loop() override { return *loop_; }
  hal::Clock& clock() override { return clock_; }
  hal::EdgeInputs& edges() override;
  hal::HttpClient* http() override { return http_; }
  const drivers::Site& site() const override { return site_; }
  const Log& log() const override { return log_; }
  void emit(drivers::Observation observation, std::function<void()> on_durable) override;
  void checkpoint(std::string bytes) override { checkpoint_ = std::move(bytes); }
  void begin_alarm(std::string_view alarm, std::string_view subject, drivers::Severity severity,
                   std::string_view text) override;
  void end_alarm(std::string_view alarm, std::string_view subject) override;

  BedClock& bed_clock() { return clock_; }
  drivers::Site& bed_site() { return site_; }
  std::vector<std::string>& alarms() { return alarms_; }  // "begin input_down/e19"
  std::vector<drivers::LanePeriod>& periods() { return periods_; }
  std::vector<drivers::VehiclePassage>& vehicles() { return vehicles_; }
  std::vector<drivers::Row>& rows() { return rows_; }
  // What http() gives; it outlives the driver.
  void set_http(hal::HttpClient* client) { http_ = client; }
  const std::string& last_checkpoint() const { return checkpoint_; }
  void set_checkpoint(std::string bytes) { checkpoint_ = std::move(bytes); }

  // Starts a driver made from `options_json`; asserts that the options are right.
  void start(const drivers::DriverDescriptor& descriptor, std::string_view options_json);
  drivers::Driver& driver() { return *driver_; }
  void stop();       // in good order
  void power_cut();  // not in good order: what was emitted and the last checkpoint remain
  // The next life: another boot, `off` later by the wall.
  void reboot(Microseconds off);

  void run_to(MonoTime time) { loop_->run_until(time); }
  void run_for(Microseconds duration) { loop_->run_until(loop_->now() + duration); }
  MonoTime now() const { return loop_->now(); }
  // Hands edges to the driver now.
  void feed(std::span<const hal::Edge> edges);
  void input_state(bool is_up, MonoTime since);

 private:
  class Inputs;
  std::unique_ptr<hal::SimLoop> loop_;
  BedClock clock_;
  std::unique_ptr<Inputs> inputs_;
  drivers::Site site_;
  Log log_{"bed"};
  std::string checkpoint_;
  std::vector<std::string> alarms_;
  std::vector<drivers::LanePeriod> periods_;
  std::vector<drivers::VehiclePassage> vehicles_;
  std::vector<drivers::Row> rows_;
  hal::HttpClient* http_ = nullptr;
  std::unique_ptr<drivers::Driver> driver_;
};

}  // namespace berm::test
