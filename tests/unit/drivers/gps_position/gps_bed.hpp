// SPDX-License-Identifier: Apache-2.0
// GpsBed: a DriverContext in virtual time with a scripted gpsd. Keeps the rows a driver emits, its
// alarms and the times it offers. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/driver.hpp"
#include "hal/sim/clock.hpp"
#include "hal/sim/edge_input.hpp"
#include "hal/sim/loop.hpp"
#include "hal/sim/position_feed.hpp"

namespace berm::drivers::gps_position {

class GpsBed final : public DriverContext {
 public:
  hal::Loop& loop() override { return loop_; }
  hal::Clock& clock() override { return clock_; }
  hal::EdgeInputs& edges() override { return edges_; }
  hal::HttpClient* http() override { return nullptr; }
  hal::PositionFeeds* positions() override { return has_positions ? &feeds_ : nullptr; }
  const Site& site() const override { return site_; }
  const Log& log() const override { return log_; }
  void emit(Observation observation, std::function<void()>) override {
    rows.push_back(std::get<Row>(std::move(observation)));
  }
  void checkpoint(std::string) override {}
  TimeVerdict offer_time(const TimeOffer& offer) override {
    offers.push_back(offer);
    return verdict;
  }
  void begin_alarm(std::string_view alarm, std::string_view subject, Severity,
                   std::string_view text) override {
    alarms.push_back("begin " + std::string(alarm) + "/" + std::string(subject));
    last_text = text;
  }
  void end_alarm(std::string_view alarm, std::string_view subject) override {
    alarms.push_back("end " + std::string(alarm) + "/" + std::string(subject));
  }

  Result<void> start(std::string_view options_json = "{}");
  Driver& driver() { return *driver_; }
  hal::ScriptedPositionFeeds& gpsd() { return feeds_; }
  hal::SimClock& sim_clock() { return clock_; }
  // One report, and the turn in which it arrives.
  void say(const hal::PositionFix& fix);
  void run_for(Microseconds duration) { loop_.run_for(duration); }
  MonoTime now() const { return loop_.now(); }
  std::int64_t reports(std::string_view name) const;
  std::string run_command(bool json);

  bool has_positions = true;
  TimeVerdict verdict = TimeVerdict::used;
  std::vector<Row> rows;
  std::vector<TimeOffer> offers;
  std::vector<std::string> alarms;
  std::string last_text;

 private:
  hal::SimLoop loop_;
  hal::SimClock clock_{loop_};
  hal::ScriptedEdgeInputs edges_{loop_};
  hal::ScriptedPositionFeeds feeds_{loop_};
  Site site_;
  Log log_{"bed"};
  std::unique_ptr<Driver> driver_;
};

// A fix of mode 3 near Antwerp with everything said.
hal::PositionFix good_fix(double metres_north = 0.0);
// The value of a field of a row: as text, "null" where it is empty, "" where there is no such
// field.
std::string field(const Row& row, std::string_view name);

}  // namespace berm::drivers::gps_position
