// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/match.hpp"

#include <algorithm>
#include <cmath>

namespace berm::drivers::camera_counter {

Agreement& Agreement::operator+=(const Agreement& other) {
  right += other.right;
  counted += other.counted;
  truth += other.truth;
  return *this;
}

// On a line the greedy choice is the greatest: each truth takes the earliest passage that is left
// and near enough.
Agreement agree(std::span<const double> counted, std::span<const double> truth, double tolerance) {
  std::vector<double> found(counted.begin(), counted.end());
  std::vector<double> wanted(truth.begin(), truth.end());
  std::sort(found.begin(), found.end());
  std::sort(wanted.begin(), wanted.end());
  Agreement agreement;
  agreement.counted = static_cast<int>(found.size());
  agreement.truth = static_cast<int>(wanted.size());
  std::size_t next = 0;
  for (const double at : wanted) {
    while (next < found.size() && found[next] < at - tolerance) ++next;
    if (next == found.size() || found[next] > at + tolerance) continue;
    ++agreement.right;
    ++next;
  }
  return agreement;
}

double effectiveness(std::span<const double> counted, std::span<const double> truth,
                     double frames) {
  constexpr int kSegments = 10;
  if (truth.empty()) return counted.empty() ? 1.0 : 0.0;
  double sum = 0.0;
  double weights = 0.0;
  for (int segment = 1; segment <= kSegments; ++segment) {
    const double until = frames * segment / kSegments;
    const auto before = [until](double at) { return at < until; };
    const auto a = std::count_if(counted.begin(), counted.end(), before);
    const auto b = std::count_if(truth.begin(), truth.end(), before);
    sum += segment * static_cast<double>((a - b) * (a - b));
    weights += segment;
  }
  return std::max(0.0, 1.0 - std::sqrt(sum / weights) / static_cast<double>(truth.size()));
}

double efficiency(double taken_s, double film_s) {
  return film_s <= 0.0 ? 0.0 : std::max(0.0, 1.0 - taken_s / (5.0 * film_s));
}

}  // namespace berm::drivers::camera_counter
