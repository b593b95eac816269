// SPDX-License-Identifier: Apache-2.0
// LaneEngine: the edges of all lanes of one driver become passages and lane periods. The pure part
// of a loop driver: no I/O; time comes with the edges, from the caller and from the Clock it is
// given.
//
// A vehicle belongs to the period of its leading edge on its lane's first loop, whenever the edge
// arrives: a period is closed at the earliest 0.2 s after its end, once no vehicle of it is on the
// loops in any lane, at the latest 5 s after; all lanes together, then one checkpoint. What stands
// there then counts as unclassified. An edge later still counts in the oldest open period, flagged
// `late`. Second-loop-only passages are decided here, where the neighbour lanes (same direction)
// are known. Promises: no allocation per edge; a lane costs under 4 kB; at most kMaxLanes lanes, 2
// loops each; any sequence of edges is survived, odd ones are counted and flagged. The caller:
// `begin` once, then `take` for batches, `advance` at `next_wake`, `end` before the end. Loop
// thread. Sink calls come from within these; a sink must not call back.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/observation.hpp"
#include "drivers/traffic/lane_period.hpp"
#include "drivers/traffic/passage.hpp"
#include "drivers/traffic/period_grid.hpp"
#include "drivers/traffic/vehicle_gate.hpp"
#include "hal/clock.hpp"
#include "hal/edge_input.hpp"

namespace berm::drivers::traffic {

struct EngineLane {
  std::int64_t uid = 0;
  bool is_pair = false;
  PairGeometry geometry;
  std::string direction;
};

class TrafficSink {
 public:
  virtual ~TrafficSink() = default;
  // Counted passages, per lane in order of their leading edge.
  virtual void on_passage(std::size_t lane, const Passage& passage, const Moment& now) = 0;
  // Start, length, measures and flags are filled; the rest is the caller's.
  virtual void on_period(std::size_t lane, LanePeriod period) = 0;
  virtual void on_checkpoint(std::string bytes) = 0;
};

struct EngineCounts {
  std::uint64_t edges = 0;
  std::uint64_t odd_edges = 0;
  std::uint64_t lost_edges = 0;
  std::uint64_t vehicles = 0;
  std::uint64_t periods = 0;
};

class LaneEngine {
 public:
  // The lines of the edges are the loops of the lanes, one lane after the other.
  LaneEngine(std::vector<EngineLane> lanes, std::int64_t period_s, const hal::Clock& clock,
             TrafficSink& sink);

  // A checkpoint of another version, or garbage, is as none.
  void begin(MonoTime now, std::string_view checkpoint);
  void take(std::span<const hal::Edge> edges, MonoTime now);
  void set_input(bool is_up, MonoTime since);
  void advance(MonoTime now);
  MonoTime next_wake() const;
  // Ends what has ended, leaves the rest in a checkpoint.
  void end(MonoTime now);
  // Reports some missed periods; false: there are no more.
  bool report_missed();
  bool has_missed() const { return grid_.has_missed(); }

  const EngineCounts& counts() const { return counts_; }
  bool is_input_up() const { return down_since_us_ < 0; }

 private:
  struct Lane {
    explicit Lane(const EngineLane& lane) : gate(lane.is_pair, lane.geometry) {}
    VehicleGate gate;
    std::array<LanePeriodSum, kMaxOpenPeriods> sums{};  // by slot of the grid
    std::int64_t accounted_us = INT64_MIN;              // occupied time is in the sums up to here
  };
  static_assert(sizeof(Lane) < 4000, "a lane costs less than 4 kB");
  struct Line {
    std::uint16_t lane = 0;
    std::uint8_t loop = 0;
  };
  struct Checkpoint;

  const Moment& moment();
  void take_one(const hal::Edge& edge, std::int64_t now_us);
  void roll_to(std::int64_t time_us);
  void settle(std::int64_t now_us);
  void decide(std::size_t lane, std::int64_t now_us, std::int64_t before_us);
  bool is_elsewhere(std::size_t lane, const PairTimes& second);
  void drain(std::size_t lane);
  bool is_ready_to_close() const;
  void close_oldest();
  void close_ended(std::int64_t now_us);
  void force_before(std::int64_t end_us);
  void add_occupied(Lane& lane, std::int64_t from_us, std::int64_t to_us);
  void add_unseen(Lane& lane, std::int64_t from_us, std::int64_t to_us);
  LanePeriod observe(const GridPeriod& period, const LanePeriodSum& sum, bool is_pair);
  void restore(Checkpoint& checkpoint, std::int64_t now_us);
  void save();

  std::vector<EngineLane> config_;
  std::vector<Lane> lanes_;
  std::vector<Line> lines_;
  PeriodGrid grid_;
  const hal::Clock& clock_;
  TrafficSink& sink_;
  EngineCounts counts_;
  Moment moment_;
  bool is_moment_fresh_ = false;
  std::int64_t due_us_ = INT64_MAX;  // no lane's gate has something to do before
  std::int64_t down_since_us_ = -1;
};

}  // namespace berm::drivers::traffic
