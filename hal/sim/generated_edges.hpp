// SPDX-License-Identifier: Apache-2.0
// GeneratedEdgeInputs: traffic made from a seed, for boards/sim without a recording and for long
// tests. Every lane is a stream of vehicles that obey physics: each drives at its own constant
// speed over the lane's leading loop and, where there is one, its trailing loop, so the four edges
// of a passage give back its speed and length; no two vehicles are on one loop at once. Lengths
// follow the mix of classes counted in Flanders (0.02 % motorcycles, 69.5 % cars, 14.1 % vans, 5.0
// % lorries, 11.4 % articulated); cars drive 105 ± 10 km/h, lorries 87 ± 4; headways are shifted
// exponential with the asked flow as their mean (up to about 2,000 vehicles an hour and lane;
// beyond it the lane is full). The same seed, lanes and start give the same edges, whatever the
// loop and whichever driver asks first: each lane has its own random stream, by its leading loop's
// name. `on_vehicle` tells a test the truth. Edges are exact to the microsecond and handed over in
// steps of `step`. Loop thread only. Source of the mix: one minute of the Flemish public
// measurement points (53,218 vehicles, 2017).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hal/edge_input.hpp"
#include "hal/loop.hpp"
#include "hal/sim/edge_port.hpp"
#include "hal/sim/random.hpp"

namespace berm::hal {

struct GeneratedLane {
  std::string leading;
  std::string trailing;    // empty: a single loop
  double spacing_m = 4.5;  // leading edge to leading edge
  double loop_length_m = 2.0;
  bool operator==(const GeneratedLane&) const = default;
};

struct GeneratedVehicle {
  std::size_t lane = 0;  // index into the lanes
  MonoTime time;         // its front reaches the leading loop
  double speed_kmh = 0;
  double length_m = 0;
};

struct GeneratedEdgeOptions {
  std::vector<GeneratedLane> lanes;
  double flow_veh_h = 900;  // per lane; 0: no traffic
  std::uint64_t seed = 1;
  Microseconds step{20'000};
  std::function<void(const GeneratedVehicle&)> on_vehicle;
};

class GeneratedEdgeInputs final : public EdgeInputs {
 public:
  GeneratedEdgeInputs(Loop& loop, GeneratedEdgeOptions options);
  // Error not_found: the signal is no loop of a lane.
  Result<std::unique_ptr<EdgeInput>> open(const std::vector<std::string>& signals) override;
  std::uint64_t vehicles() const { return vehicles_; }

 private:
  struct Vehicle {
    double length_m;
    double speed_m_s;
  };
  struct Lane {
    SimRandom random;
    EdgeWire* leading;
    EdgeWire* trailing;  // nullptr: none
    MonoTime next;       // the next vehicle reaches the leading loop
    Vehicle vehicle;
  };
  struct Due {
    MonoTime time;
    std::uint64_t order;  // of making, for equal times
    EdgeWire* wire;
    bool on;
  };
  static bool is_later(const Due& a, const Due& b) {
    return a.time != b.time ? a.time > b.time : a.order > b.order;
  }
  static Vehicle draw(SimRandom& random);
  void begin();
  void play();
  void pass(std::size_t index);
  double headway_s(Lane& lane, const GeneratedLane& geometry, const Vehicle& next) const;
  void add(MonoTime time, EdgeWire* wire, bool on);

  Loop& loop_;
  GeneratedEdgeOptions options_;
  EdgePorts ports_;
  Timer turn_;
  std::vector<Lane> lanes_;
  std::vector<Due> due_;  // a heap, the earliest first
  MonoTime origin_{};
  std::uint64_t made_ = 0;
  std::uint64_t vehicles_ = 0;
  bool has_begun_ = false;
};

}  // namespace berm::hal
