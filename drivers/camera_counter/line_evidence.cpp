// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/line_evidence.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace berm::drivers::camera_counter {
namespace {

constexpr int kFilterRows = 32;  // what the filters look back on
constexpr std::size_t kFastReach = 3;
constexpr std::size_t kSlowReach = 6;
constexpr int kNearRows = 2;  // edges count for samples this near
constexpr int kNearCells = 2;

// Weights of f(t+k) − f(t−k) that give the height of a step, whatever the filter's width.
template <std::size_t kReach>
std::array<float, kReach> step_filter(double sigma) {
  std::array<float, kReach> weights{};
  double sum = 1.0;
  const auto bell = [sigma](std::size_t k) {
    const double x = static_cast<double>(k) / sigma;
    return std::exp(-0.5 * x * x);
  };
  for (std::size_t k = 1; k <= kReach; ++k) sum += 2.0 * bell(k);
  for (std::size_t k = 1; k <= kReach; ++k) {
    const double slope = static_cast<double>(k) / sigma * bell(k) / sum;
    weights[k - 1] = static_cast<float>(slope * std::sqrt(2.0 * M_PI));
  }
  return weights;
}

float greatest_near(std::span<const float> row, int at, int reach) {
  const int from = std::max(0, at - reach);
  const int to = std::min(static_cast<int>(row.size()) - 1, at + reach);
  return *std::max_element(row.begin() + from, row.begin() + to + 1);
}

}  // namespace

LineEvidence::LineEvidence(int samples)
    : samples_(samples),
      smooth_(samples, kFilterRows),
      chroma_u_(samples, kFilterRows),
      chroma_v_(samples, kFilterRows),
      logs_(3, RowRing<float>(samples, kFilterRows)),
      steps_(3, RowRing<float>(samples, kHistoryRows)),
      strength_(samples, kFilterRows),
      ratio_(samples, kHistoryRows),
      texture_(samples, kFilterRows),
      mask_(samples, kHistoryRows),
      dilated_(samples, kFilterRows),
      closed_(samples, kHistoryRows),
      change_(static_cast<std::size_t>(samples)) {}

void LineEvidence::add(const LineRow& row) {
  const auto size = static_cast<std::size_t>(samples_);
  part_.resize(size);
  const std::span<float> smooth = smooth_.append();
  smooth_row(row.on, 0.1655f, 0.0026f, smooth);
  log_row(smooth, logs_[0].append());
  smooth_row(row.ahead, 0.1655f, 0.0026f, part_);
  log_row(part_, logs_[1].append());
  smooth_row(row.behind, 0.1655f, 0.0026f, part_);
  log_row(part_, logs_[2].append());
  const std::pair<const std::vector<float>*, RowRing<float>*> chroma[] = {{&row.u, &chroma_u_},
                                                                          {&row.v, &chroma_v_}};
  for (const auto& [from, to] : chroma) {
    smooth_row(*from, 0.2275f, 0.0220f, part_);
    const std::span<float> out = to->append();
    for (std::size_t i = 0; i < size; ++i) out[i] = part_[i] * kChromaScale;
  }
  run(1);
}

void LineEvidence::finish() {
  run(0);
}

void LineEvidence::run(std::int64_t lag) {
  while (strength_.end() + lag * static_cast<std::int64_t>(kSlowReach) < smooth_.end())
    find_changes(strength_.end());
  if (background_.road.empty()) return;
  while (mask_.end() + lag * kNearRows < strength_.end()) find_mask(mask_.end());
  while (dilated_.end() + lag < mask_.end()) dilate(dilated_.end());
  while (closed_.end() + lag < dilated_.end()) close(closed_.end());
}

void LineEvidence::change_of(const RowRing<float>& ring, std::int64_t row, bool is_slow,
                             std::vector<float>& out) {
  static const auto kFast = step_filter<kFastReach>(0.8);
  static const auto kSlow = step_filter<kSlowReach>(1.6);
  const std::span<const float> weights = is_slow ? std::span<const float>(kSlow) : kFast;
  out.assign(static_cast<std::size_t>(samples_), 0.0f);
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const auto away = static_cast<std::int64_t>(k) + 1;
    const std::span<const float> after = ring.row(row + away);
    const std::span<const float> before = ring.row(row - away);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += weights[k] * (after[i] - before[i]);
  }
  const float common = median_of(out, scratch_);
  for (float& value : out) value -= common;
}

