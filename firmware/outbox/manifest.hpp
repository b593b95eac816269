// SPDX-License-Identifier: Apache-2.0
// Manifests: what a stream has sent, so that the centre can prove that it has all of it. Per series
// they tile the sequence: first (the last one's `last` + 1), last, count and the order-free sum of
// the lines, over what no gap record closes. A range is ready once every event of it is delivered
// to all uplinks that hold (where none of those wants the stream: to all that want it) or closed.
// Every kManifestPeriod what has become ready is summed in steps of kManifestEvents events, read
// back from the rows; the manifests then go with the next commit, in its transaction together with
// their mark (`Series::manifested`), so no range ever has two different ones. Not for the ledger's
// own streams, nor for epochs that another outbox may go on with, or whose end is not certain.
// Memory: a few numbers a series. Executor thread only.
#pragma once

#include <optional>

#include "firmware/outbox/core.hpp"
#include "firmware/outbox/reader.hpp"

namespace berm::outbox {

class Manifests {
 public:
  explicit Manifests(Core core) : core_(core) {}

  // Adds up to kManifestEvents events to what is summed (in the books). True: there is more.
  // No transaction needed. An error of a row that cannot be read back: see broken().
  Result<bool> sum();
  const std::optional<Reader::Broken>& broken() const { return broken_; }
  // Whether write() would say something.
  bool is_any_summed() const;
  // Manifests of all that is summed, and their marks. Inside an open transaction.
  Result<void> write();

  // --- for those that remove and close; inside their transaction
  // The lines of a range of one row, without those a gap record has closed.
  Result<LineSum> sum_of(SeriesIndex index, const SegmentRow& row, Range range);
  // Delivered to all that want them, and about to be removed. Returns what nobody vouches for.
  Result<RangeSet> keep_sums(SeriesIndex index, const SegmentRow& row, Range range);
  // A gap record closes them; `are_here`: their rows stay. Returns what is closed beyond that.
  RangeSet close(SeriesIndex index, const RangeSet& ranges, bool are_here);

 private:
  std::int64_t ready_through(SeriesIndex index) const;
  Result<bool> advance(SeriesIndex index, std::int64_t through, std::int64_t& events);
  Core core_;
  std::optional<Reader::Broken> broken_;
};

// No more manifests of this series.
Result<void> end_manifests(Core core, SeriesIndex index);

}  // namespace berm::outbox
