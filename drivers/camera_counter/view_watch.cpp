// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/view_watch.hpp"

#include <algorithm>
#include <cmath>

namespace berm::drivers::camera_counter {
namespace {

constexpr int kLookEvery = 8;
constexpr std::uint8_t kBlack = 32;  // video black is 16
constexpr double kLike = 0.33;
constexpr float kLearnShare = 0.02f;  // of a look, in the mean of the scene

}  // namespace

std::optional<View> ViewWatch::look(const hal::FrameView& frame, std::int64_t now_us) {
  if (looks_++ % kLookEvery != 0) return std::nullopt;
  if (first_us_ < 0) first_us_ = changed_us_ = lit_us_ = like_us_ = now_us;
  Scene scene{};
  std::uint64_t sum = 14695981039346656037ull;  // FNV-1a
  int black = 0;
  for (int r = 0; r < kHigh; ++r) {
    const std::uint8_t* const row =
        frame.y +
        static_cast<std::ptrdiff_t>(frame.height * (2 * r + 1) / (2 * kHigh)) * frame.width;
    for (int c = 0; c < kWide; ++c) {
      const std::uint8_t value = row[frame.width * (2 * c + 1) / (2 * kWide)];
      scene[static_cast<std::size_t>(r * kWide + c)] = static_cast<float>(value);
      sum = (sum ^ value) * 1099511628211ull;
      black += value < kBlack ? 1 : 0;
    }
  }
  if (sum != last_sum_) changed_us_ = now_us;
  last_sum_ = sum;
  if (10 * black < 9 * kWide * kHigh) lit_us_ = now_us;
  compare(scene, now_us);
  View view = View::good;
  if (now_us - like_us_ > kSceneHoldUs) view = View::moved;
  if (now_us - lit_us_ > kViewHoldUs) view = View::dark;
  if (now_us - changed_us_ > kViewHoldUs) view = View::frozen;
  if (view == told_) return std::nullopt;
  told_ = view;
  return view;
}

// The scene's mean of the first minute is kept, the present mean is compared with it.
void ViewWatch::compare(const Scene& scene, std::int64_t now_us) {
  const bool is_first = recent_ == Scene{};
  for (std::size_t i = 0; i < scene.size(); ++i) {
    recent_[i] = is_first ? scene[i] : recent_[i] + kLearnShare * (scene[i] - recent_[i]);
  }
  if (now_us - first_us_ < kSceneHoldUs) {
    learned_ = recent_;
    like_us_ = now_us;
  } else if (likeness() > kLike) {
    like_us_ = now_us;
  }
}

// Correlation of the edges along rows: light and shade change, edges stay.
double ViewWatch::likeness() const {
  double product = 0.0, a = 0.0, b = 0.0;
  for (std::size_t i = 1; i < learned_.size(); ++i) {
    if (i % kWide == 0) continue;
    const double then = static_cast<double>(learned_[i] - learned_[i - 1]);
    const double now = static_cast<double>(recent_[i] - recent_[i - 1]);
    product += then * now;
    a += then * then;
    b += now * now;
  }
  return product / std::sqrt(a * b + 1e-9);
}

}  // namespace berm::drivers::camera_counter
