// SPDX-License-Identifier: Apache-2.0
// Real and simulated recordings against what is known about them. They are looked for in $BERM_DATA
// or
// ../shared/data beside the project; where they are absent these tests skip.
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "drivers/traffic/length_classes.hpp"
#include "hal/base/text.hpp"
#include "tests/unit/drivers/loop_detector/lane_bed.hpp"

namespace berm::test {
namespace {

namespace fs = std::filesystem;

fs::path data_folder() {
  if (const char* folder = std::getenv("BERM_DATA")) return folder;
  if (const char* source = std::getenv("BERM_SOURCE")) return fs::path(source) / "../shared/data";
  return "../shared/data";
}

// The rows of a gzipped CSV without its header; each cell a text.
std::vector<std::vector<std::string>> rows_of(const fs::path& path) {
  std::vector<std::vector<std::string>> rows;
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return rows;
  char line[512];
  while (gzgets(file, line, sizeof line) != nullptr) {
    auto& row = rows.emplace_back();
    for (const auto cell : split(trim(line), ',')) row.emplace_back(cell);
  }
  gzclose(file);
  if (!rows.empty()) rows.erase(rows.begin());
  return rows;
}

double number(const std::string& text) {
  return std::strtod(text.c_str(), nullptr);
}
std::int64_t whole_ms(const std::string& seconds) {
  return std::llround(number(seconds) * 1e3);
}

class Recording : public LaneBed {
 protected:
  // Hands over in batches, as a source does: each batch when its last edge has happened.
  void play(std::vector<hal::Edge> edges) {
    constexpr std::size_t kBatch = 7;
    for (std::size_t i = 0; i < edges.size(); i += kBatch) {
      const std::size_t count = std::min(kBatch, edges.size() - i);
      const Microseconds span = edges[i + count - 1].time - edges[i].time;
      // A source never holds edges back for longer than a tenth of a second.
      if (span > Microseconds{100'000}) {
        for (std::size_t k = i; k < i + count; ++k) hand_over({&edges[k], 1});
      } else {
        hand_over({&edges[i], count});
      }
    }
  }
  void hand_over(std::span<const hal::Edge> edges) {
    if (edges.back().time > bed_.now()) bed_.run_to(edges.back().time);
    bed_.feed(edges);
  }
};

class Sumo : public Recording, public testing::WithParamInterface<const char*> {
 protected:
  using LaneMinute = std::pair<std::string, std::int64_t>;
  struct Truth {
    std::string lane;
    std::int64_t time_ms;
    double length_m;
    double speed_kmh;
    int length_class;
  };

  void SetUp() override {
    const fs::path folder = data_folder() / "sumo" / GetParam();
    if (!fs::exists(folder)) GTEST_SKIP() << "no recording at " << folder;
    for (const auto& row : rows_of(folder / "edges.csv.gz")) {
      const int lane = row[1][0] - '0';
      const int loop = row[1][1] == 'A' ? 0 : 1;
      const auto line = static_cast<std::uint16_t>(lane * 2 + loop);
      edges_.push_back({at_ms(whole_ms(row[0])), 1000, 0, line, row[2] == "1"});
      if (loop == 0 && row[2] == "1") first_pulses_.emplace(row[1].substr(0, 1), whole_ms(row[0]));
    }
    for (const auto& row : rows_of(folder / "truth.csv.gz")) {
      const Truth truth{row[1], whole_ms(row[0]), number(row[4]), number(row[7]) * 3.6,
                        std::atoi(row[5].c_str())};
      if (first_pulses_.contains({truth.lane, truth.time_ms})) truth_.push_back(truth);
    }
  }

  void run() {
    bed_.start(drivers::loop_detector_driver, R"({"vehicles": true, "lanes": {
      "0": {"uid": 1, "loops": ["0A", "0B"], "spacing_m": 4.5},
      "1": {"uid": 2, "loops": ["1A", "1B"], "spacing_m": 4.5},
      "2": {"uid": 3, "loops": ["2A", "2B"], "spacing_m": 4.5},
      "3": {"uid": 4, "loops": ["3A", "3B"], "spacing_m": 4.5}}})");
    play(edges_);
    bed_.run_for(Seconds{120});
  }
  std::int64_t ms_since_start(const drivers::VehiclePassage& vehicle) const {
    return (us_of(*vehicle.leading_edge.wall) - kBedStartS * 1'000'000) / 1000;
  }

