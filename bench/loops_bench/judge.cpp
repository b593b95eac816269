// SPDX-License-Identifier: Apache-2.0
#include "bench/loops_bench/judge.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>

#include "bench/loops_bench/dirt.hpp"

namespace berm::bench {
namespace {

using drivers::traffic::EngineLane;
using drivers::traffic::LaneEngine;
using drivers::traffic::Passage;

constexpr std::int64_t kMinuteUs = 60'000'000;
constexpr std::int64_t kSameUs = 400'000;  // a passage is this vehicle
constexpr std::int64_t kListedSameUs = 1'500'000;
constexpr std::int64_t kWallOriginUs = 1'699'999'200'000'000;  // 2023-11-14 22:00 UTC

class BenchClock final : public hal::Clock {
 public:
  MonoTime mono() const override { return mono_us(now_us); }
  hal::WallReading wall() const override {
    return {wall_us(now_us - kOriginUs + kWallOriginUs), ClockSource::ntp};
  }
  const std::string& boot_id() const override { return boot_; }
  std::int64_t now_us = kOriginUs;

 private:
  std::string boot_ = "bench";
};

class Collector final : public drivers::traffic::TrafficSink {
 public:
  explicit Collector(Seen& seen) : seen_(seen) {}
  void on_passage(std::size_t lane, const Passage& passage,
                  const drivers::traffic::Moment&) override {
    Passage moved = passage;
    moved.lead_us -= kOriginUs;
    seen_.vehicles.push_back({static_cast<int>(lane), moved});
  }
  void on_period(std::size_t lane, drivers::LanePeriod period) override {
    const std::int64_t minute = (us_of(period.start.mono) - kOriginUs) / kMinuteUs;
    seen_.periods.push_back({static_cast<int>(lane), minute, std::move(period)});
  }
  void on_diagnosis(std::size_t lane, const drivers::traffic::Diagnosis& diagnosis) override {
    auto moved = diagnosis;
    moved.since_us -= kOriginUs;
    moved.at_us -= kOriginUs;
    seen_.diagnoses.emplace_back(static_cast<int>(lane), moved);
  }
  void on_checkpoint(std::string) override {}

