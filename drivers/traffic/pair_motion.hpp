// SPDX-License-Identifier: Apache-2.0
// Speed and length from the four edges that one vehicle makes on a pair of loops. Used by
// VehicleGate, also to decide whether two pulses can be of one vehicle at all.
//
// With D the distance between the leading edges of the loops and ℓ the length of a loop:
//   d_on = t_onB − t_onA   d_off = t_offB − t_offA   d = (d_on + d_off)/2   v = D/d
//   effective length L_e = v·(on_A + on_B)/2         vehicle length = L_e − ℓ
// (least squares of four stamps over three unknowns). d_on − d_off = on_A − on_B is noise where the
// speed is constant: what exceeds twice the lane's own noise is acceleration, and the speed is that
// of the front, from d_on, the more the clearer it is. For the length, where it exceeds 3.5 times
// the noise and v_on = D/d_on and v_off = D/d_off differ by more than a tenth, uniform
// acceleration:
//   a = (v_off − v_on)/((on_A + on_B)/2)   v_0 = v_on − a·(t_onB − t_onA)/2   L_e = v_0·on_A +
//   a·on_A²/2
// (front at A at t_onA, at B at t_onB; rear at A at t_offA, at B at t_offB: three equations, three
// unknowns). Source: FHWA Traffic Detector Handbook, 3rd edition (2006), vol. I, chapter 4;
// kinematics. Pure; any thread. Fails by saying that no vehicle can have made these pulses.
#pragma once

#include <cstdint>
#include <optional>

#include "drivers/traffic/length_classes.hpp"

namespace berm::drivers::traffic {

struct PairGeometry {
  double loop_length_m = 2.0;
  double spacing_m = 4.5;  // leading edge to leading edge
  LengthClasses classes;
};

struct PairTimes {
  std::int64_t a_on_us = 0;
  std::int64_t a_off_us = 0;
  std::int64_t b_on_us = 0;
  std::int64_t b_off_us = 0;
  std::uint32_t resolution_us = 1;  // the coarsest of the four
  double noise_s = 0.0;             // deviation of on_A − on_B at constant speed, as learned
};

struct PairMotion {
  double speed_mps = 0.0;  // 0: the signal is too coarse to say
  double length_m = 0.0;   // may be out of any vehicle's range: the caller judges
  double mismatch = 0.0;   // 0 = the pulses are alike; for choosing among candidates
  bool is_whole = true;    // false: it left the lane on the second loop, or its pulse there broke
  bool is_alike = true;    // the pulses are as alike as those of one steady vehicle
};

// Empty: not one vehicle's pulses.
std::optional<PairMotion> pair_motion(const PairTimes& times, const PairGeometry& geometry);

// How long after its leading edge on the first loop a vehicle with this pulse may reach the second.
std::int64_t longest_crossing_us(std::int64_t on_us, const PairGeometry& geometry);

}  // namespace berm::drivers::traffic
