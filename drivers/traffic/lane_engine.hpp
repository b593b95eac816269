// SPDX-License-Identifier: Apache-2.0
// LaneEngine: the edges of all lanes of one driver become passages and lane periods. The pure part
// of a loop driver: no I/O; time comes with the edges, from the caller and from the Clock it is
// given.
//
// A vehicle belongs to the period of its leading edge on its lane's first loop, whenever the edge
// arrives: a period is closed at the earliest 0.2 s after its end, once no vehicle of it is on the
// loops in any lane, at the latest 5 s after; all lanes together, then one checkpoint. What stands
// there then counts as unclassified. An edge later still counts in the oldest open period, flagged
// `late`. Pulses without a fellow are decided here, where the neighbour lanes are known. What is
// wrong with a loop (LaneHealth) is said by `on_diagnosis`; a pair goes on with its good loop, a
// lane without any is not covered. Promises: no allocation per edge; a lane costs under 4 kB; at
// most kMaxLanes lanes, 2 loops each; any sequence of edges is survived, odd ones are counted and
// flagged. The caller: `begin` once, then `take` for batches, `advance` at `next_wake`, `end`
// before the end. Loop thread. Sink calls come from within these; a sink must not call back.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/observation.hpp"
#include "drivers/traffic/detector_plan.hpp"
#include "drivers/traffic/diagnosis.hpp"
#include "drivers/traffic/lane_health.hpp"
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
  // A fault of a lane or of one of its loops began or ended.
  virtual void on_diagnosis(std::size_t lane, const Diagnosis& diagnosis) = 0;
};

struct EngineRules {
  DetectorPlan plan;
  bool has_daily_tests = true;
  bool has_loops = true;  // false: only whole passages come, and there is no loop to judge
  // Local time − UTC at a time, in seconds; empty: UTC.
  std::function<std::int64_t(std::int64_t utc_s)> local_offset_s;
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
             TrafficSink& sink, EngineRules rules = {});

  // A checkpoint of another version, or garbage, is as none.
  void begin(MonoTime now, std::string_view checkpoint);
  void take(std::span<const hal::Edge> edges, MonoTime now);
  // A passage that is known as a whole (a camera's): it belongs to the period of its leading edge,
  // or to the oldest open one, flagged `late`. A lane gets either edges or passages.
  void take_passage(std::size_t lane, Passage passage, MonoTime now);
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
    explicit Lane(const EngineLane& lane)
        : gate(lane.is_pair, lane.geometry), health(lane.is_pair) {}
    VehicleGate gate;
    LaneHealth health;
    std::uint64_t vehicles = 0;
    std::int64_t blind_since_us = -1;                   // both loops are out of use
    std::int64_t unseen_us = INT64_MIN;                 // blind time is in the sums up to here
    std::array<LanePeriodSum, kMaxOpenPeriods> sums{};  // by slot of the grid
    std::int64_t accounted_us = INT64_MIN;              // occupied time is in the sums up to here
  };
  static_assert(sizeof(Lane) < 4096, "a lane costs less than 4 kB");
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
  Verdict verdict_on(std::size_t lane, const LonePulse& pulse);
  bool is_neighbour(std::size_t lane, std::size_t other) const;
  void tick(std::int64_t now_us);
  void recall(std::size_t lane, std::string_view learned, std::int64_t now_us);
  void follow_health(std::size_t lane, std::int64_t now_us);
  void judge_day(std::size_t lane, const DaySamples& day, std::int64_t now_us);
  void add_blind(Lane& lane, std::int64_t to_us);
  void drain(std::size_t lane);
  bool is_ready_to_close(std::int64_t now_us) const;
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
  const EngineRules rules_;
  PeriodGrid grid_;
  const hal::Clock& clock_;
  TrafficSink& sink_;
  EngineCounts counts_;
  Moment moment_;
  bool is_moment_fresh_ = false;
  std::int64_t next_tick_us_ = INT64_MIN;
  std::int64_t due_us_ = INT64_MAX;  // no lane's gate has something to do before
  std::int64_t down_since_us_ = -1;
};

}  // namespace berm::drivers::traffic
