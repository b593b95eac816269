// SPDX-License-Identifier: Apache-2.0
// Every maximum of the configuration, in one place.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hal/base/time.hpp"

namespace berm::control {

inline constexpr std::size_t kMaxDocumentBytes = 1u << 20;
inline constexpr std::size_t kMaxDrivers = 64;
inline constexpr std::size_t kMaxUplinks = 16;
inline constexpr std::size_t kMaxHeaders = 32;  // of one http uplink
inline constexpr std::size_t kMaxUrlBytes = 2048;
inline constexpr std::size_t kMaxFaults = 200;  // reported; the rest is counted in one line

// --- remote control ---
inline constexpr std::size_t kMaxGroups = 16;
inline constexpr std::size_t kMaxRemoteDocumentBytes = 256u << 10;  // of one layer, as it arrives
inline constexpr std::size_t kMaxEnvelopeBytes = 2 * kMaxRemoteDocumentBytes;  // base64 and keys
// Of remote.json: each layer may wait, be tried and be in force, and numbers grow when written.
inline constexpr std::size_t kMaxStateBytes = 32u << 20;
// So that it can still be read where it is stored, some levels further in.
inline constexpr std::size_t kMaxRemoteDepth = 20;
inline constexpr std::int64_t kMaxSequence = 9007199254740991;  // 2^53 - 1: what JSON holds
inline constexpr std::size_t kMaxWhoBytes = 200;                // of `who` and `why`
inline constexpr std::size_t kMaxReasonBytes = 1000;            // of what is reported
inline constexpr std::size_t kMaxReportedFaults = 10;
inline constexpr std::size_t kHistoryKept = 20;
inline constexpr std::int64_t kMaxSpreadS = 604800;
inline constexpr Seconds kMaxProbe{20};       // a dry run's trials
inline constexpr Seconds kProbeAgain{5};      // while a trial runs
inline constexpr Seconds kSaveAgain{5};       // a state that could not be stored
inline constexpr Seconds kIgnoredReport{60};  // what was ignored is reported this often
inline constexpr Seconds kForgedReport{10};   // what nobody signed is reported this often
// A forged message costs a signature check: a few a second, the rest is dropped unread.
inline constexpr int kMaxMessagesPerSecond = 20;

// --- commands ---
inline constexpr std::size_t kMaxCommandBytes = 16384;
inline constexpr std::size_t kMaxCommandIdBytes = 64;
inline constexpr std::size_t kCommandsRemembered = 64;  // that changed something; with answers
inline constexpr std::size_t kQuestionsRemembered = 32;
inline constexpr std::size_t kMaxCommandsRunning = 4;
inline constexpr int kMaxCommandsPerMinute = 30;
inline constexpr std::size_t kChunkBytes = 32u << 10;  // of a result that does not fit one message
inline constexpr std::size_t kMaxResultBytes = 4u << 20;
inline constexpr Seconds kCommandTimeout{60};  // where the command does not say
inline constexpr Seconds kMaxCommandTimeout{86400};

}  // namespace berm::control