void LineEvidence::find_changes(std::int64_t row) {
  std::fill(change_.begin(), change_.end(), 0.0f);
  const auto strengthen = [this](float weight) {
    for (std::size_t i = 0; i < part_.size(); ++i) {
      change_[i] = std::max(change_[i], weight * std::abs(part_[i]));
    }
  };
  for (std::size_t line = 0; line < 3; ++line) {
    change_of(logs_[line], row, false, part_);
    std::copy(part_.begin(), part_.end(), steps_[line].append().begin());
    if (line == 0) strengthen(1.0f);
  }
  change_of(logs_[0], row, true, part_);
  strengthen(kSlowWeight);
  for (const RowRing<float>* chroma : {&chroma_u_, &chroma_v_}) {
    change_of(*chroma, row, false, part_);
    strengthen(1.0f);
    change_of(*chroma, row, true, part_);
    strengthen(kSlowWeight);
  }
  const std::span<float> strength = strength_.append();
  const std::span<float> ratio = ratio_.append();
  const std::span<float> texture = texture_.append();
  if (background_.road.empty()) return;
  const std::span<const float> log_now = logs_[0].row(row);
  for (std::size_t i = 0; i < ratio.size(); ++i) {
    strength[i] = change_[i] / background_.min_step[i];
    ratio[i] = log_now[i] - background_.log_road[i];
  }
  const float exposure = median_of(ratio, scratch_);
  for (float& value : ratio) value -= exposure;
  texture_row(smooth_.row(row), ratio, background_, part_);
  for (std::size_t i = 0; i < texture.size(); ++i) {
    texture[i] = part_[i] / background_.min_texture[i];
  }
}

void LineEvidence::find_mask(std::int64_t row) {
  const auto size = static_cast<std::size_t>(samples_);
  near_.assign(size, 0.0f);  // the strongest change of the rows around
  part_.assign(size, 0.0f);  // the strongest texture of the rows around
  for (std::int64_t away = -kNearRows; away <= kNearRows; ++away) {
    const std::span<const float> strength = strength_.row(row + away);
    for (std::size_t i = 0; i < size; ++i) near_[i] = std::max(near_[i], strength[i]);
    if (away < -1 || away > 1) continue;
    const std::span<const float> texture = texture_.row(row + away);
    for (std::size_t i = 0; i < size; ++i) part_[i] = std::max(part_[i], texture[i]);
  }
  const std::span<const float> strength = strength_.row(row);
  const std::span<const float> ratio = ratio_.row(row);
  const std::span<const float> texture = texture_.row(row);
  const std::span<std::uint8_t> mask = mask_.append();
  const bool is_day = background_.is_brightness_trusted;
  for (int at = 0; at < samples_; ++at) {
    const auto i = static_cast<std::size_t>(at);
    const bool is_changing = greatest_near(near_, at, kNearCells) > 1.0f;
    if (ratio[i] > kGlareRatio) {
      glare_.bright += 1.0;
      glare_.smooth += is_changing ? 0.0 : 1.0;
    }
    bool is_there = strength[i] > 1.0f;
    if (is_day) {
      is_there = is_there && (std::abs(ratio[i]) > kRoadRatio || texture[i] > 1.0f);
      is_there = is_there || ratio[i] > kBrightRatio || ratio[i] < kBlackRatio;
      is_there = is_there || (ratio[i] < kDarkRatio &&
                              (is_changing || greatest_near(part_, at, kNearCells) > 1.0f));
    }
    mask[i] = is_there ? 1 : 0;
  }
  glare_.all += samples_;
}

void LineEvidence::dilate(std::int64_t row) {
  const std::span<std::uint8_t> out = dilated_.append();
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  for (std::int64_t r = std::max<std::int64_t>(0, row - 1); r <= row + 1 && r < mask_.end(); ++r) {
    const std::span<const std::uint8_t> in = mask_.row(r);
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (in[i] == 0) continue;
      out[i] = 1;
      if (i > 0) out[i - 1] = 1;
      if (i + 1 < out.size()) out[i + 1] = 1;
    }
  }
}

void LineEvidence::close(std::int64_t row) {
  const std::span<std::uint8_t> out = closed_.append();
  const std::span<const std::uint8_t> above = dilated_.row(row - 1);
  const std::span<const std::uint8_t> here = dilated_.row(row);
  const std::span<const std::uint8_t> below = dilated_.row(row + 1);
  const std::size_t last = out.size() - 1;
  for (std::size_t i = 0; i <= last; ++i) {
    const std::size_t left = i > 0 ? i - 1 : 0;
    const std::size_t right = std::min(i + 1, last);
    const int full = above[left] & above[i] & above[right] & here[left] & here[i] & here[right] &
                     below[left] & below[i] & below[right];
    out[i] = static_cast<std::uint8_t>(full);
  }
}

}  // namespace berm::drivers::camera_counter
