// SPDX-License-Identifier: Apache-2.0
// SpeedEstimate: speed and length of vehicles that only one loop has seen. Used by VehicleGate for
// lanes of one loop, and for a pair one of whose loops is out of use.
//
// A pulse of τ seconds is v·τ metres of effective length (vehicle and loop). Neither is known, but
// the lane's speed changes slowly and its effective lengths are always the same mix:
//   - `learn` keeps that mix as a histogram over log length, from the pair while it works, or,
//   where
//     the lane's free speed is known, from free-flowing traffic; before that, a common mix;
//   - `take` holds a distribution over the lane's speed (log grid, 2…60 m/s), lets it spread a
//     little with each vehicle and with time, and weighs it by how likely the mix makes τ. The
//     vehicle's speed is the mean of its own posterior: near the lane's, where τ is as usual;
//     slower or longer, whichever is likelier, where it is not.
// So one lorry is not a queue, and a queue is not a row of lorries. Typical error of a minute's
// mean: bench/loops. Sources: Coifman 2001 and Coifman, Dhoorjaty & Lee 2003 (learned effective
// length, medians), Coifman & Neelisetty 2014 (sequence of vehicles); the filter is a discrete
// Bayes filter. Pure; deterministic on every processor (no libm); no allocation; 400 bytes; O(grid
// × kernel) per vehicle.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "drivers/traffic/bytes.hpp"

namespace berm::drivers::traffic {

class SpeedEstimate {
 public:
  static constexpr std::size_t kLengths = 40;  // bins of effective length, from 2.0 m, × 1.07
  static constexpr std::size_t kSpeeds = 51;   // bins of speed, from 2 m/s, × 1.07

  explicit SpeedEstimate(double loop_length_m = 2.0);

  // A vehicle whose effective length is known, and how fast it was.
  void learn(double effective_m, double speed_mps);
  struct Guess {
    double speed_mps = 0.0;
    double effective_m = 0.0;
  };
  // The next vehicle: on for `on_s`, `since_s` after the one before.
  Guess take(double on_s, double since_s);
  // Of the lane, as of the last vehicle; 0 before the first.
  double lane_mps() const { return lane_mps_; }
  // Learned so far, in vehicles (forgotten slowly).
  double weight() const { return weight_; }

  void encode(ByteWriter& writer) const;
  bool decode(ByteReader& reader);

 private:
  void spread(double since_s);
  void start_at(double speed_mps);
  float likelihood(double position) const;

  std::array<float, kLengths> mix_{};  // relative
  std::array<float, kSpeeds> lane_{};  // probability of the lane's speed
  double lane_mps_ = 0.0;
  float weight_ = 0.0F;
  bool is_started_ = false;
};

}  // namespace berm::drivers::traffic
