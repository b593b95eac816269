// SPDX-License-Identifier: Apache-2.0
// Reader: hands one uplink its events: over all streams it wants in order of commit, per series in
// order of sequence, what came back before anything newer. What is available is `undelivered` minus
// `in_flight`: there is no other cursor, so nothing can be passed over. Keeps the head segment of
// each series and one expanded segment (at most kMaxSegmentBytes of events) between takes. A series
// whose next event waits for a clock is left out until that is settled. Executor thread only.
#pragma once

#include <optional>
#include <vector>

#include "firmware/outbox/anchors.hpp"
#include "firmware/outbox/core.hpp"
#include "firmware/outbox/outbox.hpp"

namespace berm::outbox {

class Reader {
 public:
  Reader(Core core, UplinkIndex uplink) : core_(core), uplink_(uplink) {}

  // Reads, and marks what it read as in flight. On an error nothing is marked.
  Result<Batch> take(const TakeRequest& request);
  // Of the last error: the segment whose body could not be read; the rest of the database is fine.
  struct Broken {
    SeriesIndex series = 0;
    SegmentRow row;
  };
  const std::optional<Broken>& broken() const { return broken_; }
  // Rows have changed or gone: nothing kept is true any more.
  void forget();
  // When the oldest event still waiting was made (s); empty: none waits, or its time is not
  // settled.
  Result<std::optional<std::int64_t>> oldest_made_s();
  // One event with its line, and its row; Error not_found: no segment has it.
  struct Found {
    SegmentRow row;
    Record record;
    Timing timing;
    event::Event event;
  };
  Result<Found> read_one(SeriesIndex index, std::int64_t seq);

 private:
  struct Head {
    SeriesIndex series = 0;
    std::int64_t seq = 0;
    SegmentRow row;
  };
  Result<std::optional<Head>> head_of(SeriesIndex index);
  Result<std::optional<Head>> next_head(std::optional<SeriesIndex> only);
  // False: the batch is full.
  Result<bool> read_run(const Head& head, const TakeRequest& request, std::size_t& bytes,
                        Batch& batch);
  Result<void> open(SeriesIndex index, const SegmentRow& row);
  Result<Batch> collect(const TakeRequest& request);
  Track& track(SeriesIndex index) { return core_.books.tracks[uplink_][index]; }
  Core core_;
  UplinkIndex uplink_;
  std::vector<std::optional<SegmentRow>> heads_;  // [series]
  std::optional<SegmentRow> open_row_;
  OpenedSegment open_;
  std::optional<Anchor> open_anchor_;
  std::optional<Broken> broken_;
};

event::Event compose(const Books& books, const Series& series, const SegmentRow& row,
                     const Record& record, const Timing& timing, std::int64_t seq);

}  // namespace berm::outbox
