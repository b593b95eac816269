// SPDX-License-Identifier: Apache-2.0
// LaneCounter: pictures of one counting line become passages. The pure part of the camera counter;
// used by the worker, one per lane.
//
// A lane here is what one line watches: it may be several traffic lanes wide, vehicles beside each
// other are told apart. A vehicle counts when the whole of it has crossed: one that is on the line
// at the first or last picture does not. First it learns the road (kLearnFilmS, kLearnLiveS) and
// then counts what it saw while it learned. Promises: any sequence of pictures of one size is
// survived; a passage is told at most kMaxBlobRows pictures and 1 s after it ended; no more than
// 5 MB a lane; one pass over the pictures. Fails at `make`: a line outside the picture. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "drivers/camera_counter/background.hpp"
#include "drivers/camera_counter/line_evidence.hpp"
#include "drivers/camera_counter/line_sampler.hpp"
#include "drivers/camera_counter/vehicle_parts.hpp"

namespace berm::drivers::camera_counter {

enum class Direction : std::uint8_t { up, down, left, right, both };

struct LinePassage {
  double frame = 0.0;             // the middle of the vehicle is on the line
  double begin = 0.0, end = 0.0;  // frames of its edges
  Direction direction = Direction::down;
  double pixels_per_frame = 0.0;
  double length_pixels = 0.0;  // in the picture, along its way
  double width_pixels = 0.0;
  double size = 0.0;        // area, in that of the usual vehicle
  double confidence = 0.0;  // 0…1
};

struct LineSetup {
  Point from, to;
  Direction direction = Direction::both;
};

class LaneCounter {
 public:
  static Result<LaneCounter> make(const LineSetup& setup, int width, int height, double rate,
                                  double learn_s);
  LaneCounter(LaneCounter&&) noexcept;
  ~LaneCounter();

  void add(const hal::FrameView& frame);
  // Nothing comes after.
  void finish();
  // Passages since the last call, in the order of their ends.
  std::vector<LinePassage> take();
  // Everything that ended before this frame has been told.
  std::int64_t told_until() const;

 private:
  struct State;
  explicit LaneCounter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace berm::drivers::camera_counter
