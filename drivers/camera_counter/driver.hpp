// SPDX-License-Identifier: Apache-2.0
// CameraCounter: starts and supervises one worker (`berm-camera work`) and turns what it says into
// lane periods and vehicles, by the same LaneEngine as wire loops. Made by the descriptor
// `camera_counter_driver`.
//
// The worker is limited in memory and priority and restarted with backoff (1…60 s, which falls back
// after five minutes that went well). It is ended when it says nothing for kSilence, or anything
// that is no line of the protocol. From then on, and until it has told what it saw, the lanes are
// not seen: coverage falls, nothing is guessed. Time is the worker's: a period closes when it has
// been told until its end, or kMaxTellLag later at the latest. Alarms: `camera_down`,
// `camera_view`. Loop thread; nothing blocks; cost per line O(1). The context outlives it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/driver.hpp"
#include "drivers/camera_counter/options.hpp"
#include "drivers/camera_counter/worker_protocol.hpp"
#include "drivers/traffic/lane_engine.hpp"
#include "hal/child_process.hpp"

namespace berm::drivers::camera_counter {

class CameraCounter final : public Driver, private traffic::TrafficSink {
 public:
  CameraCounter(std::string_view instance, CounterOptions options, std::string worker_input,
                DriverContext& context);

  Result<void> start(std::string_view checkpoint) override;
  void stop() override;
  Status status() const override;
  std::vector<Command> commands() override;

 private:
  struct LastPeriod {
    std::int64_t start_s = 0;
    std::optional<std::int64_t> count;
    std::optional<double> coverage;
    std::string flags;
  };

  void on_passage(std::size_t lane, const traffic::Passage& passage,
                  const traffic::Moment& now) override;
  void on_period(std::size_t lane, LanePeriod period) override;
  void on_checkpoint(std::string bytes) override;
  void on_diagnosis(std::size_t, const traffic::Diagnosis&) override {}  // of loops: none here

  void launch();
  void on_line(std::string_view line, bool is_whole);
  void take(const ReadyLine& line);
  void take(const PassLine& line);
  void take(const ToldLine& line);
  void take(const ViewLine& line);
  void take(const FaultLine& line);
  void lose(const std::string& why);
  void set_blind(bool is_blind, MonoTime since);
  void on_tick();
  void report_missed();
  MonoTime told_time() const;
  Place place_of(const LaneOptions& lane) const;
  Status lane_status(std::size_t lane) const;
  CommandAnswer show_lanes(const CommandRequest& request) const;

  const std::string instance_;
  const CounterOptions options_;
  const std::string worker_input_;
  DriverContext& context_;
  traffic::LaneEngine engine_;
  std::unique_ptr<hal::ChildProcess> worker_, retired_;
  hal::Timer tick_, restart_, missed_timer_;
  std::vector<LastPeriod> last_;
  MonoTime started_, last_line_, told_;
  Microseconds backoff_;
  View view_ = View::good;
  std::string fault_;
  std::uint64_t restarts_ = 0, lines_ = 0, refused_lines_ = 0, late_ = 0;
  bool is_running_ = false, is_ready_ = false, is_blind_ = false;
};

}  // namespace berm::drivers::camera_counter
