// SPDX-License-Identifier: Apache-2.0
// Merging: makes room without losing a vehicle [outbox-5]. Periods that were never offered to any
// uplink become longer ones: quarter hours, hours, civil days of the node's zone, the oldest first
// and each level as far as it goes before the next: first what is older than the level's reserve
// (a day of minutes, a week of quarter hours, a month of hours), then, when even that is not
// enough, everything whose part of the day is over. The new event is one of the same stream of the
// present epoch, the originals are closed by a gap record (`merged`, vehicles 0, `into`), all in
// one transaction. Only periods that follow one another without a hole are merged: what is merged
// covers exactly what its originals covered. What is left alone: other epochs (a cloned card has
// them too), events in flight, with another version of the table, or without a settled time.
// A step reads at most kMergeSegments rows with kMergeEvents events, one row at a time, and keeps
// at most kMergeChains sums of 1 kB. Inside an open transaction. Executor thread only.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "firmware/event/period_sum.hpp"
#include "firmware/outbox/core.hpp"
#include "firmware/outbox/limits.hpp"

namespace berm::outbox {

// Where a search goes on; all of it may be forgotten.
struct MergeCursor {
  std::array<std::int64_t, kMergeLevels + 1> next{1, 1, 1, 1};  // [level]
  // Before that time (of the newest event) a pass finds nothing; 0: it must look.
  std::array<std::int64_t, 2 * kMergeLevels> quiet_until_s{};
  std::int64_t newest_s = 0;
};

struct Merged {
  std::int64_t originals = 0;
  std::int64_t events = 0;  // what they became
  bool has_changed = false;
};

class Merging {
 public:
  Merging(Core core, MergeCursor& cursor) : core_(core), cursor_(cursor) {}
  // One step of the first level that has something to merge; nothing has changed: there is none.
  Result<Merged> step();
  // When the oldest event that may still be merged from its original was made (s).
  Result<std::optional<std::int64_t>> oldest_unmerged_s();

 private:
  // A run of periods of one lane in one part of the day, and what they come to.
  struct Chain {
    event::PeriodSum sum;
    std::int64_t part_s = 0;  // when the part began
    WallTime begin;
    std::int64_t end_s = 0;
    std::int64_t mono_us = 0;
    std::int64_t anchor = 0;  // of an estimate that may still be corrected
    ClockSource clock = ClockSource::none;
    std::optional<std::int64_t> vehicles;
    std::int64_t periods = 1;
    std::string source, key;
  };
  struct Source {
    SegmentRow row;
    std::int64_t first_part_s = INT64_MAX;
    std::int64_t last_part_s = INT64_MIN;
    bool has_strange = false;  // events that cannot be merged
  };
  // The time of a row's events: from this anchor; `id`: the one that is to be kept, 0: none.
  struct Clockwork {
    std::optional<Anchor> anchor;
    std::int64_t id = 0;
  };
  Result<std::optional<SeriesIndex>> series();
  Result<Merged> merge_level(SeriesIndex index, std::int64_t level, std::int64_t before_s);
  Result<bool> collect(SeriesIndex index, std::int64_t level, std::int64_t before_s);
  Result<void> take_in(const SegmentRow& row, std::int64_t level, std::int64_t before_s);
  void leave_last_part();
  void chain_up(const Record& record, event::PeriodSum sum, const Clockwork& clockwork,
                std::int64_t part_s);
  Result<Clockwork> clockwork_of(const SegmentRow& row);
  std::int64_t part_of(const Record& record, const Clockwork& clockwork, std::int64_t level) const;
  Result<void> close_sources(std::int64_t level, RangeSet& consumed);
  Result<void> split(const SegmentRow& row, std::int64_t level, RangeSet& consumed);
  Result<bool> promote(std::int64_t level);
  void wake(std::int64_t level);
  Result<void> raise(const SegmentRow& row, std::int64_t level);
  Result<std::string> write_chains(SeriesIndex index, std::int64_t level);
  Result<std::size_t> write_segment(SeriesIndex index, std::span<const Chain* const> chains,
                                    std::int64_t level);
  Result<void> record(SeriesIndex index, const RangeSet& consumed, std::string into);

  Core core_;
  MergeCursor& cursor_;
  std::optional<event::PeriodTable> table_;
  std::vector<Source> sources_;
  std::vector<Chain> chains_;
  std::map<std::string, std::size_t> open_;  // by source and key: into chains_
  std::int64_t cut_s_ = INT64_MAX;           // parts from then on stay as they are
  std::int64_t ready_s_ = 0;                 // when the part that is waited for is over
};

// How long the parts of the day of a level are.
std::int64_t part_length_s(std::int64_t level);

}  // namespace berm::outbox
