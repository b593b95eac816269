// SPDX-License-Identifier: Apache-2.0
// Every maximum, period and step of the uplinks, in one place. Source of each:
// firmware/spec/uplink.md.
#pragma once

#include <cstddef>

#include "firmware/codec/event_headers.hpp"
#include "firmware/outbox/outbox.hpp"
#include "hal/base/time.hpp"

namespace berm::uplink {

// --- backoff: full jitter under a ceiling that doubles ---
inline constexpr Milliseconds kBackoffFirst{2000};      // ceiling of the first wait
inline constexpr Milliseconds kBackoffMin{100};         // no wait is shorter
inline constexpr Milliseconds kBackoffCap{300'000};     // ceiling for an endpoint at fault
inline constexpr Milliseconds kBusyBackoffCap{60'000};  // ceiling for one that is only busy
inline constexpr Seconds kStablePeriod{60};     // without a failure: the ceiling starts anew
inline constexpr Seconds kMaxRetryAfter{3600};  // a server cannot silence a node for longer
inline constexpr Seconds kTakeoverWait{300};    // two nodes of one name: the loser stays away

// --- batch limit: halve at once, grow slowly ---
inline constexpr std::size_t kGrowAfter = 4;           // full batches before a step upward
inline constexpr std::size_t kProbeAfterFirst = 256;   // … before a step to a size once too large
inline constexpr std::size_t kProbeAfterMax = 16'384;  // doubles with each failed probe up to this

// --- refusals ---
inline constexpr std::size_t kMaxRefusedInARow = 3;  // with nothing accepted between: `rejecting`
inline constexpr std::size_t kMaxRemembered = 16;    // refused events that are known by name
inline constexpr std::size_t kProbeEvents = 128;  // read while some are: enough others among them
inline constexpr std::size_t kProbeBytes = 4u << 20;

// --- alarms ---
inline constexpr Seconds kDownAfter{30};          // of unbroken trouble until `uplink_down`
inline constexpr Seconds kConnectedAfter{10};     // a connection that lasts this long is up again
inline constexpr Seconds kRefusedAlarmFor{3600};  // after the last event that was set aside
inline constexpr Seconds kIdentityAlarmFor{900};  // connected without another takeover

// --- presence ---
inline constexpr std::size_t kMaxForeignInstances = 8;  // of this node's name, on one broker

// --- forwarder and transports ---
inline constexpr Seconds kOutboxRetry{5};             // after a take that failed
inline constexpr std::size_t kMaxReasonLength = 200;  // characters of a server's own words
inline constexpr Microseconds kAtOnce{1'000'000};     // a 503 sooner than this is the batch limit
inline constexpr std::size_t kMaxAnswerBytes =
    16'384;  // of an error page; more is a failure anyway
inline constexpr Milliseconds kPubackTimeout{30'000};
inline constexpr std::size_t kMqttControlSlots =
    12;  // beside the window: state messages, the control channel
inline constexpr std::size_t kTailChunk =
    65'536;  // read back at a time when looking for a torn line
inline constexpr std::size_t kMaxUnsyncedBytes = 2u << 20;  // one append: a batch or one event
inline constexpr std::size_t kRepairedDays = 3;             // today's folder and the two newest

static_assert(outbox::kMaxEventBytes <= codec::kMaxBodyBytes);

}  // namespace berm::uplink
