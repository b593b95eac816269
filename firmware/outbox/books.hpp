// SPDX-License-Identifier: Apache-2.0
// Books: what the outbox knows in memory: the series, what each uplink has not had, the clock's
// anchor. A value: a transaction works on it and a copy of before is put back when the transaction
// fails, so memory and database never disagree. Size: a few hundred bytes per series and uplink,
// whatever the backlog. Executor thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "firmware/event/schema.hpp"
#include "firmware/outbox/manifest_sums.hpp"
#include "firmware/outbox/outbox.hpp"
#include "firmware/outbox/range_set.hpp"

namespace berm::outbox {

struct EpochRecord {
  std::int64_t id = 0;
  std::string epoch;
  std::string node;
};

using SeriesIndex = std::size_t;  // into Books::series

struct Series {
  std::int64_t id = 0;
  std::size_t epoch = 0;  // into Books::epochs
  const event::StreamSchema* schema = nullptr;
  std::int64_t next_seq = 1;
  std::int64_t gone = 0;
  std::int64_t offered_below = 1;
  RangeSet offered{kMaxRanges};  // what may have been offered beyond that
  bool is_offered(Range range) const {
    return range.first < offered_below || offered.touches(range);
  }
  std::int64_t manifested = 0;  // in a manifest up to here; kNoManifests: there are no more
  ManifestDebt debt;
  ManifestProgress summed;
  std::int64_t kept() const { return next_seq - 1 - gone; }
};

// One uplink and one series.
struct Track {
  bool is_wanted = false;  // the uplink's globs match the stream
  bool is_dirty = false;   // differs from the database
  RangeSet undelivered{kMaxRanges};
  RangeSet resend{kMaxRanges};  // of the undelivered: asked for once more
  RangeSet in_flight;
};

// At `mono` of that boot it was `wall`.
struct Anchor {
  std::int64_t id = 0;  // 0: not stored yet
  std::int64_t boot = 0;
  std::int64_t mono_us = 0;
  std::int64_t wall_us = 0;
  ClockSource source = ClockSource::none;
  std::int64_t offset() const { return wall_us - mono_us; }
};

struct Books {
  std::vector<EpochRecord> epochs;
  std::size_t epoch = 0;  // the present one
  std::vector<Series> series;
  std::vector<std::vector<Track>> tracks;  // [uplink][series]
  std::int64_t next_ordinal = 1;
  std::int64_t boot = 0;             // row of the present boot; 0: none yet
  std::optional<Anchor> anchor;      // of the present boot
  bool has_unsettled = false;        // segments wait for a clock
  bool has_estimate = false;         // an estimated anchor of this boot may need its correction
  std::int64_t unsaved_settled = 0;  // events settled since delivery state was written

  std::optional<SeriesIndex> find(std::size_t epoch_index, std::string_view stream) const;
  std::optional<SeriesIndex> find(std::string_view epoch_name, std::string_view stream) const;
  std::int64_t waiting(UplinkIndex uplink) const;
  std::int64_t events() const;
  std::int64_t gaps() const;
};

bool wants(const UplinkInterest& uplink, std::string_view stream);
event::WhenFull when_full(const OutboxOptions& options, const event::StreamSchema& schema);
std::int64_t max_age_s(const OutboxOptions& options, std::string_view stream);
// Streams that go last: alarms and the ledger.
inline bool goes_last(const event::StreamSchema& schema) {
  return schema.is_ledger || schema.is_urgent;
}

}  // namespace berm::outbox
