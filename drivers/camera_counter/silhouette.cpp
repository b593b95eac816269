// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/silhouette.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace berm::drivers::camera_counter {
namespace {

constexpr std::size_t kKeptSlants = 200;
constexpr int kMaxSilhouetteRows = 1024;
constexpr int kChamfer = 3;  // a step to the side; 4 to a corner (Borgefors 1986)

}  // namespace

void MotionField::add(double column, double slant) {
  if (columns_.size() < kKeptSlants) {
    columns_.push_back(column);
    slants_.push_back(slant);
    return;
  }
  columns_[next_] = column;
  slants_[next_] = slant;
  next_ = (next_ + 1) % kKeptSlants;
}

// Least absolute deviations, by weights that are made anew eight times.
void MotionField::fit() {
  const std::size_t count = columns_.size();
  if (count == 0) return;
  std::vector<double> weights(count, 1.0);
  for (int round = 0; round < 8; ++round) {
    double w = 0.0, x = 0.0, y = 0.0, xx = 0.0, xy = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
      w += weights[i];
      x += weights[i] * columns_[i];
      y += weights[i] * slants_[i];
      xx += weights[i] * columns_[i] * columns_[i];
      xy += weights[i] * columns_[i] * slants_[i];
    }
    const double spread = xx / w - (x / w) * (x / w);
    slope_ = count < 2 || spread < 1.0 ? 0.0 : (xy / w - x / w * y / w) / spread;
    base_ = y / w - slope_ * x / w;
    for (std::size_t i = 0; i < count; ++i) {
      weights[i] = 1.0 / std::max(0.1, std::abs(slope_ * columns_[i] + base_ - slants_[i]));
    }
  }
}

Silhouette make_silhouette(const LineEvidence& evidence, const Blob& blob, double speed, int sign,
                           const MotionField& field) {
  Silhouette shape;
  shape.speed = speed;
  shape.sign = sign;
  shape.first_row = static_cast<double>(blob.row);
  shape.tilt_row = blob.middle_row();
  shape.drift = sign * speed * (field.slope() * blob.middle_column() + field.base());
  shape.rows = std::clamp(static_cast<int>(std::ceil(blob.rows * speed)), 1, kMaxSilhouetteRows);
  const auto forward = [&](int r) {
    return sign * speed * (static_cast<double>(blob.row + r) - shape.tilt_row);
  };
  double left = 1e9;
  double right = -1e9;
  for (int r = 0; r < blob.rows; ++r) {
    for (int c = 0; c < blob.columns; ++c) {
      if (!blob.has(r, c)) continue;
      const double x = blob.column + c;
      const double upright = x - (field.slope() * x + field.base()) * forward(r);
      left = std::min(left, upright);
      right = std::max(right, upright);
    }
  }
  shape.left = std::floor(left);
  shape.columns =
      std::clamp(static_cast<int>(std::ceil(right - shape.left)) + 1, 1, 4 * kMaxSamples);
  const auto size = static_cast<std::size_t>(shape.rows) * static_cast<std::size_t>(shape.columns);
  shape.cells.assign(size, 0);
  shape.seen.assign(size, 0);
  shape.ratio.assign(size, 0.0f);
  for (int row = 0; row < shape.rows; ++row) {
    const int r = std::clamp(static_cast<int>((row + 0.5) / speed), 0, blob.rows - 1);
    const std::span<const std::uint8_t> seen = evidence.seen(blob.row + r);
    const std::span<const float> ratio = evidence.ratio(blob.row + r);
    const double k = forward(r);
    for (int column = 0; column < shape.columns; ++column) {
      const double x =
          (column + shape.left + field.base() * k) / std::max(0.2, 1.0 - field.slope() * k);
      const int c = static_cast<int>(std::lround(x)) - blob.column;
      if (c < 0 || c >= blob.columns || !blob.has(r, c)) continue;
      const auto at = static_cast<std::size_t>(row * shape.columns + column);
      const auto sample = static_cast<std::size_t>(blob.column + c);
      shape.cells[at] = 1;
      shape.seen[at] = seen[sample];
      shape.ratio[at] = ratio[sample];
    }
  }
  return shape;
}

