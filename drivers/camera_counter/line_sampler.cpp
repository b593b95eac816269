// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/line_sampler.hpp"

#include <algorithm>
#include <cmath>

#include "drivers/camera_counter/limits.hpp"

namespace berm::drivers::camera_counter {
namespace {

constexpr double kMinLinePixels = 8.0;

// How far one can go from `at` in direction `by` before leaving 0…limit.
double room(double at, double by, double limit) {
  if (by > 1e-9) return (limit - at) / by;
  if (by < -1e-9) return -at / by;
  return 1e9;
}

void average(const std::uint8_t* plane, const std::vector<std::int32_t>& at, int count,
             std::vector<float>& out) {
  const float share = 1.0f / static_cast<float>(count);
  std::size_t tap = 0;
  for (float& value : out) {
    int sum = 0;
    for (int i = 0; i < count; ++i, ++tap) sum += plane[at[tap]];
    value = static_cast<float>(sum) * share;
  }
}

}  // namespace

Result<LineSampler> LineSampler::make(Point from, Point to, int width, int height) {
  const double length = std::hypot(to.x - from.x, to.y - from.y);
  if (!(length >= kMinLinePixels)) {
    return fail(ErrorCode::invalid, "a line is shorter than 8 pixels");
  }
  const auto is_inside = [&](Point p) {
    return p.x >= 0.0 && p.y >= 0.0 && p.x <= width && p.y <= height;
  };
  if (!is_inside(from) || !is_inside(to)) {
    return fail(ErrorCode::invalid, "a line is outside the picture of " + std::to_string(width) +
                                        "×" + std::to_string(height));
  }
  LineSampler made;
  made.is_flat_ = std::abs(to.x - from.x) >= std::abs(to.y - from.y);
  const bool is_turned = made.is_flat_ ? to.x < from.x : to.y > from.y;
  if (is_turned) std::swap(from, to);
  made.along_ = {(to.x - from.x) / length, (to.y - from.y) / length};
  made.across_ = {-made.along_.y, made.along_.x};
  const double w = width - 1.0;
  const double h = height - 1.0;
  const double margin = kMargin * length;
  const auto ahead = [&](Point p, double sign) {
    return std::max(0.0, std::min({margin, room(p.x, sign * made.along_.x, w),
                                   room(p.y, sign * made.along_.y, h)}));
  };
  const double before = ahead(from, -1.0);
  const double total = before + length + ahead(to, 1.0);
  made.step_ = std::max(1.0, std::round(total / kMaxSamples));
  made.half_ = std::max(1, static_cast<int>(made.step_ / 2.0));
  made.samples_ = std::max(8, static_cast<int>(total / made.step_));
  made.start_ = {from.x - before * made.along_.x, from.y - before * made.along_.y};
  made.first_ = before / made.step_;
  made.last_ = (before + length) / made.step_;
  const double offset = kOffset * made.step_;
  made.luma_ = {made.taps(width, height, 0.0, 1), made.taps(width, height, offset, 1),
                made.taps(width, height, -offset, 1)};
  made.chroma_ = made.taps((width + 1) / 2, (height + 1) / 2, 0.0, 2);
  return made;
}

LineSampler::Taps LineSampler::taps(int width, int height, double offset, int scale) const {
  Taps made;
  const int wide = static_cast<int>(step_);
  made.count = wide * (2 * half_ + 1);
  for (int i = 0; i < samples_; ++i) {
    for (int k = 0; k < made.count; ++k) {
      const double along = i * step_ + k % wide;
      // A box of chroma is as many chroma pixels deep: its noise is the larger one.
      const double across = offset + (k / wide - half_) * scale;
      const double x = (start_.x + along * along_.x + across * across_.x) / scale;
      const double y = (start_.y + along * along_.y + across * across_.y) / scale;
      const int px = std::clamp(static_cast<int>(x), 0, width - 1);
      const int py = std::clamp(static_cast<int>(y), 0, height - 1);
      made.at.push_back(py * width + px);
    }
  }
  return made;
}

void LineSampler::read(const hal::FrameView& frame, LineRow& row) const {
  const auto size = static_cast<std::size_t>(samples_);
  for (std::vector<float>* part : {&row.on, &row.ahead, &row.behind, &row.u, &row.v}) {
    part->resize(size);
  }
  average(frame.y, luma_[0].at, luma_[0].count, row.on);
  average(frame.y, luma_[1].at, luma_[1].count, row.ahead);
  average(frame.y, luma_[2].at, luma_[2].count, row.behind);
  average(frame.u, chroma_.at, chroma_.count, row.u);
  average(frame.v, chroma_.at, chroma_.count, row.v);
}

}  // namespace berm::drivers::camera_counter
