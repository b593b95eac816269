// SPDX-License-Identifier: Apache-2.0
// Every maximum of miv_feed. The real feed has 4,254 points in 8.1 MB and 2.5 MB of points list.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hal/base/time.hpp"

namespace berm::drivers::miv_feed {

inline constexpr std::size_t kMaxPoints = 16384;  // known at a time; more are counted, not reported
inline constexpr std::size_t kMaxDocumentBytes = 32u << 20;  // unpacked, of either document
inline constexpr std::size_t kMaxUnknownElements = 65536;    // of one document: expat keeps names
inline constexpr std::size_t kMaxNameBytes = 200;            // volledige_naam
inline constexpr std::size_t kMaxCodeBytes = 32;             // Ident_8, Rijstrook
inline constexpr std::size_t kMaxUrlBytes = 2048;
inline constexpr std::size_t kMaxValidatorBytes = 1024;  // ETag, Last-Modified

inline constexpr std::int64_t kMinuteS = 60;       // what a measured point covers
inline constexpr std::int64_t kStaleAfterS = 180;  // publication − observation; usual: 114…127
inline constexpr std::int64_t kOldDocumentAfterS = 180;  // clock − publication
inline constexpr std::int64_t kMaxCount = 100'000;       // vehicles of a class in a minute
inline constexpr std::int64_t kMaxSpeedKmh = 200;        // above are sentinels: 251, 252, 254
inline constexpr std::int64_t kMaxUnrest = 1'000'000;    // km²/h²

inline constexpr Milliseconds kRequestTimeout{50'000};
inline constexpr Milliseconds kFirstRetry{5'000};
inline constexpr Milliseconds kLastRetry{300'000};
inline constexpr std::int64_t kMaxRetryAfterS = 3600;
inline constexpr int kAlarmAfterFailures = 2;
inline constexpr Seconds kTellingPatience{5};  // for points to be committed before the data
inline constexpr Seconds kListPeriod{3600};    // of a list the server gives no ETag or date for
inline constexpr Seconds kPointPeriod{86400};  // each point is told again

inline constexpr std::size_t kMaxCheckpointBytes = 64u << 10;
inline constexpr std::size_t kMaxMemoryBytes = 40u
                                               << 10;  // of it, before what is new in a document
inline constexpr std::size_t kMemoryBlocks = 3;        // of 64 minutes, kept for each point

}  // namespace berm::drivers::miv_feed
