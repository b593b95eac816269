// SPDX-License-Identifier: Apache-2.0
#include "bench/loops_bench/dirt.hpp"

#include <algorithm>

namespace berm::bench {
namespace {

constexpr std::int64_t kShortestUs = 1000;

double share_of(Random& random) {
  return std::uniform_real_distribution<double>(0.0, 1.0)(random);
}
std::int64_t between(std::int64_t from, std::int64_t to, Random& random) {
  return std::uniform_int_distribution<std::int64_t>(from, std::max(from, to))(random);
}

// In order and apart: what overlaps is one pulse, as it is on a wire.
void tidy(std::vector<Pulse>& pulses) {
  std::sort(pulses.begin(), pulses.end(),
            [](const Pulse& a, const Pulse& b) { return a.on_us < b.on_us; });
  std::vector<Pulse> apart;
  for (const Pulse& pulse : pulses) {
    if (!apart.empty() && pulse.on_us <= apart.back().off_us) {
      apart.back().off_us = std::max(apart.back().off_us, pulse.off_us);
    } else {
      apart.push_back(pulse);
    }
  }
  pulses = std::move(apart);
}

void clear(std::vector<Pulse>& pulses, std::int64_t from_us, std::int64_t to_us) {
  std::erase_if(pulses,
                [&](const Pulse& pulse) { return pulse.off_us > from_us && pulse.on_us < to_us; });
}

int neighbour_of(int lane, Random& random) {
  if (lane == 0) return 1;
  if (lane == kLanes - 1) return lane - 1;
  return share_of(random) < 0.5 ? lane - 1 : lane + 1;
}

Pulse shadow_of(const Pulse& pulse, Random& random) {
  const std::int64_t length_us = pulse.off_us - pulse.on_us;
  const std::int64_t less_us = between(0, length_us * 2 / 5, random);
  const std::int64_t later_us = between(0, less_us, random);
  return {pulse.on_us + later_us, pulse.off_us - (less_us - later_us)};
}

std::size_t at(int line) {
  return static_cast<std::size_t>(line);
}

}  // namespace

void jitter(TrafficDay& day, std::int64_t most_us, Random& random) {
  for (auto& pulses : day.lines) {
    for (Pulse& pulse : pulses) {
      pulse.on_us = std::max<std::int64_t>(0, pulse.on_us + between(-most_us, most_us, random));
      pulse.off_us =
          std::max(pulse.on_us + kShortestUs, pulse.off_us + between(-most_us, most_us, random));
    }
    // A wire keeps its order: what jitter would turn round is a millisecond apart.
    for (std::size_t i = 1; i < pulses.size(); ++i) {
      pulses[i].on_us = std::max(pulses[i].on_us, pulses[i - 1].off_us + kShortestUs);
      pulses[i].off_us = std::max(pulses[i].off_us, pulses[i].on_us + kShortestUs);
    }
  }
}

void split_pulses(TrafficDay& day, double share, Random& random) {
  constexpr std::int64_t kLeastHoleUs = 20'000;
  constexpr std::int64_t kMostHoleUs = 150'000;
  constexpr std::int64_t kLeastRestUs = 10'000;
  for (auto& pulses : day.lines) {
    std::vector<Pulse> broken;
    for (const Pulse& pulse : pulses) {
      const std::int64_t length_us = pulse.off_us - pulse.on_us;
      if (share_of(random) >= share || length_us < 2 * kLeastHoleUs + 2 * kLeastRestUs) {
        broken.push_back(pulse);
        continue;
      }
      const std::int64_t hole_us =
          between(kLeastHoleUs, std::min(kMostHoleUs, length_us / 2), random);
      const std::int64_t first_us =
          between(kLeastRestUs, length_us - hole_us - kLeastRestUs, random);
      broken.push_back({pulse.on_us, pulse.on_us + first_us});
      broken.push_back({pulse.on_us + first_us + hole_us, pulse.off_us});
    }
    pulses = std::move(broken);
  }
}

void miss_pulses(TrafficDay& day, double share, Random& random) {
  for (auto& pulses : day.lines) {
    std::erase_if(pulses, [&](const Pulse&) { return share_of(random) < share / 2; });
  }
}

void crosstalk(TrafficDay& day, double share, Random& random) {
  const auto perfect = day.lines;
  for (int line = 0; line < 2 * kLanes; ++line) {
    for (const Pulse& pulse : perfect[at(line)]) {
      if (share_of(random) >= share) continue;
      const int other = neighbour_of(line / 2, random) * 2 + line % 2;
      day.lines[at(other)].push_back(shadow_of(pulse, random));
    }
  }
  for (auto& pulses : day.lines) tidy(pulses);
}

void straddle(TrafficDay& day, double share, Random& random) {
  const auto perfect = day.lines;
  for (const Vehicle& vehicle : day.vehicles) {
    if (!vehicle.has_both || share_of(random) >= share) continue;
    const int other = neighbour_of(vehicle.lane, random);
    const auto& first = perfect[at(2 * vehicle.lane)];
    const auto& second = perfect[at(2 * vehicle.lane + 1)];
    const auto from = [](const std::vector<Pulse>& pulses, std::int64_t us) {
      return std::find_if(pulses.begin(), pulses.end(),
                          [us](const Pulse& pulse) { return pulse.on_us >= us; });
    };
    const auto a = from(first, vehicle.time_us);
    const auto b = from(second, vehicle.time_us);
    if (a == first.end() || b == second.end()) continue;
    day.lines[at(2 * other)].push_back({a->on_us + 2000, a->off_us - 2000});
    day.lines[at(2 * other + 1)].push_back({b->on_us + 2000, b->off_us - 2000});
  }
  for (auto& pulses : day.lines) tidy(pulses);
}

void dead(TrafficDay& day, int line, std::int64_t from_us, std::int64_t to_us) {
  clear(day.lines[at(line)], from_us, to_us);
}

void stuck_on(TrafficDay& day, int line, std::int64_t from_us, std::int64_t to_us) {
  clear(day.lines[at(line)], from_us, to_us);
  day.lines[at(line)].push_back({from_us, to_us});
  tidy(day.lines[at(line)]);
}

void chatter(TrafficDay& day, int line, std::int64_t from_us, std::int64_t to_us, double hz) {
  clear(day.lines[at(line)], from_us, to_us);
  const auto period_us = static_cast<std::int64_t>(1e6 / hz);
  for (std::int64_t time_us = from_us; time_us + period_us <= to_us; time_us += period_us) {
    day.lines[at(line)].push_back({time_us, time_us + period_us / 2});
  }
  tidy(day.lines[at(line)]);
}

void lengthen(TrafficDay& day, int line, double share, std::int64_t from_us) {
  for (Pulse& pulse : day.lines[at(line)]) {
    if (pulse.on_us < from_us) continue;
    const double length_us = static_cast<double>(pulse.off_us - pulse.on_us);
    pulse.off_us += static_cast<std::int64_t>(share * length_us);
  }
  tidy(day.lines[at(line)]);
}

std::vector<hal::Edge> edges_of(const TrafficDay& day, std::int64_t origin_us,
                                std::uint32_t resolution_us) {
  std::vector<hal::Edge> edges;
  for (std::size_t line = 0; line < day.lines.size(); ++line) {
    for (const Pulse& pulse : day.lines[line]) {
      hal::Edge edge;
      edge.resolution_us = resolution_us;
      edge.line = static_cast<std::uint16_t>(line);
      edge.time = mono_us(origin_us + pulse.on_us);
      edge.on = true;
      edges.push_back(edge);
      edge.time = mono_us(origin_us + pulse.off_us);
      edge.on = false;
      edges.push_back(edge);
    }
  }
  std::stable_sort(edges.begin(), edges.end(),
                   [](const hal::Edge& a, const hal::Edge& b) { return a.time < b.time; });
  return edges;
}

}  // namespace berm::bench
