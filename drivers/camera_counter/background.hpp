// SPDX-License-Identifier: Apache-2.0
// Background: what a line looks like without vehicles, how much it flickers, and whether brightness
// alone may be believed there (by day) or is mostly light thrown on the road (by night). Made from
// a reservoir of at most kReservoir rows by the half-sample mode per sample, so that a lane which
// is covered most of the time still gives the road, as long as the road is its most usual value.
// Source of the mode: Bickel & Frühwirth 2006, "On a fast, robust estimator of the mode". Pure;
// about 0.3 ms per call for a full reservoir.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace berm::drivers::camera_counter {

struct Background {
  std::vector<float> road;         // brightness
  std::vector<float> log_road;     // its logarithm, as `log_row` makes it
  std::vector<float> min_step;     // a change in time below this is noise
  std::vector<float> min_texture;  // an edge along the line below this is noise
  bool is_brightness_trusted = true;
};

// The rows a Background is made from; the oldest go first.
class Reservoir {
 public:
  explicit Reservoir(int samples) : samples_(static_cast<std::size_t>(samples)) {}
  // `row`: smoothed brightness; `step`: how much each sample changed.
  void add(std::span<const float> row, std::span<const float> step);
  std::size_t rows() const { return rows_; }
  // Precondition: rows() > 0. Keeps `is_brightness_trusted` of `made`.
  void make(Background& made) const;

 private:
  void textures(Background& made) const;
  std::size_t samples_;
  std::size_t rows_ = 0, next_ = 0;
  std::vector<float> brightness_, steps_;  // rows × samples
};

float half_sample_mode(std::span<float> values);  // sorts them
float median_of(std::span<const float> values, std::vector<float>& scratch);
// Edges along the line that neither light on the road nor a shadow can make: the smaller of those
// of the ratio and of the difference to the road.
void texture_row(std::span<const float> row, std::span<const float> ratio, const Background& road,
                 std::vector<float>& out);
// Smoothing along a line by a Gaussian of 0.6 (brightness) or 0.8 samples (chroma).
void smooth_row(std::span<const float> row, float side, float far, std::span<float> out);
void log_row(std::span<const float> row, std::span<float> out);

}  // namespace berm::drivers::camera_counter