 private:
  Seen& seen_;
};

double cpu_now_s() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

std::vector<EngineLane> lanes_for(const RunOptions& options) {
  std::vector<EngineLane> lanes;
  for (int i = 0; i < kLanes; ++i) {
    EngineLane lane;
    lane.uid = i + 1;
    lane.is_pair = !options.is_single;
    lane.geometry = {kLoopM, kSpacingM};
    lanes.push_back(lane);
  }
  return lanes;
}

}  // namespace

Seen watch(const TrafficDay& dirty, const RunOptions& options) {
  auto edges = edges_of(dirty, kOriginUs, options.resolution_us);
  if (options.is_single) {
    std::erase_if(edges, [](const hal::Edge& edge) { return edge.line % 2 == 1; });
    for (hal::Edge& edge : edges) edge.line = static_cast<std::uint16_t>(edge.line / 2);
  }
  Seen seen;
  BenchClock clock;
  Collector sink(seen);
  LaneEngine engine(lanes_for(options), 60, clock, sink);
  const double begin_s = cpu_now_s();
  engine.begin(clock.mono(), "");
  for (const hal::Edge& edge : edges) {
    while (engine.next_wake() <= edge.time) {
      clock.now_us = std::max(clock.now_us, us_of(engine.next_wake()));
      engine.advance(clock.mono());
    }
    clock.now_us = std::max(clock.now_us, us_of(edge.time));
    engine.take({&edge, 1}, clock.mono());
  }
  const std::int64_t end_us =
      kOriginUs +
      (std::max(dirty.end_us, us_of(edges.back().time) - kOriginUs) / kMinuteUs + 1) * kMinuteUs +
      6'000'000;
  while (us_of(engine.next_wake()) <= end_us) {
    clock.now_us = std::max(clock.now_us, us_of(engine.next_wake()));
    engine.advance(clock.mono());
  }
  seen.cpu_s = cpu_now_s() - begin_s;
  seen.edges = edges.size();
  return seen;
}

Listed listed_in(const Seen& clean) {
  Listed listed;
  for (const auto& [lane, passage] : clean.vehicles) {
    if (passage.flags.has(drivers::traffic::Flag::first_missed))
      listed.emplace_back(lane, passage.lead_us);
  }
  return listed;
}

void Score::add(const Score& other) {
  truth += other.truth;
  counted += other.counted;
  count_error += other.count_error;
  speed_error += other.speed_error;
  speeds += other.speeds;
  minute_speed_error += other.minute_speed_error;
  minute_speeds += other.minute_speeds;
  right_class += other.right_class;
  classified += other.classified;
  classifiable += other.classifiable;
  estimates += other.estimates;
  length_error += other.length_error;
  lengths += other.lengths;
}
double Score::count_percent() const {
  return 100.0 * static_cast<double>(count_error) /
         static_cast<double>(std::max<std::int64_t>(1, truth));
}
double Score::speed_mae() const {
  return speeds == 0 ? NAN : speed_error / static_cast<double>(speeds);
}
double Score::minute_speed_mae() const {
  return minute_speeds == 0 ? NAN : minute_speed_error / static_cast<double>(minute_speeds);
}
double Score::class_percent() const {
  return 100.0 * static_cast<double>(right_class) /
         static_cast<double>(std::max<std::int64_t>(1, classifiable));
}

namespace {

using LaneMinute = std::pair<int, std::int64_t>;

struct Means {
  double sum = 0.0;
  std::int64_t count = 0;
};

bool is_in(const Window& window, int lane, std::int64_t time_us) {
  return (window.lanes >> lane & 1u) != 0 && time_us >= window.from_us && time_us < window.to_us;
}

void judge_vehicles(const TrafficDay& truth, const Seen& seen, const Window& window, Score& score) {
  std::vector<std::vector<const Passage*>> by_lane(kLanes);
  for (const auto& vehicle : seen.vehicles)
    by_lane[static_cast<std::size_t>(vehicle.lane)].push_back(&vehicle.passage);
  for (auto& lane : by_lane) {
    std::stable_sort(lane.begin(), lane.end(),
                     [](const Passage* a, const Passage* b) { return a->lead_us < b->lead_us; });
  }
  for (const Vehicle& vehicle : truth.vehicles) {
    if (!is_in(window, vehicle.lane, vehicle.time_us)) continue;
    if (vehicle.has_both) ++score.classifiable;
    const auto& lane = by_lane[static_cast<std::size_t>(vehicle.lane)];
    auto next = std::lower_bound(
        lane.begin(), lane.end(), vehicle.time_us,
        [](const Passage* passage, std::int64_t us) { return passage->lead_us < us; });
    const Passage* best = next != lane.end() ? *next : nullptr;
    const auto away = [&](const Passage* passage) {
      return std::abs(passage->lead_us - vehicle.time_us);
    };
    if (next != lane.begin() && (best == nullptr || away(*(next - 1)) < away(best)))
      best = *(next - 1);
    if (best == nullptr || away(best) > kSameUs) continue;
    if (best->flags.has(drivers::traffic::Flag::estimate)) ++score.estimates;
    if (best->has_speed()) {
      ++score.speeds;
      score.speed_error += std::abs(best->speed_kmh - vehicle.speed_kmh);
    }
    if (!vehicle.has_both) continue;
    if (!std::isnan(best->length_m)) {
      score.length_error += std::abs(best->length_m - vehicle.length_m);
      ++score.lengths;
    }
    if (best->length_class != 0) ++score.classified;
    if (best->length_class == vehicle.length_class) ++score.right_class;
  }
}

std::int64_t minute_of(const Vehicle& vehicle, const Seen& seen, const Window& window) {
  const std::int64_t minute = vehicle.time_us / kMinuteUs;
  const std::int64_t into_us = vehicle.time_us % kMinuteUs;
  if (into_us >= window.border_us && into_us < kMinuteUs - window.border_us) return minute;
  for (const auto& other : seen.vehicles) {
    if (other.lane != vehicle.lane) continue;
    if (std::abs(other.passage.lead_us - vehicle.time_us) <= window.border_us)
      return other.passage.lead_us / kMinuteUs;
  }
  return minute;
}

Means mean_of(const drivers::LanePeriod& period) {
  Means means;
  for (const auto& measure : period.classes) {
    if (!measure.speed_kmh) continue;
    means.count += measure.speed_count.value_or(0);
    means.sum += *measure.speed_kmh * static_cast<double>(measure.speed_count.value_or(0));
  }
  return means;
}

}  // namespace

Score judge(const TrafficDay& truth, const Listed& listed, const Seen& seen, const Window& window) {
  Score score;
  std::map<LaneMinute, std::int64_t> difference;
  std::map<LaneMinute, Means> speeds;
  for (const Vehicle& vehicle : truth.vehicles) {
    if (!is_in(window, vehicle.lane, vehicle.time_us)) continue;
    ++score.truth;
    const LaneMinute minute{vehicle.lane, minute_of(vehicle, seen, window)};
    --difference[minute];
    speeds[minute].sum += vehicle.speed_kmh;
    ++speeds[minute].count;
  }
  for (const auto& period : seen.periods) {
    if (!is_in(window, period.lane, period.minute * kMinuteUs)) continue;
    const LaneMinute minute{period.lane, period.minute};
    difference[minute] += period.period.count.value_or(0);
    score.counted += period.period.count.value_or(0);
    const Means means = mean_of(period.period);
    const auto found = speeds.find(minute);
    if (means.count == 0 || found == speeds.end()) continue;
    const double expected = found->second.sum / static_cast<double>(found->second.count);
    score.minute_speed_error += std::abs(means.sum / static_cast<double>(means.count) - expected);
    ++score.minute_speeds;
  }
  // Those without a pulse on the first loop are listed, not an error.
  for (const auto& [lane, time_us] : listed) {
    for (const auto& vehicle : seen.vehicles) {
      const Passage& passage = vehicle.passage;
      if (vehicle.lane != lane || std::abs(passage.lead_us - time_us) > kListedSameUs) continue;
      if (!passage.flags.has(drivers::traffic::Flag::first_missed) &&
          std::abs(passage.lead_us - time_us) > kSameUs)
        continue;
      if (!is_in(window, lane, passage.lead_us)) break;
      --difference[{lane, passage.lead_us / kMinuteUs}];
      break;
    }
  }
  for (const auto& [minute, error] : difference) score.count_error += std::abs(error);
  judge_vehicles(truth, seen, window, score);
  return score;
}

}  // namespace berm::bench
