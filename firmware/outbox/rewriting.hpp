// SPDX-License-Identifier: Apache-2.0
// Rewriting: the same events in other rows. Old small segments are joined once their events have
// waited for kJoinAfterS, because many events in one row compress better and are fewer pages: about
// a third of the room. No byte of any event changes, nor its sequence; the joined row has the order
// of commit of its first. Only what somebody still waits for is joined: a node that delivers never
// does. Rows of one boot, anchor, version and level that follow one another, kMinJoined at least,
// up to kMaxJoinedEvents. Executor thread only.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "firmware/outbox/core.hpp"

namespace berm::outbox {

// Inside an open transaction. Writes those events as the row `row`; what describes them together is
// taken from them (count, vehicles, packed size), all else from `row`.
Result<void> rewrite(Core core, SegmentRow row, std::span<const Record> records);

class Joining {
 public:
  using Cursor = std::map<std::int64_t, std::int64_t>;  // [series id]: where to go on
  Joining(Core core, Cursor& cursor) : core_(core), cursor_(cursor) {}
  // Rows that may become one; none: there is nothing to join. `before_s`: what was made later
  // stays; `is_pressed`: also where the row would not become full.
  Result<std::vector<SegmentRow>> find(std::int64_t before_s, bool is_pressed);
  // Inside an open transaction.
  Result<void> join(const std::vector<SegmentRow>& rows);

 private:
  Result<std::vector<SegmentRow>> find_in(SeriesIndex index, std::int64_t before_s,
                                          bool is_pressed);
  bool may_join(SeriesIndex index, const SegmentRow& row, std::int64_t before_s) const;
  Core core_;
  Cursor& cursor_;
};

}  // namespace berm::outbox
