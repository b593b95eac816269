// SPDX-License-Identifier: Apache-2.0
#include "bench/loops_bench/traffic_day.hpp"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "drivers/traffic/length_classes.hpp"
#include "hal/base/text.hpp"

namespace berm::bench {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows rows_of(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) {
    std::fprintf(stderr, "loops: cannot read %s\n", path.c_str());
    std::exit(1);
  }
  Rows rows;
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
std::int64_t whole_us(const std::string& seconds) {
  return std::llround(number(seconds) * 1e3) * 1000;
}

void read_pulses(const Rows& rows, TrafficDay& day) {
  std::vector<std::int64_t> since(2 * kLanes, -1);
  for (const auto& row : rows) {
    const auto line = static_cast<std::size_t>((row[1][0] - '0') * 2 + (row[1][1] == 'B' ? 1 : 0));
    const std::int64_t time_us = whole_us(row[0]);
    day.end_us = std::max(day.end_us, time_us);
    if (row[2] == "1") {
      since[line] = time_us;
    } else if (since[line] >= 0) {
      day.lines[line].push_back({since[line], time_us});
      since[line] = -1;
    }
  }
}

}  // namespace

TrafficDay read_day(const std::string& name) {
  TrafficDay day;
  const bool is_folder = std::filesystem::is_directory(name);
  const std::string stem = is_folder ? name + "/" : name + ".";
  read_pulses(rows_of(stem + "edges.csv.gz"), day);
  std::set<std::pair<int, std::int64_t>> pulsed;
  for (int lane = 0; lane < kLanes; ++lane) {
    for (const Pulse& pulse : day.lines[static_cast<std::size_t>(2 * lane)])
      pulsed.emplace(lane, pulse.on_us);
  }
  for (const auto& row : rows_of(stem + "truth.csv.gz")) {
    Vehicle vehicle;
    vehicle.time_us = whole_us(row[0]);
    vehicle.lane = row[1][0] - '0';
    vehicle.length_m = number(row[4]);
    vehicle.length_class = drivers::traffic::length_class(vehicle.length_m);
    const double crossing = number(row[7]);
    vehicle.has_both = !std::isnan(crossing);
    vehicle.speed_kmh = 3.6 * (vehicle.has_both ? crossing : number(row[6]));
    if (pulsed.contains({vehicle.lane, vehicle.time_us})) day.vehicles.push_back(vehicle);
  }
  return day;
}

TrafficDay quiet_days(double per_hour, int days, std::uint64_t seed) {
  TrafficDay day;
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> gap_s(per_hour / 3600.0);
  std::normal_distribution<double> speed(110.0, 12.0);
  std::uniform_real_distribution<double> length(3.6, 4.8);
  day.end_us = std::int64_t{days} * 86'400 * 1'000'000;
  for (int lane = 0; lane < kLanes; ++lane) {
    std::int64_t time_us = 0;
    while (true) {
      time_us += 1'500'000 + static_cast<std::int64_t>(gap_s(random) * 1e6);
      if (time_us >= day.end_us - 5'000'000) break;
      const double kmh = std::clamp(speed(random), 60.0, 180.0);
      const double m = length(random);
      const auto us = [&](double metres) {
        return static_cast<std::int64_t>(metres / (kmh / 3.6) * 1e6);
      };
      const std::int64_t second_us = time_us + us(kSpacingM);
      const auto line = static_cast<std::size_t>(2 * lane);
      day.lines[line].push_back({time_us, time_us + us(m + kLoopM)});
      day.lines[line + 1].push_back({second_us, second_us + us(m + kLoopM)});
      day.vehicles.push_back({time_us, lane, kmh, m, drivers::traffic::length_class(m), true});
    }
  }
  return day;
}

}  // namespace berm::bench
