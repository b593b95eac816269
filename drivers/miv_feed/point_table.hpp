// SPDX-License-Identifier: Apache-2.0
// PointTable: the measuring points as the last list gave them, and which of them are to be told:
// those that changed, or all once a day. Pure.
//
// A list that was cut adds and changes points but removes none. Thread: any one. Limit: kMaxPoints.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "drivers/api/observation.hpp"
#include "drivers/miv_feed/points_document.hpp"

namespace berm::drivers::miv_feed {

class PointTable {
 public:
  // nullptr: not in the list. Valid until the next take.
  const Point* find(std::int64_t uid) const;
  std::size_t size() const { return points_.size(); }
  bool is_empty() const { return points_.empty(); }
  // The ids whose point is new or differs; of an id that is there twice the last one counts.
  std::vector<std::int64_t> take(std::vector<Point> points, bool is_whole);
  std::vector<std::int64_t> uids() const;
  // Of all that the points say, whatever their order; never 0.
  std::uint64_t digest() const;

 private:
  std::map<std::int64_t, Point> points_;
};

// The `traffic.point` row of a point.
Row point_row(const Point& point, When when);

}  // namespace berm::drivers::miv_feed
