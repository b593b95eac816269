// SPDX-License-Identifier: Apache-2.0
// RowRing: the last `capacity` rows of equal width, by the row's number since the beginning. A
// number before the first row gives the first, one after the last the last: that is how filters
// see the ends of a film. Plain value; no allocation after construction.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace berm::drivers::camera_counter {

template <class T>
class RowRing {
 public:
  RowRing(int width, int capacity)
      : width_(static_cast<std::size_t>(width)),
        capacity_(capacity),
        cells_(width_ * static_cast<std::size_t>(capacity)) {}

  // The next row, to be filled by the caller; its old content is another row's.
  std::span<T> append() { return cells(end_++); }
  std::int64_t end() const { return end_; }
  std::int64_t begin() const { return std::max<std::int64_t>(0, end_ - capacity_); }
  // Precondition: end() > 0.
  std::span<const T> row(std::int64_t number) const {
    return const_cast<RowRing*>(this)->cells(std::clamp(number, begin(), end_ - 1));
  }
  std::span<T> row(std::int64_t number) { return cells(std::clamp(number, begin(), end_ - 1)); }

 private:
  std::span<T> cells(std::int64_t number) {
    const auto slot = static_cast<std::size_t>(number % capacity_);
    return {cells_.data() + slot * width_, width_};
  }
  std::size_t width_;
  std::int64_t capacity_;
  std::vector<T> cells_;
  std::int64_t end_ = 0;
};

}  // namespace berm::drivers::camera_counter
