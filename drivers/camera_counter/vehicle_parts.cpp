// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/vehicle_parts.hpp"

#include <algorithm>
#include <cmath>

#include "drivers/camera_counter/limits.hpp"

namespace berm::drivers::camera_counter {
namespace {

constexpr double kRecentRows = 64.0;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double percentile(std::vector<double>& values, double share) {
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

// Seen cells per row of a rough part, smoothed over three rows.
std::vector<double> fill_of(const Silhouette& shape, const RoughPart& rough) {
  std::vector<double> counts(static_cast<std::size_t>(shape.rows), 0.0);
  const auto columns = static_cast<std::size_t>(shape.columns);
  for (std::size_t i = 0; i < rough.cells.size(); ++i) {
    if (rough.cells[i] != 0 && shape.seen[i] != 0) counts[i / columns] += 1.0;
  }
  std::vector<double> smooth(counts.size());
  for (std::size_t r = 0; r < counts.size(); ++r) {
    const double before = counts[r > 0 ? r - 1 : 0];
    const double after = counts[std::min(r + 1, counts.size() - 1)];
    smooth[r] = (before + counts[r] + after) / 3.0;
  }
  return smooth;
}

double typical(const std::vector<double>& fill, int first, int last) {
  if (first >= last) return 0.0;
  std::vector<double> some(fill.begin() + first, fill.begin() + last);
  return percentile(some, 0.6);
}

// Rows at which a part is cut, its ends included.
std::vector<int> cuts_of(const Silhouette& shape, const RoughPart& rough, const UsualSize& usual) {
  std::vector<int> cuts{rough.first, rough.last};
  const int length = rough.last - rough.first;
  if (length <= kLongL * usual.length() || rough.width >= kNarrowW * usual.width()) return cuts;
  const std::vector<double> fill = fill_of(shape, rough);
  const int from = rough.first + static_cast<int>(0.28 * length);
  const int to = rough.first + static_cast<int>(0.72 * length) + 1;
  const auto gap = static_cast<int>(
      std::min_element(fill.begin() + from, fill.begin() + std::min(to, rough.last)) -
      fill.begin());
  const double sides = std::min(typical(fill, rough.first, gap), typical(fill, gap, rough.last));
  if (fill[static_cast<std::size_t>(gap)] < kGapFill * sides) {
    cuts.insert(cuts.begin() + 1, gap);
  } else if (length > kTooLongL * usual.length()) {
    const int count = std::max(2, static_cast<int>(std::lround(length / usual.length() / 1.1)));
    for (int i = 1; i < count; ++i) cuts.insert(cuts.end() - 1, rough.first + i * length / count);
  }
  return cuts;
}

void measure_ratio(const Silhouette& shape, const RoughPart& rough, int first, int last,
                   VehiclePart& part) {
  std::vector<double> ratios;
  for (int i = first * shape.columns; i < last * shape.columns; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (rough.cells[at] != 0 && shape.seen[at] != 0) {
      ratios.push_back(static_cast<double>(shape.ratio[at]));
    }
  }
  if (ratios.size() < 5) return;
  part.low_ratio = percentile(ratios, 0.15);
  part.ratio_spread = 0.5 * (percentile(ratios, 0.85) - part.low_ratio);
  part.high_ratio = percentile(ratios, 0.88);
}

}  // namespace

void UsualSize::keep(Kept& kept, double value) {
  if (kept.values.size() < kKeptShapes) {
    kept.values.push_back(value);
    return;
  }
  kept.values[kept.next] = value;
  kept.next = (kept.next + 1) % kKeptShapes;
}

void UsualSize::add_part(double width, double length) {
  keep(widths_, width);
  keep(lengths_, length);
}

void UsualSize::settle() {
  if (!blobs_.empty()) blob_width_ = median(blobs_.values);
  if (widths_.empty()) {
    width_ = blob_width_;
    length_ = 1.3 * width_;
    return;
  }
  std::vector<double> widths = widths_.values;
  width_ = percentile(widths, 0.45);
  length_ = std::clamp(median(lengths_.values), kMinLengthW * width_, kMaxLengthW * width_);
}

std::vector<RoughPart> rough_parts(const Silhouette& shape, double usual) {
  const std::vector<int> labels = split_at_necks(shape, kMinPeak * usual);
  std::vector<int> kinds(labels.begin(), labels.end());
  std::sort(kinds.begin(), kinds.end());
  kinds.erase(std::unique(kinds.begin(), kinds.end()), kinds.end());
  std::erase(kinds, -1);
  std::vector<RoughPart> parts;
  for (const int kind : kinds) {
    const std::vector<int> widths = row_widths(shape, labels, kind);
    RoughPart part;
    part.width = usual_width(widths);
    part.is_one_of_many = kinds.size() > 1;
    part.first = shape.rows;
    for (int r = 0; r < shape.rows; ++r) {
      if (widths[static_cast<std::size_t>(r)] < 0.3 * part.width) continue;
      part.first = std::min(part.first, r);
      part.last = r + 1;
    }
    part.cells.resize(labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
      part.cells[i] = labels[i] == kind ? 1 : 0;
      part.area += part.cells[i];
    }
    if (part.first < part.last) parts.push_back(std::move(part));
  }
  return parts;
}

void add_parts(const Silhouette& shape, const RoughPart& rough, const Motion& motion,
               std::int64_t blob, const UsualSize& usual, std::vector<VehiclePart>& out) {
  const std::vector<int> cuts = cuts_of(shape, rough, usual);
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    VehiclePart part;
    std::vector<int> widths;
    std::vector<double> columns;
    for (int r = cuts[i]; r < cuts[i + 1]; ++r) {
      int width = 0;
      for (int c = 0; c < shape.columns; ++c) {
        if (rough.cells[static_cast<std::size_t>(r * shape.columns + c)] == 0) continue;
        ++width;
        columns.push_back(c);
      }
      widths.push_back(width);
    }
    if (columns.empty()) continue;
    part.begin = shape.first_row + cuts[i] / shape.speed;
    part.end = shape.first_row + cuts[i + 1] / shape.speed;
    const double left = percentile(columns, 0.03);
    const double right = percentile(columns, 0.97);
    part.extent = right - left;
    part.drift = shape.drift;
    part.column = 0.5 * (left + right) + shape.left + part.drift * (part.middle() - shape.tilt_row);
    part.width = usual_width(widths);
    part.length = cuts[i + 1] - cuts[i];
    part.area = static_cast<double>(columns.size());
    part.speed = shape.speed;
    part.sign = shape.sign;
    part.correlation = motion.correlation;
    part.flash = motion.flash;
    part.blob = blob;
    measure_ratio(shape, rough, cuts[i], cuts[i + 1], part);
    out.push_back(part);
  }
}

namespace {

// The two sides of one long vehicle whose middle looks like the road: a lorry's roof. Each is too
// narrow for a vehicle of its own, and they come together.
bool are_sides(const VehiclePart& a, const VehiclePart& b, const UsualSize& usual) {
  if (a.sign != b.sign || std::max(a.width, b.width) >= kSideW * usual.width()) return false;
  if (std::abs(a.begin - b.begin) > kSideRows) return false;
  if (std::max(a.length, b.length) < kSideL * usual.length()) return false;
  return std::max(a.column, b.column) - std::min(a.column, b.column) <=
         kSidesApartW * usual.width();
}

// Two parts, the larger and the smaller, side by side in the time of `b`.
bool belong_together(const VehiclePart& a, const VehiclePart& b, const UsualSize& usual) {
  const double w = usual.width();
  const double l = usual.length();
  const VehiclePart& large = a.area > b.area ? a : b;
  const VehiclePart& small = a.area > b.area ? b : a;
  if (are_sides(a, b, usual)) return true;
  if (a.blob == b.blob && small.area > 0.25 * w * l) return false;
  if (a.sign != b.sign && std::min(a.correlation, b.correlation) > 0.6) return false;
  const double speed = (a.speed * a.area + b.speed * b.area) / (a.area + b.area);
  const double gap = (b.begin - a.end) * speed;
  const double total = (std::max(a.end, b.end) - a.begin) * speed;
  const double at = a.column + large.drift * (b.middle() - a.middle());
  const double right = std::max(at + a.extent / 2, b.column + b.extent / 2);
  const double left = std::min(at - a.extent / 2, b.column - b.extent / 2);
  const double overlap = std::min(at + a.extent / 2, b.column + b.extent / 2) -
                         std::max(at - a.extent / 2, b.column - b.extent / 2);
  const double together = std::min(a.end, b.end) - std::max(a.begin, b.begin);
  const double shorter = std::min(a.end - a.begin, b.end - b.begin);
  const bool is_small = small.area < kSmallArea * w * l;
  const bool is_along = overlap >= 0.5 * std::min(a.extent, b.extent) && gap <= 0.45 * l &&
                        (total <= 1.35 * l || (gap < 0.25 * l && is_small));
  const bool is_beside = together >= 0.4 * shorter && total <= 1.5 * l && overlap > -0.35 * w &&
                         right - left <= (is_small ? 1.5 : 1.15) * w;
  const bool is_within =
      is_small && together >= 0.5 * (small.end - small.begin) && overlap > -0.2 * w;
  return is_along || is_beside || is_within;
}

VehiclePart joined(const VehiclePart& a, const VehiclePart& b) {
  VehiclePart all = a.area > b.area ? a : b;
  const double middle = all.middle();
  const double speed = (a.speed * a.area + b.speed * b.area) / (a.area + b.area);
  all.begin = std::min(a.begin, b.begin);
  all.end = std::max(a.end, b.end);
  all.area = a.area + b.area;
  all.length = (all.end - all.begin) * speed;
  all.width = std::max(a.width, b.width);
  all.column += all.drift * (all.middle() - middle);
  return all;
}

}  // namespace

void PartPool::add(VehiclePart part) {
  if (parts_.size() < kMaxPending) parts_.push_back(part);
}

void PartPool::merge(const UsualSize& usual) {
  const auto earlier = [](const VehiclePart& a, const VehiclePart& b) { return a.begin < b.begin; };
  std::sort(parts_.begin(), parts_.end(), earlier);
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    for (std::size_t j = i + 1; j < parts_.size(); ++j) {
      if (!belong_together(parts_[i], parts_[j], usual)) continue;
      parts_[i] = joined(parts_[i], parts_[j]);
      parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(j));
      std::sort(parts_.begin(), parts_.end(), earlier);
      i = static_cast<std::size_t>(-1);  // from the beginning: parts only become fewer
      break;
    }
  }
}

