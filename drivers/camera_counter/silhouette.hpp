// SPDX-License-Identifier: Apache-2.0
// Silhouette: a blob as it would look in one picture, made upright: time becomes length by the
// blob's own speed, and what drifts along the line as it comes nearer is set straight by the motion
// field of the line. So widths and lengths are samples, whatever the speed. `split_at_necks` cuts
// it where two vehicles only touch: its parts grow from the peaks of the distance to the outline,
// and two of them stay apart where the neck between is narrower than a share of the smaller one.
// Pure; one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "drivers/camera_counter/blob.hpp"

namespace berm::drivers::camera_counter {

// How vehicles move along the line per sample forward: a straight line over it, as perspective
// makes it. Learned from the blobs that moved clearly.
class MotionField {
 public:
  void add(double column, double slant);
  void fit();
  double slope() const { return slope_; }
  double base() const { return base_; }

 private:
  std::vector<double> columns_, slants_;
  std::size_t next_ = 0;
  double slope_ = 0.0, base_ = 0.0;
};

struct Silhouette {
  int rows = 0, columns = 0;
  double speed = 1.0;  // samples per picture
  int sign = 1;
  double first_row = 0.0;           // of the history, where row 0 is
  double tilt_row = 0.0;            // where columns are as they were on the line
  double left = 0.0;                // of column 0
  double drift = 0.0;               // samples along the line per picture, in the middle
  std::vector<std::uint8_t> cells;  // of the blob
  std::vector<std::uint8_t> seen;   // of these, those that are evidence themselves
  std::vector<float> ratio;         // to the road
};

Silhouette make_silhouette(const LineEvidence& evidence, const Blob& blob, double speed, int sign,
                           const MotionField& field);

// The width most rows have: their 70th percentile.
double usual_width(const std::vector<int>& widths);
std::vector<int> row_widths(const Silhouette& shape, const std::vector<int>& labels, int label);

// A label per cell, −1 outside. `min_peak`: half the width of the smallest part.
std::vector<int> split_at_necks(const Silhouette& shape, double min_peak);

}  // namespace berm::drivers::camera_counter