  std::vector<hal::Edge> edges_;
  std::vector<Truth> truth_;
  std::set<std::pair<std::string, std::int64_t>> first_pulses_;
};

TEST_P(Sumo, EveryVehicleIsCountedInItsLaneAndMinute) {
  run();
  std::map<LaneMinute, std::int64_t> expected;
  std::map<LaneMinute, std::int64_t> counted;
  for (const Truth& truth : truth_) ++expected[{truth.lane, truth.time_ms / 60'000}];
  for (const auto& period : bed_.periods()) {
    const std::int64_t minute = (s_of(*period.start.wall) - kBedStartS) / 60;
    if (*period.count > 0) counted[{period.lane, minute}] += *period.count;
    EXPECT_EQ(period.coverage, 1.0);
    std::int64_t sum = *period.unclassified_count;
    for (const auto& measure : period.classes) sum += *measure.count;
    EXPECT_EQ(sum, *period.count);
  }
  // Some changed lane on the first loop itself and left no pulse there: they count where the second
  // saw them, and are listed.
  int without_first = 0;
  for (const auto& vehicle : bed_.vehicles()) {
    if (vehicle.flags.find("first_missed") == std::string::npos) continue;
    ++without_first;
    --counted[{vehicle.lane, ms_since_start(vehicle) / 60'000}];
    std::printf("no pulse on the first loop: lane %s at %.3f s\n", vehicle.lane.c_str(),
                static_cast<double>(ms_since_start(vehicle)) / 1000.0);
  }
  EXPECT_EQ(counted, expected);
  EXPECT_LE(without_first, 3);
}

TEST_P(Sumo, SpeedsAndClassesAreRight) {
  run();
  std::map<std::pair<std::string, std::int64_t>, const drivers::VehiclePassage*> seen;
  for (const auto& vehicle : bed_.vehicles())
    seen[{vehicle.lane, ms_since_start(vehicle)}] = &vehicle;
  double speed_error = 0.0;
  double speed_bias = 0.0;
  double length_error = 0.0;
  int with_speed = 0;
  int right_class = 0;
  for (const Truth& truth : truth_) {
    const auto* const vehicle = seen[{truth.lane, truth.time_ms}];
    ASSERT_NE(vehicle, nullptr) << truth.lane << " " << truth.time_ms;
    right_class += vehicle->length_class == truth.length_class ? 1 : 0;
    if (!vehicle->speed_kmh || std::isnan(truth.speed_kmh)) continue;
    ++with_speed;
    speed_error += std::abs(*vehicle->speed_kmh - truth.speed_kmh);
    speed_bias += *vehicle->speed_kmh - truth.speed_kmh;
    length_error += std::abs(vehicle->length_m.value_or(0.0) - truth.length_m);
  }
  const double n = with_speed;
  const double classes = 100.0 * right_class / static_cast<double>(truth_.size());
  std::printf(
      "%s: %zu vehicles, %d with speed, speed MAE %.3f bias %.3f km/h, length MAE %.3f m, "
      "classes %.3f %%\n",
      GetParam(), truth_.size(), with_speed, speed_error / n, speed_bias / n, length_error / n,
      classes);
  EXPECT_GE(with_speed, static_cast<int>(truth_.size()) - 8);
  EXPECT_LE(speed_error / n, 0.5);
  EXPECT_GE(classes, 99.8);
}

TEST_P(Sumo, PassagesComeInOrderPerLane) {
  run();
  std::map<std::string, std::int64_t> last;
  for (const auto& vehicle : bed_.vehicles()) {
    std::int64_t& before = last[vehicle.lane];
    EXPECT_GE(ms_since_start(vehicle), before);
    before = ms_since_start(vehicle);
  }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, Sumo, testing::Values("out42", "out42jam"));

// What is wrong with a controller's log: (lane, minute) of each kind.
struct Dirt {
  using Minutes = std::set<std::pair<std::string, std::int64_t>>;
  Minutes odd;   // on while on, off while off
  Minutes near;  // pulses nearer than 0.2 s
  Minutes held;  // on for so long that it lasts over a period's end by more than 5 s
  std::int64_t odd_edges = 0;

  void take(const std::string& lane, std::int64_t ms, bool on) {
    const std::int64_t for_ms = ms - since_[lane];
    if (state_[lane] == on) {
      ++odd_edges;
      odd.emplace(lane, ms / 60'000);
      return;
    }
    if (on && since_[lane] > 0 && for_ms < 200) near.emplace(lane, ms / 60'000);
    if (!on && for_ms > 66'000) held.emplace(lane, (ms - for_ms) / 60'000);
    since_[lane] = ms;
    state_[lane] = on;
  }
  // All of it is said by the flags of this period.
  void expect_said(const std::pair<std::string, std::int64_t>& minute, const std::string& flags) {
    const auto has = [&](const char* word) { return flags.find(word) != std::string::npos; };
    EXPECT_TRUE(!near.contains(minute) || has("breakup")) << minute.first << " " << minute.second;
    EXPECT_TRUE(!held.contains(minute) || has("still_on")) << minute.first << " " << minute.second;
    EXPECT_TRUE(!odd.contains(minute) || has("_while_")) << minute.first << " " << minute.second;
  }

 private:
  std::map<std::string, std::int64_t> since_;
  std::map<std::string, bool> state_;
};

class Controller : public Recording {};

// "2024-04-15 12:00:00.3" → milliseconds since midnight.
std::int64_t day_ms(const std::string& stamp) {
  const double seconds = number(stamp.substr(17));
  return (std::atoi(stamp.substr(11, 2).c_str()) * 60 + std::atoi(stamp.substr(14, 2).c_str())) *
             std::int64_t{60'000} +
         std::llround(seconds * 1e3);
}

TEST_F(Controller, ARealLogGivesPlausiblePeriodsAndFlagsEveryOddEdge) {
  const fs::path path = data_folder() / "atspm" / "detector_events.csv.gz";
  if (!fs::exists(path)) GTEST_SKIP() << "no recording at " << path;
  auto rows = rows_of(path);
  // 82 = detector on, 81 = off; the rest (pedestrian buttons) is not ours.
  std::erase_if(rows, [](const auto& row) { return row[2] != "81" && row[2] != "82"; });
  std::map<std::string, std::uint16_t> lines;
  for (const auto& row : rows) lines.emplace(row[3], 0);
  std::string options = R"({"lanes": {)";
  std::uint16_t next = 0;
  for (auto& [detector, line] : lines) {
    line = next++;
    options += text_of(R"(%s"d%s": {"uid": %d, "loops": ["%s"]})", line == 0 ? "" : ",",
                       detector.c_str(), 1000 + line, detector.c_str());
  }
  ASSERT_EQ(lines.size(), 23u);
  const std::int64_t origin_ms = day_ms(rows.front()[0]) / 60'000 * 60'000;
  std::vector<hal::Edge> edges;
  Dirt dirt;
  std::int64_t on_edges = 0;
  for (const auto& row : rows) {
    const std::int64_t ms = day_ms(row[0]) - origin_ms;
    const bool on = row[2] == "82";
    edges.push_back({at_ms(ms), 100'000, 0, lines[row[3]], on});
    on_edges += on ? 1 : 0;
    dirt.take("d" + row[3], ms, on);
  }
  EXPECT_GT(dirt.near.size(), 50u);
  EXPECT_GT(dirt.held.size(), 0u);
  bed_.start(drivers::loop_detector_driver, options + "}}");
  play(edges);
  // The log ends within vehicles: longer, and they would stand there for good.
  bed_.run_for(Seconds{10});
  std::int64_t counted = 0;
  for (const auto& period : bed_.periods()) {
    ASSERT_TRUE(period.count && period.occupancy_percent);
    counted += *period.count;
    EXPECT_EQ(period.count, period.unclassified_count);
    EXPECT_LE(*period.count, 60);
    EXPECT_GE(*period.occupancy_percent, 0.0);
    EXPECT_LE(*period.occupancy_percent, 100.0);
    EXPECT_EQ(period.coverage, 1.0);
    dirt.expect_said({period.lane, (s_of(*period.start.wall) - kBedStartS) / 60}, period.flags);
  }
  const Status status = bed_.driver().status();
  std::printf("%lld edges, %lld odd in the log, %lld odd found, %lld counted\n",
              static_cast<long long>(edges.size()), static_cast<long long>(dirt.odd_edges),
              static_cast<long long>(status.integer("odd_edges")), static_cast<long long>(counted));
  for (const std::string& alarm : bed_.alarms()) std::printf("%s\n", alarm.c_str());
  EXPECT_TRUE(bed_.alarms().empty());
  EXPECT_GE(counted, on_edges - dirt.odd_edges);
  EXPECT_LE(counted, on_edges);
}

}  // namespace
}  // namespace berm::test
