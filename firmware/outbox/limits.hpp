// SPDX-License-Identifier: Apache-2.0
// Every maximum of the outbox that is not part of its public face (outbox.hpp has those).
#pragma once

#include <cstddef>
#include <cstdint>

#include "hal/base/time.hpp"

namespace berm::outbox {

inline constexpr std::size_t kMaxUplinks = 31;               // a set of uplinks is one word
inline constexpr std::size_t kMaxSegmentEvents = 1024;       // events of one row
inline constexpr std::size_t kMaxSegmentBytes = 256u << 10;  // of tails in one row; one event fits
inline constexpr std::size_t kCommitEarlyBytes = 1u << 20;   // waiting: committed before their time
inline constexpr std::size_t kMaxBodyBytes = 8u << 20;       // what a stored body may expand to
inline constexpr std::size_t kMinCompressedBytes = 200;      // smaller bodies stay plain
inline constexpr int kCompressionLevel = 5;
inline constexpr int kCompressionTableLog = 16;  // entries of its search tables, as a power of two
inline constexpr std::int64_t kMaxSequence = (1ll << 40) - 1;  // of one stream and epoch
inline constexpr std::int64_t kMinOfferReserve =
    256;  // events marked as offered ahead of the offer
inline constexpr std::int64_t kOfferReserveBatches = 16;
inline constexpr std::int64_t kMaxSeries = 1ll << 22;  // streams × epochs

inline constexpr int kPageBytes = 1024;  // of a new database; an older one keeps its own
inline constexpr std::int64_t kCheckpointBytes = 512 << 10;  // of WAL before it is copied back
inline constexpr std::int64_t kWalLimitBytes = 1ll << 20;    // the file shrinks back to this
inline constexpr std::size_t kMaxLogRead = 64u << 20;        // a larger one is not looked at
inline constexpr std::int64_t kBallastBytes = 2 * kWalLimitBytes;
inline constexpr std::int64_t kMinCeilingBytes = 1ll
                                                 << 18;  // a smaller max_bytes is raised to this
inline constexpr int kCacheKibibytes = 512;

inline constexpr int kRetainAbovePercent = 90;  // of the ceiling: retention begins
inline constexpr int kRetainToPercent = 85;     // and ends
inline constexpr int kRelievedPercent = 80;     // streams that refuse take events again
inline constexpr int kPressedToPercent = 75;  // while they do not, delivered events go down to this
inline constexpr int kLastAbovePercent = 97;  // alarms and the ledger go as well
inline constexpr std::size_t kRetainSegments = 256;  // rows deleted in one transaction
inline constexpr std::int64_t kLevelStep = 16;       // in a row's codec: 1 more is 1 level more
inline constexpr std::int64_t kMergedMark = 128;     // … its periods are merged ones
inline constexpr std::int64_t kMergeLevels = 3;      // quarter hours, hours, days
inline constexpr std::size_t kMergeSegments = 512;   // rows read for one step of merging
inline constexpr std::int64_t kMergeEvents = 16384;  // in them, the last row's included
inline constexpr std::size_t kMergeChains = 8192;    // merged events of one step
inline constexpr std::size_t kMinJoined = 8;         // rows: fewer are left as they are
inline constexpr std::size_t kMaxJoined = 128;
inline constexpr std::int64_t kMaxJoinedEvents = 256;
inline constexpr std::size_t kJoinSearch = 1024;          // rows looked at in one step
inline constexpr std::int64_t kJoinAfterS = 3600;         // what waited so long waits longer
inline constexpr std::int64_t kPressedJoinAfterS = 600;   // where room is wanted
inline constexpr std::int64_t kMaxJoinBytes = 192 << 10;  // of one row's events, expanded
inline constexpr std::size_t kMaxDamagedKept = 2;
inline constexpr std::int64_t kWreckProbes = 4096;        // one by one over rows that do not read
inline constexpr std::size_t kSalvageRows = 64;           // in one step
inline constexpr std::size_t kSalvageBytes = 256u << 10;  // of bodies in one step
inline constexpr std::int64_t kSalvagedOrdinals = 1ll << 48;  // so far before those of today
inline constexpr std::size_t kMaxSalvageSeries = 256;         // of one wreck
inline constexpr int kMaxDisplaced = 100;                     // of one name
inline constexpr std::size_t kMaxEpochsNamed = 8;             // in the sidecar file
inline constexpr int kMaxEpochDraws = 16;                     // until one is new
inline constexpr std::size_t kMaxSetAside = 10'000;           // refused events kept
inline constexpr std::size_t kMaxCommands = 16;               // list, requeue, flush under way
inline constexpr std::size_t kExportBytes = 256u << 10;       // of lines in one part
inline constexpr std::size_t kExportRows = 1024;              // looked at for one part
inline constexpr std::size_t kMaxResendRows = 20'000;         // looked at for one request
inline constexpr std::int64_t kManifestEvents = 1024;         // summed in one step
inline constexpr std::size_t kMaxCheckpointBytes = 64u << 10;

inline constexpr Milliseconds kStateDelay{5'000};         // delivery state when much of it is new
inline constexpr Milliseconds kQuietStateDelay{120'000};  // and when little is
inline constexpr std::int64_t kMuchSettled = 500;         // events
inline constexpr Milliseconds kClockPoll{5'000};          // while events wait for the clock
inline constexpr Milliseconds kUpkeepPeriod{60'000};
inline constexpr Milliseconds kFirstManifest{300'000};     // from the start
inline constexpr Milliseconds kManifestPeriod{3'300'000};  // with what follows: under an hour
inline constexpr Milliseconds kManifestPatience{120'000};  // for a commit that comes anyway
inline constexpr Milliseconds kManifestPause{100};         // between two steps
inline constexpr Milliseconds kFirstRetry{1'000};
inline constexpr Milliseconds kLastRetry{60'000};
inline constexpr Milliseconds kSalvagePause{100};     // between two steps
inline constexpr Milliseconds kSalvageRetry{10'000};  // after a step that failed
inline constexpr Milliseconds kBusyRetry{50};         // the executor's queue was full
inline constexpr Microseconds kClockStep{1'000'000};  // beyond this an anchor is made anew

}  // namespace berm::outbox
