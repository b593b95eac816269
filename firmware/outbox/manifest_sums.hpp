// SPDX-License-Identifier: Apache-2.0
// What a series' next manifest will say, as far as it is known: sums of lines, the same in whatever
// order they are added (contract, node.manifest: Σ of the first 8 bytes of sha256(line), mod 2⁶⁴).
// ManifestDebt holds what the rows alone cannot tell of the events beyond the last manifest: those
// that are delivered and no longer here (their sums), and those that are here and closed by a gap
// record. Values; any thread. Bounds: kMaxRemovedRuns, kMaxClosedRanges; what would go beyond is
// closed instead, and `add` and `close` say which, so that a gap record can.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/outbox/range_set.hpp"

namespace berm::outbox {

inline constexpr std::size_t kMaxRemovedRuns = 64;
inline constexpr std::size_t kMaxClosedRanges = 64;
// `manifested` of a series that gets no more manifests: what they would say is not certain.
inline constexpr std::int64_t kNoManifests = (1ll << 40) - 1;

struct LineSum {
  std::int64_t count = 0;
  std::uint64_t sum = 0;
  void add(const LineSum& other) {
    count += other.count;
    sum += other.sum;
  }
  bool operator==(const LineSum&) const = default;
};

// All events of a range, delivered and removed.
struct RemovedRun {
  Range range;
  std::uint64_t sum = 0;
  bool operator==(const RemovedRun&) const = default;
};

class ManifestDebt {
 public:
  // Removed and delivered. Returns what had to be given up: it counts as closed from now on.
  RangeSet add_removed(Range range, std::uint64_t sum);
  // Closed by a gap record, and here. Returns what was closed beyond that.
  RangeSet close(const RangeSet& ranges);
  // They are in a manifest now.
  void settle_through(std::int64_t seq);

  bool is_closed(std::int64_t seq) const { return closed_.contains(seq); }
  const RangeSet& closed() const { return closed_; }
  // The run that covers `seq`, or the first one after it; nullptr: none.
  const RemovedRun* run_from(std::int64_t seq) const;
  bool is_empty() const { return runs_.empty() && closed_.is_empty(); }

  // "12-15:00c0ffee… 20-20:…" and, after a bar, the closed ranges.
  std::string to_text() const;
  static Result<ManifestDebt> parse(std::string_view text);
  bool operator==(const ManifestDebt& other) const = default;

 private:
  std::vector<RemovedRun> runs_;  // in order, never touching
  RangeSet closed_{kMaxClosedRanges};
};

// The events from the last manifest on that are summed so far; in memory only.
struct ManifestProgress {
  std::int64_t first = 0;  // 0: nothing is
  std::int64_t next = 0;
  LineSum sum;
};

}  // namespace berm::outbox
