// SPDX-License-Identifier: Apache-2.0
// Event: an observation with identity. Its life: a driver's observation is written once, as `Draft`
// (everything but identity and, while the clock is unknown, its time); the outbox gives it epoch
// and sequence as it commits; the finished line is composed at its first offer and is the same ever
// after. All functions are pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "drivers/api/observation.hpp"
#include "firmware/event/schema.hpp"
#include "hal/base/result.hpp"
#include "hal/base/time.hpp"

namespace berm::event {

// An event before its commit. `tail` holds the stream's own fields as JSON members, each with a
// comma before it: `,"uid":92301,"lane":"R10"`.
struct Draft {
  const StreamSchema* schema = nullptr;
  std::string source;            // driver's name
  MonoTime mono;                 // when it happened (period: its start), in this boot
  std::optional<WallTime> wall;  // empty: derived from `mono` once the clock is known
  ClockSource clock = ClockSource::none;
  MonoTime made_mono;  // when the event was made
  std::optional<WallTime> made_wall;
  std::string key;  // Kafka key; empty: the node
  std::optional<std::int64_t>
      vehicles;  // what a gap record must account for (`count` of a lane period)
  std::string tail;
};

// Writes the observation by its stream's table: all fields present, unknown ones null. Error
// invalid: an unknown stream, or a Row with a field or a type the table does not have. `made` is
// the instant of the call on both clocks.
struct Made {
  MonoTime mono;
  std::optional<WallTime> wall;
};
Result<Draft> write_draft(const drivers::Observation& observation, std::string_view source,
                          Made made);

// Who an event is.
struct Identity {
  std::string_view node;
  std::string_view epoch;
  std::int64_t seq = 0;
};

// The finished line (without newline) of an event whose time is settled.
struct SettledTime {
  WallTime time;
  ClockSource clock = ClockSource::none;
};
void compose_line(const StreamSchema& schema, const Identity& identity, SettledTime when,
                  std::string_view source, std::string_view tail, std::string& out);

// "node/epoch/stream/seq"
std::string event_id(const StreamSchema& schema, const Identity& identity);

// An event as an uplink sees it.
struct Event {
  const StreamSchema* schema = nullptr;
  std::string epoch;
  std::int64_t seq = 0;
  std::string line;                     // final bytes, no newline
  std::string key;                      // Kafka key
  std::optional<std::int64_t> made_ms;  // epoch ms; empty while the clock was unknown
  std::int64_t time_s = 0;
};

}  // namespace berm::event