double usual_width(const std::vector<int>& widths) {
  std::vector<int> some;
  for (const int width : widths) {
    if (width > 0) some.push_back(width);
  }
  if (some.empty()) return 0.0;
  const auto at = static_cast<std::ptrdiff_t>(0.7 * static_cast<double>(some.size() - 1) + 0.5);
  std::nth_element(some.begin(), some.begin() + at, some.end());
  return some[static_cast<std::size_t>(at)];
}

std::vector<int> row_widths(const Silhouette& shape, const std::vector<int>& labels, int label) {
  std::vector<int> widths(static_cast<std::size_t>(shape.rows), 0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == label) ++widths[i / static_cast<std::size_t>(shape.columns)];
  }
  return widths;
}

namespace {

// Distance to the outline in thirds of a sample.
std::vector<int> distances(const Silhouette& shape) {
  const int columns = shape.columns;
  std::vector<int> out(shape.cells.size(), 0);
  const auto at = [&](int r, int c) {
    const bool is_inside = r >= 0 && c >= 0 && r < shape.rows && c < columns;
    return is_inside ? out[static_cast<std::size_t>(r * columns + c)] : 0;
  };
  const auto nearest = [&](int r, int c, int back) {
    return std::min({at(r + back, c) + kChamfer, at(r, c + back) + kChamfer,
                     at(r + back, c + back) + kChamfer + 1, at(r + back, c - back) + kChamfer + 1});
  };
  for (int r = 0; r < shape.rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      const auto i = static_cast<std::size_t>(r * columns + c);
      if (shape.cells[i] != 0) out[i] = nearest(r, c, -1);
    }
  }
  for (int r = shape.rows - 1; r >= 0; --r) {
    for (int c = columns - 1; c >= 0; --c) {
      const auto i = static_cast<std::size_t>(r * columns + c);
      if (shape.cells[i] != 0) out[i] = std::min(out[i], nearest(r, c, 1));
    }
  }
  return out;
}

// The parts that grow together.
class Parts {
 public:
  int begin(int peak) {
    parents_.push_back(static_cast<int>(parents_.size()));
    peaks_.push_back(peak);
    return parents_.back();
  }
  int find(int part) const {
    while (parents_[static_cast<std::size_t>(part)] != part) {
      part = parents_[static_cast<std::size_t>(part)];
    }
    return part;
  }
  int peak(int part) const { return peaks_[static_cast<std::size_t>(part)]; }
  void join(int small, int large) { parents_[static_cast<std::size_t>(small)] = large; }

 private:
  std::vector<int> parents_, peaks_;
};

}  // namespace

std::vector<int> split_at_necks(const Silhouette& shape, double min_peak) {
  const std::vector<int> distance = distances(shape);
  std::vector<int> order(distance.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return distance[static_cast<std::size_t>(a)] > distance[static_cast<std::size_t>(b)];
  });
  std::vector<int> labels(distance.size(), -1);
  Parts parts;
  const double least = kChamfer * min_peak;
  const auto stay_apart = [&](int small, int height) {
    const int peak = parts.peak(small);
    const double neck = peak < 1.9 * least ? kNeck : kNeckOfLarge;
    return peak >= least && height < neck * peak;
  };
  std::vector<int> around;
  for (const int at : order) {
    const int height = distance[static_cast<std::size_t>(at)];
    if (height <= 0) break;
    around.clear();
    for (int k = 0; k < 9; ++k) {
      const int r = at / shape.columns + k / 3 - 1;
      const int c = at % shape.columns + k % 3 - 1;
      if (r < 0 || c < 0 || r >= shape.rows || c >= shape.columns) continue;
      const int label = labels[static_cast<std::size_t>(r * shape.columns + c)];
      if (label >= 0) around.push_back(parts.find(label));
    }
    if (around.empty()) {
      labels[static_cast<std::size_t>(at)] = parts.begin(height);
      continue;
    }
    std::sort(around.begin(), around.end(), [&](int a, int b) {
      return parts.peak(a) != parts.peak(b) ? parts.peak(a) > parts.peak(b) : a < b;
    });
    around.erase(std::unique(around.begin(), around.end()), around.end());
    labels[static_cast<std::size_t>(at)] = around.front();
    for (std::size_t i = 1; i < around.size(); ++i) {
      if (!stay_apart(around[i], height)) parts.join(around[i], around.front());
    }
  }
  for (int& label : labels) {
    if (label >= 0) label = parts.find(label);
  }
  return labels;
}

}  // namespace berm::drivers::camera_counter
