// SPDX-License-Identifier: Apache-2.0
// Every maximum and threshold of the traffic engine, by name. Times are µs of monotonic time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace berm::drivers::traffic {

inline constexpr std::int64_t kSecondUs = 1'000'000;

inline constexpr std::size_t kMaxLanes = 64;        // of one driver
inline constexpr std::size_t kMaxOpenPeriods = 8;   // begun and not yet emitted, per driver
inline constexpr std::size_t kMaxOpenPassages = 8;  // per lane, between two leading edges
inline constexpr std::size_t kMaxRecentHalves = 4;  // per lane, for the neighbour rule
inline constexpr std::size_t kMaxUsedSpans = 8;     // stretches of wall time already reported
inline constexpr std::size_t kMaxCheckpointBytes = 65536;
inline constexpr std::size_t kMaxMissedPerTurn = 256;  // observations about missed periods per turn

// A period is emitted between these two after its end: kernel stamps may arrive late by
// milliseconds, a vehicle may still be on the loops.
inline constexpr std::int64_t kCloseEarliestUs = 200'000;
inline constexpr std::int64_t kCloseLatestUs = 5 * kSecondUs;
// A stamp further ahead of the loop's clock than this is not believed (a wrong time base).
inline constexpr std::int64_t kMaxEdgeAheadUs = 3600 * kSecondUs;
// The wall clock may be slewed by this much over one period without being called a step.
inline constexpr std::int64_t kClockSlackUs = 500'000;
// Periods whose start may have been reported before are longer than period_s by at most this.
inline constexpr std::uint32_t kMaxLongerS = 60;
// Missed periods are reported one by one for this long, the rest as one record.
inline constexpr std::int64_t kMissedSinglyS = 86'400;
inline constexpr std::size_t kMaxMissedStretches = 4;  // beyond: the two oldest are reported as one
inline constexpr std::int64_t kMissedPauseUs = 50'000;  // between two batches of them

inline constexpr double kMaxPlausibleKmh = 250.0;
inline constexpr double kMinPlausibleLengthM = -0.5;  // noise of a motorcycle; reported as 0
inline constexpr double kMaxPlausibleLengthM = 30.0;
inline constexpr std::uint32_t kCoarseUs = 5'000;      // pair speeds are flagged above
inline constexpr std::uint32_t kCountOnlyUs = 20'000;  // no speed, length, class above

// A passage over the second loop only waits this long for a matching one on a neighbour lane.
inline constexpr std::int64_t kSecondOnlyWaitUs = 1'500'000;
// Two pulses of the second loop closer than this are one broken one (Lee & Coifman 2011: 1/15…1/5
// s).
inline constexpr std::int64_t kPulseBreakUs = 200'000;
// A vehicle that left the first loop is waited for at most this long.
inline constexpr std::int64_t kMaxCrossingUs = 10 * kSecondUs;
// Contract: a second-loop-only passage counts where no neighbour lane has a matching one.
inline constexpr bool kCountUnmatchedSecond = true;

}  // namespace berm::drivers::traffic
