// SPDX-License-Identifier: Apache-2.0
// Any sequence of edges, clock steps, failures and restarts: counts add up, shares stay within
// their bounds, no period is said twice, nothing breaks. BERM_SEED repeats a run.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "tests/unit/drivers/loop_detector/lane_bed.hpp"

namespace berm::test {
namespace {

std::uint64_t first_seed() {
  if (const char* seed = std::getenv("BERM_SEED")) return std::strtoull(seed, nullptr, 10);
  return 20260101;
}

class RandomEdges : public LaneBed {
 protected:
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(bound));
  }

  void batch() {
    std::vector<hal::Edge> edges;
    const MonoTime now = bed_.now();
    for (std::int64_t n = below(12); n > 0; --n) {
      hal::Edge edge;
      edge.time = now - Microseconds{below(5) == 0 ? below(9'000'000) : below(50'000)};
      if (below(400) == 0) edge.time = now + Microseconds{below(7'200'000'000)};
      edge.resolution_us = below(3) == 0 ? 50'000 : 1;
      edge.lost_before = below(50) == 0 ? 3 : 0;
      edge.line = static_cast<std::uint16_t>(below(6));
      edge.on = below(2) == 0;
      edges.push_back(edge);
    }
    bed_.feed(edges);
  }

  void mishap(const std::string& more) {
    switch (below(8)) {
      case 0:
        bed_.bed_clock().offset_us += (below(400) - 200) * 1'000'000;
        break;
      case 1:
        bed_.input_state(below(2) == 0, bed_.now());
        break;
      case 2:
        bed_.bed_clock().source = below(2) == 0 ? ClockSource::none : ClockSource::ntp;
        break;
      case 3:
        bed_.stop();
        bed_.run_for(Seconds{below(300)});
        start(more);
        break;
      case 4:
        bed_.power_cut();
        bed_.run_for(Seconds{below(30)});
        start(more);
        break;
      default:
        break;
    }
  }

  void expect_sane() {
    for (const auto& period : bed_.periods()) {
      EXPECT_GE(period.period_s, 1);
      EXPECT_GE(period.coverage.value_or(0), 0.0);
      EXPECT_LE(period.coverage.value_or(0), 1.0);
      EXPECT_LE(period.occupancy_percent.value_or(0), 100.0);
      EXPECT_GE(period.occupancy_percent.value_or(0), 0.0);
      EXPECT_GE(period.unrest.value_or(0), 0.0);
      if (!period.count) continue;
      std::int64_t sum = *period.unclassified_count;
      for (const auto& measure : period.classes) {
        EXPECT_GE(*measure.count, 0);
        EXPECT_LE(*measure.speed_count, *measure.count);
        sum += *measure.count;
        if (measure.speed_kmh) {
          EXPECT_LE(*measure.speed_harmonic_kmh, *measure.speed_kmh);
          EXPECT_LE(*measure.speed_kmh, 250.0);
        }
      }
      EXPECT_EQ(sum, *period.count);
    }
  }

  std::mt19937_64 random_;
};

TEST_F(RandomEdges, AnySequenceGivesSaneObservations) {
  for (std::uint64_t run = 0; run < 20; ++run) {
    const std::uint64_t seed = first_seed() + run;
    SCOPED_TRACE("BERM_SEED=" + std::to_string(seed));
    random_.seed(seed);
    const std::string more =
        run % 3 == 0 ? "\"period_s\": 1, \"vehicles\": true," : "\"vehicles\": true,";
    bed_.set_checkpoint("");
    bed_.periods().clear();
    start(more);
    for (int i = 0; i < 2000; ++i) {
      bed_.run_for(Microseconds{below(400'000)});
      batch();
      if (below(100) == 0) mishap(more);
    }
    bed_.run_for(Seconds{10});
    expect_sane();
    bed_.stop();
    if (HasFailure()) break;
  }
}

// Cars, some of whose pulses are broken, missing or somebody else's.
std::vector<hal::Edge> dirty_traffic(std::mt19937_64& random, MonoTime origin,
                                     std::int64_t end_ms) {
  std::vector<hal::Edge> edges;
  const auto below = [&](std::int64_t bound) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bound));
  };
  const auto add = [&](int line, std::int64_t from_ms, std::int64_t to_ms) {
    for (const bool on : {true, false}) {
      hal::Edge edge;
      edge.time = origin + Microseconds{(on ? from_ms : to_ms) * 1000};
      edge.line = static_cast<std::uint16_t>(line);
      edge.on = on;
      edges.push_back(edge);
    }
  };
  const auto spoil = [&](int line, std::int64_t from, std::int64_t on) {
    const std::int64_t kind = below(40);
    if (kind == 0) return;
    if (kind == 1) add((line + 2) % 4, from, from + on);
    add(line, from, kind == 2 ? from + on / 3 : from + on);
    if (kind == 2) add(line, from + on / 2, from + on);
  };
  for (int lane = 0; lane < 2; ++lane) {
    for (std::int64_t ms = 500; ms < end_ms; ms += 900 + below(4000)) {
      const std::int64_t crossing = 120 + below(300);
      const std::int64_t on = crossing + below(crossing);
      for (int loop = 0; loop < 2; ++loop) spoil(lane * 2 + loop, ms + loop * crossing, on);
    }
  }
  std::stable_sort(edges.begin(), edges.end(),
                   [](const hal::Edge& a, const hal::Edge& b) { return a.time < b.time; });
  return edges;
}

TEST_F(RandomEdges, PeriodsAddUpToAnyCoarserPeriod) {
  for (std::uint64_t run = 0; run < 10; ++run) {
    const std::uint64_t seed = first_seed() + 2000 + run;
    SCOPED_TRACE("BERM_SEED=" + std::to_string(seed));
    std::map<std::pair<std::string, std::int64_t>, std::vector<std::int64_t>> sums;
    for (const int period_s : {1, 10, 60, 300}) {
      DriverBed bed(wall_s(1'700'000'100));  // a multiple of 300 s
      random_.seed(seed);
      const auto edges = dirty_traffic(random_, bed.now(), 590'000);
      bed.start(drivers::loop_detector_driver,
                options("\"period_s\": " + std::to_string(period_s) + ","));
      for (const hal::Edge& edge : edges) {
        if (edge.time > bed.now()) bed.run_to(edge.time);
        bed.feed({&edge, 1});
      }
      bed.run_for(Seconds{400});
      std::map<std::pair<std::string, std::int64_t>, std::int64_t> counts;
      for (const auto& period : bed.periods())
        counts[{period.lane, s_of(*period.start.wall) / 300}] += period.count.value_or(0);
      for (const auto& [key, count] : counts) sums[key].push_back(count);
      bed.stop();
    }
    for (const auto& [key, counts] : sums) {
      for (const std::int64_t count : counts) EXPECT_EQ(count, counts.front()) << key.first;
    }
    if (HasFailure()) break;
  }
}

TEST_F(RandomEdges, NoPeriodIsSaidTwiceWhateverTheClockAndTheAgentDo) {
  for (std::uint64_t run = 0; run < 20; ++run) {
    const std::uint64_t seed = first_seed() + 1000 + run;
    SCOPED_TRACE("BERM_SEED=" + std::to_string(seed));
    random_.seed(seed);
    bed_.set_checkpoint("");
    bed_.periods().clear();
    start("");
    for (int i = 0; i < 200; ++i) {
      bed_.run_for(Seconds{below(90)});
      if (below(4) == 0) bed_.bed_clock().offset_us += (below(1200) - 600) * 1'000'000;
      if (below(6) == 0) {
        bed_.stop();
        bed_.run_for(Seconds{below(200)});
        start("");
      }
    }
    bed_.stop();
    std::set<std::pair<std::int64_t, std::int64_t>> seen;
    for (const auto& period : periods("left")) {
      ASSERT_TRUE(period.start.wall);
      EXPECT_TRUE(seen.emplace(s_of(*period.start.wall), period.period_s).second)
          << s_of(*period.start.wall) << " " << period.period_s << " " << period.flags;
    }
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace berm::test
