// SPDX-License-Identifier: Apache-2.0
// Retention: what goes when space or time is up, and the gap records that say so [outbox-4]. By
// age: events delivered to all holding uplinks beyond keep_delivered_s, and all beyond their
// stream's max_age_s (cause `retention`). Under pressure, in this order, until kRetainToPercent
// (cause `full`):
//   1. delivered to all holding uplinks (of alarms and the ledger: to all, so that whoever misses
//      events hears of it);
//   2. delivered to at least one;
//   3. what folds into nothing, because lane periods count it too: passages;
//   4. of the streams that are not conserved, what was made before the oldest period that can still
//      be merged (Merging makes room in between, without losing anything);
//   5. the oldest of all streams that do not refuse, when nothing can be merged any more;
//   6. alarms; never the ledger before it is delivered, for it explains what went.
// A gap record names the uplinks that did not get the events (null: none did); it is in the same
// transaction as the deletion. Events in flight stay. Without any uplink nothing counts as
// delivered. A call deletes at most kRetainSegments rows. Inside an open transaction. Executor
// thread only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "firmware/outbox/core.hpp"

namespace berm::outbox {

enum class Deletable { delivered, partly_delivered, folded, aged, oldest, last };

class Retention {
 public:
  explicit Retention(Core core) : core_(core) {}
  // One round of that class, oldest first, until `pages` are free more or the round is full; only
  // what was made before `made_before_s`, where that is given. Returns how many segments went.
  Result<std::size_t> make_room(Deletable which, std::int64_t pages,
                                std::optional<std::int64_t> made_before_s = {});
  Result<std::size_t> expire(std::int64_t now_s);
  // A segment that cannot be read back: cause `damaged`.
  Result<void> drop_broken(SeriesIndex series, const SegmentRow& row);

 private:
  struct Candidate {
    SeriesIndex series;
    SegmentRow row;
  };
  struct Loss {
    RangeSet ranges;
    std::optional<std::int64_t> vehicles;
  };
  // Per series and set of uplinks that lost something.
  using Losses = std::map<std::pair<SeriesIndex, std::uint32_t>, Loss>;

  RangeSet deletable(SeriesIndex index, Deletable which) const;
  bool may_drop(const event::StreamSchema& schema, Deletable which) const;
  bool is_folded(const event::StreamSchema& schema) const;
  RangeSet in_flight(SeriesIndex index) const;
  Result<void> gather(SeriesIndex index, const RangeSet& within,
                      std::optional<std::int64_t> made_before_s, std::vector<Candidate>& out);
  Result<void> gather_older(SeriesIndex index, const RangeSet& within, std::int64_t made_before_s,
                            std::vector<Candidate>& out);
  Result<void> remove(const Candidate& candidate, Losses& losses);
  Result<void> keep_sums(const Candidate& candidate, Range part, Losses& losses);
  Result<void> account(const Candidate& candidate, std::uint32_t losers, Range range,
                       Losses& losses);
  Result<void> record(const Losses& losses, std::string_view cause);
  std::uint32_t wanting(SeriesIndex index) const;
  std::optional<std::string> names(std::uint32_t losers, SeriesIndex index) const;
  Core core_;
};

}  // namespace berm::outbox
