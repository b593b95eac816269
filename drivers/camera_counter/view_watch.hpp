// SPDX-License-Identifier: Apache-2.0
// ViewWatch: whether a camera's pictures are worth counting. Used by the worker.
//
//   dark    nine tenths of the picture are nearly black for kViewHoldUs: night without light, a
//           covered lens
//   frozen  the same picture again and again for kViewHoldUs: no sensor is that quiet
//   moved   the edges of the scene no longer lie where they lay: for a minute less than a third of
//           the correlation with the scene as it was learned in the first minute
// Looks at 48 × 27 points of a picture, one picture in eight. Pure; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "drivers/camera_counter/worker_protocol.hpp"
#include "hal/frame_source.hpp"

namespace berm::drivers::camera_counter {

inline constexpr std::int64_t kViewHoldUs = 5'000'000;
inline constexpr std::int64_t kSceneHoldUs = 60'000'000;

class ViewWatch {
 public:
  // What the view is now, where that is new (also `good` again).
  std::optional<View> look(const hal::FrameView& frame, std::int64_t now_us);

 private:
  static constexpr int kWide = 48, kHigh = 27;
  using Scene = std::array<float, static_cast<std::size_t>(kWide) * kHigh>;
  void compare(const Scene& scene, std::int64_t now_us);
  double likeness() const;

  std::int64_t looks_ = 0;
  std::uint64_t last_sum_ = 0;
  std::int64_t changed_us_ = -1, lit_us_ = -1, like_us_ = -1, first_us_ = -1;
  Scene learned_{}, recent_{};
  View told_ = View::good;
};

}  // namespace berm::drivers::camera_counter
