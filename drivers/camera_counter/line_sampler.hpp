// SPDX-License-Identifier: Apache-2.0
// LineSampler: what a picture shows along one counting line and along two lines beside it. Used by
// LaneCounter, one per lane.
//
// The line is watched a little beyond its ends (a vehicle on the edge is seen whole), in at most
// kMaxSamples samples; a sample is the mean of a small box of pixels. `forward` is across the line,
// downwards for a line that lies flat in the picture, to the right for one that stands. Lines
// outside the picture are refused by `make`. Cost: about 9 pixels per sample. Pure; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "hal/base/result.hpp"
#include "hal/frame_source.hpp"

namespace berm::drivers::camera_counter {

struct Point {
  double x = 0.0;
  double y = 0.0;
};

// Brightness on the line, ahead of it (forward) and behind it; chroma on the line.
struct LineRow {
  std::vector<float> on, ahead, behind, u, v;
};

class LineSampler {
 public:
  // Fails `invalid` where the line is shorter than 8 pixels or not within the picture.
  static Result<LineSampler> make(Point from, Point to, int width, int height);

  int samples() const { return samples_; }
  double step() const { return step_; }  // pixels per sample
  // Samples from the first one to the line's own ends.
  double first() const { return first_; }
  double last() const { return last_; }
  bool is_flat() const { return is_flat_; }
  // Precondition: a picture of the size given to `make`.
  void read(const hal::FrameView& frame, LineRow& row) const;

 private:
  LineSampler() = default;
  struct Taps {
    std::vector<std::int32_t> at;  // samples × taps pixels
    int count = 0;
  };
  Taps taps(int width, int height, double offset, int scale) const;

  Point start_, along_, across_;
  double step_ = 1.0, first_ = 0.0, last_ = 0.0;
  int samples_ = 0, half_ = 1;
  bool is_flat_ = true;
  std::array<Taps, 3> luma_;
  Taps chroma_;
};

}  // namespace berm::drivers::camera_counter
