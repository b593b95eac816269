// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/background.hpp"

#include <algorithm>
#include <cmath>

#include "drivers/camera_counter/limits.hpp"

namespace berm::drivers::camera_counter {
namespace {

float quantile(std::span<float> values, double share) {
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

// The derivative along a line of a Gaussian of 0.8 samples, at distances 1…3.
constexpr float kEdge[] = {0.3568f, 0.0684f, 0.0020f};

float edge(std::span<const float> row, std::size_t i) {
  const std::size_t last = row.size() - 1;
  float sum = 0.0f;
  for (std::size_t k = 1; k <= 3; ++k) {
    sum += kEdge[k - 1] * (row[std::min(i + k, last)] - row[i >= k ? i - k : 0]);
  }
  return sum;
}

}  // namespace

float half_sample_mode(std::span<float> values) {
  std::sort(values.begin(), values.end());
  while (values.size() > 3) {
    const std::size_t half = (values.size() + 1) / 2;
    std::size_t best = 0;
    float width = values.back() - values.front() + 1.0f;
    for (std::size_t i = 0; i + half <= values.size(); ++i) {
      if (values[i + half - 1] - values[i] >= width) continue;
      width = values[i + half - 1] - values[i];
      best = i;
    }
    values = values.subspan(best, half);
  }
  return values[values.size() / 2];
}

float median_of(std::span<const float> values, std::vector<float>& scratch) {
  scratch.assign(values.begin(), values.end());
  const auto middle = scratch.begin() + static_cast<std::ptrdiff_t>(scratch.size() / 2);
  std::nth_element(scratch.begin(), middle, scratch.end());
  return *middle;
}

void smooth_row(std::span<const float> row, float side, float far, std::span<float> out) {
  const std::size_t last = row.size() - 1;
  const float middle = 1.0f - 2.0f * (side + far);
  for (std::size_t i = 0; i <= last; ++i) {
    const float near = row[i > 0 ? i - 1 : 0] + row[std::min(i + 1, last)];
    const float away = row[i > 1 ? i - 2 : 0] + row[std::min(i + 2, last)];
    out[i] = middle * row[i] + side * near + far * away;
  }
}

void log_row(std::span<const float> row, std::span<float> out) {
  for (std::size_t i = 0; i < row.size(); ++i) out[i] = std::log(row[i] + kLogOffset);
}

void texture_row(std::span<const float> row, std::span<const float> ratio, const Background& road,
                 std::vector<float>& out) {
  thread_local std::vector<float> difference;
  difference.resize(row.size());
  out.resize(row.size());
  for (std::size_t i = 0; i < row.size(); ++i) difference[i] = row[i] - road.road[i];
  for (std::size_t i = 0; i < row.size(); ++i) {
    const float level = 0.5f * (row[i] + road.road[i]) + kLogOffset;
    out[i] = std::min(std::abs(edge(ratio, i)), std::abs(edge(difference, i)) / level);
  }
}

void Reservoir::add(std::span<const float> row, std::span<const float> step) {
  if (rows_ < kReservoir) {
    ++rows_;
    brightness_.resize(rows_ * samples_);
    steps_.resize(rows_ * samples_);
  }
  std::copy(row.begin(), row.end(),
            brightness_.begin() + static_cast<std::ptrdiff_t>(next_ * samples_));
  std::copy(step.begin(), step.end(),
            steps_.begin() + static_cast<std::ptrdiff_t>(next_ * samples_));
  next_ = (next_ + 1) % kReservoir;
}

void Reservoir::make(Background& made) const {
  made.road.resize(samples_);
  made.log_road.resize(samples_);
  made.min_step.resize(samples_);
  std::vector<float> column(rows_);
  for (std::size_t i = 0; i < samples_; ++i) {
    for (std::size_t k = 0; k < rows_; ++k) column[k] = brightness_[k * samples_ + i];
    made.road[i] = half_sample_mode(column);
    for (std::size_t k = 0; k < rows_; ++k) column[k] = steps_[k * samples_ + i];
    made.min_step[i] = std::clamp(kNoiseFactor * quantile(column, 0.10), kMinStep, kMaxStep);
  }
  log_row(made.road, made.log_road);
  textures(made);
}

void Reservoir::textures(Background& made) const {
  std::vector<float> logs(samples_), ratio(samples_), scratch, texture;
  std::vector<float> all(rows_ * samples_);
  for (std::size_t k = 0; k < rows_; ++k) {
    const std::span<const float> row(brightness_.data() + k * samples_, samples_);
    log_row(row, logs);
    for (std::size_t i = 0; i < samples_; ++i) ratio[i] = logs[i] - made.log_road[i];
    texture_row(row, ratio, made, texture);
    for (std::size_t i = 0; i < samples_; ++i) all[i * rows_ + k] = texture[i];
  }
  made.min_texture.resize(samples_);
  for (std::size_t i = 0; i < samples_; ++i) {
    const float low = quantile(std::span(all).subspan(i * rows_, rows_), 0.25);
    made.min_texture[i] = std::max(kMinTexture, kTextureNoiseFactor * low);
  }
}

}  // namespace berm::drivers::camera_counter
