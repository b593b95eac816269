// SPDX-License-Identifier: Apache-2.0
// Dirt: what weather, wear and wiring do to perfect pulses. Each function changes a TrafficDay's
// lines in place; the same seed does the same. Used by the bench of the loops and by tests.
#pragma once

#include <random>

#include "bench/loops_bench/traffic_day.hpp"
#include "hal/edge_input.hpp"

namespace berm::bench {

using Random = std::mt19937_64;

// Every edge by up to ± `most_us`, uniform.
void jitter(TrafficDay& day, std::int64_t most_us, Random& random);
// `share` of the pulses get a hole of 20…150 ms, at most half of the pulse.
void split_pulses(TrafficDay& day, double share, Random& random);
// `share` of the vehicles leave no pulse on one of their two loops.
void miss_pulses(TrafficDay& day, double share, Random& random);
// `share` of the pulses are seen by the same loop of a neighbour lane too, shorter by up to 40 %.
void crosstalk(TrafficDay& day, double share, Random& random);
// `share` of the vehicles straddle: both of their pulses are seen on a neighbour lane too.
void straddle(TrafficDay& day, double share, Random& random);
// The line is off, on, or toggling at `hz` (half on, half off) within [from, to).
void dead(TrafficDay& day, int line, std::int64_t from_us, std::int64_t to_us);
void stuck_on(TrafficDay& day, int line, std::int64_t from_us, std::int64_t to_us);
void chatter(TrafficDay& day, int line, std::int64_t from_us, std::int64_t to_us, double hz);
// The pulses of a line are longer by `share`.
void lengthen(TrafficDay& day, int line, double share, std::int64_t from_us);

// The edges of all lines in the order of their time; `resolution_us` as the source would say.
std::vector<hal::Edge> edges_of(const TrafficDay& day, std::int64_t origin_us,
                                std::uint32_t resolution_us);

}  // namespace berm::bench
