// SPDX-License-Identifier: Apache-2.0
// How well counted passages agree with a film's truth: a passage is right if it can be given to a
// true crossing within a tolerance, each to one (greatest matching). Used by `berm-camera score`
// and by tests, with the AI City challenge's S1. Pure; any thread.
#pragma once

#include <span>
#include <vector>

namespace berm::drivers::camera_counter {

struct Agreement {
  int right = 0;
  int counted = 0;
  int truth = 0;

  double precision() const { return counted == 0 ? 1.0 : static_cast<double>(right) / counted; }
  double recall() const { return truth == 0 ? 1.0 : static_cast<double>(right) / truth; }
  double f1() const { return counted + truth == 0 ? 1.0 : 2.0 * right / (counted + truth); }
  Agreement& operator+=(const Agreement& other);
};

// Both in frames, in any order.
Agreement agree(std::span<const double> counted, std::span<const double> truth, double tolerance);

// AI City 2020/2021 track 1, effectiveness of one movement: 1 − weighted RMSE of the running counts
// of ten segments (weights grow linearly) over the true count; not below 0.
double effectiveness(std::span<const double> counted, std::span<const double> truth, double frames);
// Efficiency: 1 − time taken / (5 · length of the film); not below 0.
double efficiency(double taken_s, double film_s);

}  // namespace berm::drivers::camera_counter