// Dark and even, beside something that is not.
bool PartPool::is_shadow(const VehiclePart& part, double usual_width) const {
  if (part.ratio_spread > 0.28 || part.high_ratio > -0.08 || part.low_ratio < -0.9) return false;
  const auto casts = [&](const VehiclePart& other) {
    if (&other == &part || other.area < 0.6 * part.area) return false;
    if (other.ratio_spread < part.ratio_spread + 0.03) return false;
    const double together = std::min(other.end, part.end) - std::max(other.begin, part.begin);
    const double apart = std::abs(other.column - part.column) - 0.5 * (other.extent + part.extent);
    return together > 0.55 * (part.end - part.begin) && apart < 0.8 * usual_width;
  };
  return std::any_of(parts_.begin(), parts_.end(), casts) ||
         std::any_of(recent_.begin(), recent_.end(), casts);
}

std::vector<PartPool::Judged> PartPool::take(double settled, double start, double end,
                                             const UsualSize& usual, bool is_brightness_trusted) {
  merge(usual);
  std::vector<Judged> judged;
  for (const VehiclePart& part : parts_) {
    if (part.end >= settled) continue;
    Verdict verdict = Verdict::vehicle;
    if (part.area < kMinArea * usual.width() * usual.length()) {
      verdict = Verdict::small;
    } else if (part.width < kMinWidth * usual.width()) {
      verdict = Verdict::thin;
    } else if (part.begin <= start + kCutRows - 1.0 || part.end >= end - kCutRows) {
      verdict = Verdict::cut;
    } else if (part.flash > kFlashMargin) {
      verdict = Verdict::flash;
    } else if (is_brightness_trusted && is_shadow(part, usual.width())) {
      verdict = Verdict::shadow;
    }
    judged.push_back({part, verdict});
  }
  std::erase_if(recent_, [&](const VehiclePart& part) { return part.end < settled - kRecentRows; });
  for (const Judged& one : judged) {
    if (one.verdict == Verdict::vehicle && recent_.size() < kMaxPending)
      recent_.push_back(one.part);
  }
  std::erase_if(parts_, [&](const VehiclePart& part) { return part.end < settled; });
  return judged;
}

}  // namespace berm::drivers::camera_counter
