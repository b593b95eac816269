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
// Two pulses of a loop closer than this may be one broken one (Lee & Coifman 2011: 1/15…1/5 s).
inline constexpr std::int64_t kPulseBreakUs = 200'000;
// Broken on both loops: above this speed no driver follows another at less than this distance from
// loop's end to loop's begin (0.33 s of headway at the least).
inline constexpr double kBreakupMps = 15.0;
inline constexpr double kBreakupGapM = 3.0;
// Crosstalk begins and ends within the pulse it is a shadow of, give or take this.
inline constexpr std::int64_t kShadowSlackUs = 15'000;
inline constexpr double kShadowShare = 0.5;         // and is at least so much of it
inline constexpr double kShadowEndShare = 0.05;     // and begins or ends with it, to so much of it
inline constexpr std::size_t kMaxRecentPulses = 6;  // per loop, for crosstalk and wrong way
inline constexpr double kFirstNoiseS = 0.003;  // of on_A − on_B, before a lane's own is learned
// A wrong-way passage is called so above this speed: below, two that follow may look like one.
inline constexpr double kWrongWayMps = 25.0 / 3.6;
inline constexpr double kWrongWayMismatch = 0.12;
// Slower, it reverses: where it was on both loops at once. Nobody reverses steadily.
inline constexpr double kReversingMismatch = 0.15;
// On the first loop for so long, on the second for so long and off that one first: it went back.
inline constexpr std::int64_t kReversingUs = 4 * kSecondUs;
inline constexpr std::int64_t kTouchedUs = 1 * kSecondUs;
// A vehicle that left the first loop is waited for at most this long.
inline constexpr std::int64_t kMaxCrossingUs = 10 * kSecondUs;
// Contract: a second-loop-only passage counts where no neighbour lane has a matching one.
inline constexpr bool kCountUnmatchedSecond = true;

// Diagnostics: what each means, and where it is from, stands in lane_health.hpp and the README of
// drivers/loop_detector.
inline constexpr std::int64_t kChatterWithinUs = 1 * kSecondUs;  // 8 rises
inline constexpr std::int64_t kChatterOverUs = 2 * kSecondUs;
inline constexpr std::int64_t kChatterSlowUs = 4 * kSecondUs;
inline constexpr std::uint32_t kDeadPulses = 6;
inline constexpr std::uint32_t kSuspectPulses = 2;  // alone: no lane changer
inline constexpr std::uint32_t kStuckPulses = 4;
inline constexpr std::int64_t kAloneLeastUs = 4 * kSecondUs;
inline constexpr std::uint8_t kProvenPulses = 4;
inline constexpr std::int64_t kPresenceLeastUs = 90 * kSecondUs;
inline constexpr double kPresenceLongest = 2.0;
inline constexpr std::uint64_t kPresenceOthers = 30;
inline constexpr double kSilentHeadways = 18.0;  // e^-18 = 1.5e-8
inline constexpr double kSilentLongest = 3.0;
inline constexpr double kSilentLeastS = 60.0;
inline constexpr double kSilentAlone = 10.0;  // times that where the others are silent or none
inline constexpr double kSilentTogetherLeastS = 12 * 3600.0;  // and this, where they are silent
inline constexpr double kSilentOnlyLeastS = 3600.0;           // and this, where there are none
inline constexpr double kSilentOthers = 8.0;  // silent: have counted no more than this
inline constexpr double kSilentOwn = 12.0;    // and than would have brought so many here
inline constexpr std::uint16_t kLeastHeadways = 32;
inline constexpr std::uint16_t kShareOver = 128;  // passages in a share's mean
inline constexpr std::uint16_t kShareLeast = 64;
inline constexpr double kMismatchShare = 0.08;
inline constexpr double kUnmatchedShare = 0.15;
inline constexpr double kCrosstalkShare = 0.05;
inline constexpr double kBreakupShare = 0.15;
inline constexpr double kDriftShare = 0.10;
inline constexpr std::uint16_t kDriftFast = 200;
inline constexpr std::uint16_t kDriftSlow = 5000;
inline constexpr std::uint16_t kDriftLeast = 1000;
inline constexpr double kShortestMeanOnS = 0.045;
inline constexpr double kLongestMeanM = 25.0;
inline constexpr std::int64_t kWrongWayOverUs = 300 * kSecondUs;  // reversing too
inline constexpr std::uint8_t kSwappedInARow = 5;
inline constexpr std::int64_t kHealthTickUs = 10 * kSecondUs;  // while there is traffic
inline constexpr std::int64_t kHealthQuietTickUs = 60 * kSecondUs;
inline constexpr std::int64_t kSampleUs = 30 * kSecondUs;
inline constexpr int kDayFromMinute = 5 * 60;
inline constexpr int kDayToMinute = 22 * 60;
inline constexpr std::uint16_t kDayLeastSamples = 1800;  // of 2040
inline constexpr std::uint16_t kDayEmpty = 1200;         // Chen 2003: S1
inline constexpr std::uint16_t kDayUncounted = 50;       // S2
inline constexpr std::uint16_t kDayCrowded = 200;        // S3
inline constexpr double kDayCrowdedOccupancy = 0.35;
inline constexpr double kDayLeastEntropyBits = 1.0;  // S4, in 32 bands of occupancy

}  // namespace berm::drivers::traffic
