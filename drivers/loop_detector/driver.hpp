// SPDX-License-Identifier: Apache-2.0
// LoopDetector: wires a LaneEngine to a node. Opens its loops as one EdgeInput, turns passages into
// VehiclePassage (where `vehicles` says so) and closed periods into LanePeriod observations, keeps
// the engine's checkpoint, wakes it by one timer. Made by the descriptor `loop_detector_driver`.
//
// Promises: one wake-up per period without traffic; all time from Loop, Clock and the edges, so
// virtual time works; missed periods of a long absence go out in batches, never all in one turn.
// Fails at start where a signal cannot be opened; later failures of the wires are the alarm
// `input_down` and lower the coverage. Loop thread; lives until the node stops it; the context
// outlives it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/driver.hpp"
#include "drivers/loop_detector/options.hpp"
#include "drivers/traffic/lane_engine.hpp"

namespace berm::drivers::loop_detector {

class LoopDetector final : public Driver, private traffic::TrafficSink {
 public:
  LoopDetector(std::string_view instance, DetectorOptions options, DriverContext& context);

  Result<void> start(std::string_view checkpoint) override;
  void stop() override;
  Status status() const override;
  std::vector<Command> commands() override;

 private:
  // What the last period of a lane said, for status.
  struct LastPeriod {
    bool is_there = false;
    std::int64_t start_s = 0;
    std::optional<std::int64_t> count;
    std::optional<double> speed_kmh, occupancy_percent, coverage;
    std::string flags;
  };

  void on_passage(std::size_t lane, const traffic::Passage& passage,
                  const traffic::Moment& now) override;
  void on_period(std::size_t lane, LanePeriod period) override;
  void on_checkpoint(std::string bytes) override;
  void on_diagnosis(std::size_t lane, const traffic::Diagnosis& diagnosis) override;

  void on_edges(std::span<const hal::Edge> edges);
  void on_state(bool is_up, MonoTime since);
  void on_timer(MonoTime planned);
  void set_timer();
  void report_missed();
  std::string local_time_of(std::int64_t mono) const;
  std::string subject_of(std::size_t lane, const traffic::Diagnosis& diagnosis) const;
  Place place_of(const LaneOptions& lane) const;
  Status lane_status(std::size_t lane) const;
  CommandAnswer show_lanes(const CommandRequest& request) const;

  const std::string instance_;
  const DetectorOptions options_;
  DriverContext& context_;
  traffic::LaneEngine engine_;
  std::unique_ptr<hal::EdgeInput> input_;
  hal::Timer timer_;
  hal::Timer missed_timer_;
  MonoTime wake_;
  std::vector<LastPeriod> last_;
  std::uint64_t edges_at_period_ = 0;
  MonoTime rated_at_;
  double edges_per_s_ = 0.0;
  std::uint64_t faults_ = 0;
  bool is_running_ = false;
};

}  // namespace berm::drivers::loop_detector
