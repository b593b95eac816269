// SPDX-License-Identifier: Apache-2.0
#include "drivers/miv_feed/point_table.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "drivers/miv_feed/hash.hpp"

namespace berm::drivers::miv_feed {
namespace {

std::uint64_t digest_of(const Point& point) {
  Hash hash;
  hash.add(static_cast<std::uint64_t>(point.uid));
  for (const std::string* text : {&point.name, &point.road, &point.lane}) hash.add(*text);
  for (const auto* number : {&point.km, &point.x, &point.y, &point.lat, &point.lon}) {
    hash.add(number->has_value() ? std::bit_cast<std::uint64_t>(**number) : ~0ull);
  }
  return hash.value();
}

Row::Value value_of(const std::string& text) {
  if (text.empty()) return std::monostate{};
  return text;
}
Row::Value value_of(const std::optional<double>& number) {
  if (!number) return std::monostate{};
  return *number;
}

}  // namespace

const Point* PointTable::find(std::int64_t uid) const {
  const auto found = points_.find(uid);
  return found == points_.end() ? nullptr : &found->second;
}

std::vector<std::int64_t> PointTable::take(std::vector<Point> points, bool is_whole) {
  std::map<std::int64_t, Point> before;
  if (is_whole) before.swap(points_);
  std::vector<std::int64_t> changed;
  for (Point& point : points) {
    const std::int64_t uid = point.uid;
    const auto& old_points = is_whole ? before : points_;
    const auto old = old_points.find(uid);
    if (old == old_points.end() || old->second != point) changed.push_back(uid);
    const bool has_room = points_.size() < kMaxPoints || points_.contains(uid);
    if (has_room) points_.insert_or_assign(uid, std::move(point));
  }
  std::ranges::sort(changed);
  const auto repeated = std::ranges::unique(changed);
  changed.erase(repeated.begin(), repeated.end());
  std::erase_if(changed, [this](std::int64_t uid) { return !points_.contains(uid); });
  return changed;
}

std::vector<std::int64_t> PointTable::uids() const {
  std::vector<std::int64_t> uids;
  uids.reserve(points_.size());
  for (const auto& [uid, point] : points_) uids.push_back(uid);
  return uids;
}

std::uint64_t PointTable::digest() const {
  std::uint64_t sum = points_.size() + 1;
  for (const auto& [uid, point] : points_) sum += digest_of(point);
  return sum == 0 ? 1 : sum;
}

Row point_row(const Point& point, When when) {
  Row row;
  row.stream = "traffic.point";
  row.when = when;
  row.values = {
      {"uid", point.uid},           {"name", value_of(point.name)}, {"road", value_of(point.road)},
      {"km", value_of(point.km)},   {"lane", value_of(point.lane)}, {"lat", value_of(point.lat)},
      {"lon", value_of(point.lon)}, {"x", value_of(point.x)},       {"y", value_of(point.y)}};
  return row;
}

}  // namespace berm::drivers::miv_feed
