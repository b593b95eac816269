// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/generated_edges.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace berm::hal {
namespace {

constexpr double kKmhPerMs = 3.6;
constexpr double kMinGapS = 0.5;      // rear to front, over any loop
constexpr double kMinHeadwayS = 1.0;  // front to front
constexpr double kMinMeanS = 0.05;    // of the random part, where the lane is full

// Share of each length class up to its bound, and the lengths of which it is made.
struct LengthClass {
  double up_to;
  double min_m;
  double max_m;
  double mean_kmh;
  double deviation_kmh;
  double min_kmh;
  double max_kmh;
};
constexpr LengthClass kMix[] = {
    {0.0002, 0.80, 0.99, 100, 12, 60, 140}, {0.6957, 3.40, 4.85, 105, 10, 60, 145},
    {0.8366, 4.95, 6.85, 100, 8, 60, 130},  {0.8864, 6.95, 11.95, 87, 4, 65, 95},
    {1.0, 12.05, 18.75, 87, 3, 65, 93},
};

// FNV-1a: the lane's own random stream, whatever the order of the lanes.
std::uint64_t hash_of(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

Microseconds us_of_s(double seconds) {
  return Microseconds{std::llround(seconds * 1e6)};
}

}  // namespace

GeneratedEdgeInputs::GeneratedEdgeInputs(Loop& loop, GeneratedEdgeOptions options)
    : loop_(loop), options_(std::move(options)), ports_(loop), turn_(loop) {
  for (const GeneratedLane& lane : options_.lanes) {
    EdgeWire* trailing = lane.trailing.empty() ? nullptr : &ports_.wire(lane.trailing);
    SimRandom random(options_.seed ^ hash_of(lane.leading));
    const Vehicle first = draw(random);
    lanes_.push_back({random, &ports_.wire(lane.leading), trailing, MonoTime{}, first});
  }
}

Result<std::unique_ptr<EdgeInput>> GeneratedEdgeInputs::open(
    const std::vector<std::string>& signals) {
  for (const std::string& signal : signals) {
    if (!ports_.find(signal)) {
      return fail(ErrorCode::not_found, "signal " + signal + " is no loop of a lane");
    }
  }
  return ports_.open(signals, [this] { begin(); });
}

GeneratedEdgeInputs::Vehicle GeneratedEdgeInputs::draw(SimRandom& random) {
  const double share = random.unit();
  const LengthClass& length_class = *std::find_if(
      std::begin(kMix), std::end(kMix) - 1, [&](const auto& one) { return share < one.up_to; });
  const double length = random.between(length_class.min_m, length_class.max_m);
  const double speed = std::clamp(random.normal(length_class.mean_kmh, length_class.deviation_kmh),
                                  length_class.min_kmh, length_class.max_kmh);
  return {length, speed / kKmhPerMs};
}

void GeneratedEdgeInputs::begin() {
  if (std::exchange(has_begun_, true) || options_.flow_veh_h <= 0) return;
  origin_ = loop_.now();
  const double mean_s = 3600.0 / options_.flow_veh_h;
  for (Lane& lane : lanes_) lane.next = origin_ + us_of_s(lane.random.exponential(mean_s));
  turn_.after(Microseconds{0}, [this] { play(); });
}

// From this vehicle's front to the next one's: never so short that both are on one loop.
double GeneratedEdgeInputs::headway_s(Lane& lane, const GeneratedLane& geometry,
                                      const Vehicle& next) const {
  const Vehicle& now = lane.vehicle;
  const double clears_s = (geometry.loop_length_m + now.length_m) / now.speed_m_s + kMinGapS;
  double least_s = std::max(kMinHeadwayS, clears_s);
  if (lane.trailing) {
    const double behind_s = geometry.spacing_m / now.speed_m_s + clears_s;
    least_s = std::max(least_s, behind_s - geometry.spacing_m / next.speed_m_s);
  }
  const double mean_s = std::max(3600.0 / options_.flow_veh_h - least_s, kMinMeanS);
  return least_s + lane.random.exponential(mean_s);
}

void GeneratedEdgeInputs::add(MonoTime time, EdgeWire* wire, bool on) {
  due_.push_back({time, made_++, wire, on});
  std::push_heap(due_.begin(), due_.end(), is_later);
}

// The lane's next vehicle passes its loops, and the one after it is drawn.
void GeneratedEdgeInputs::pass(std::size_t index) {
  Lane& lane = lanes_[index];
  const GeneratedLane& geometry = options_.lanes[index];
  const auto [length_m, speed_m_s] = lane.vehicle;
  const Microseconds on_time = us_of_s((geometry.loop_length_m + length_m) / speed_m_s);
  add(lane.next, lane.leading, true);
  add(lane.next + on_time, lane.leading, false);
  if (lane.trailing) {
    const MonoTime behind = lane.next + us_of_s(geometry.spacing_m / speed_m_s);
    add(behind, lane.trailing, true);
    add(behind + on_time, lane.trailing, false);
  }
  ++vehicles_;
  if (options_.on_vehicle) {
    options_.on_vehicle({index, lane.next, speed_m_s * kKmhPerMs, length_m});
  }
  const Vehicle next = draw(lane.random);
  lane.next += us_of_s(headway_s(lane, geometry, next));
  lane.vehicle = next;
}

void GeneratedEdgeInputs::play() {
  const MonoTime now = loop_.now();
  for (std::size_t index = 0; index < lanes_.size(); ++index) {
    while (lanes_[index].next <= now) pass(index);
  }
  while (!due_.empty() && due_.front().time <= now) {
    std::pop_heap(due_.begin(), due_.end(), is_later);
    const Due edge = due_.back();
    due_.pop_back();
    ports_.add(*edge.wire, {.time = edge.time, .on = edge.on});
  }
  ports_.flush();
  MonoTime next = due_.empty() ? MonoTime::max() : due_.front().time;
  for (const Lane& lane : lanes_) next = std::min(next, lane.next);
  if (next == MonoTime::max()) return;
  const std::int64_t steps = (next - origin_ + options_.step - Microseconds{1}) / options_.step;
  turn_.at(origin_ + options_.step * steps, [this] { play(); });
}

}  // namespace berm::hal
