// SPDX-License-Identifier: Apache-2.0
// RangeSet: a bounded set of sequence numbers as ranges, the last of which may be open ("12-15
// 20-"). It holds what an uplink has not had yet, per stream and epoch. A value; any thread. Bound:
// `max_ranges`; beyond it the two ranges with the smallest hole between them become one. So the set
// may hold too much (a repeat), never too little (a loss) [uplink-5]. Text form, as in gap records
// and in the database: ranges in order, first-last, separated by spaces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hal/base/result.hpp"

namespace berm::outbox {

struct Range {
  std::int64_t first = 0;
  std::int64_t last = 0;  // inclusive
  bool operator==(const Range&) const = default;
};

inline constexpr std::int64_t kOpenEnd = std::numeric_limits<std::int64_t>::max();

class RangeSet {
 public:
  static constexpr std::size_t kUnbounded = 0;
  explicit RangeSet(std::size_t max_ranges = kUnbounded) : max_ranges_(max_ranges) {}

  // Precondition: 1 <= first <= last; last may be kOpenEnd.
  void add(Range range);
  void subtract(Range range);
  void add(const RangeSet& other);
  void subtract(const RangeSet& other);
  // What is in both.
  RangeSet intersect(const RangeSet& other) const;
  RangeSet intersect(Range range) const;

  bool contains(std::int64_t seq) const;
  bool is_empty() const { return ranges_.empty(); }
  // Is any number of the range in the set?
  bool touches(Range range) const;
  // The first number >= from that is in the set and not in `except`.
  std::optional<std::int64_t> first_from(std::int64_t from, const RangeSet& except) const;
  // The end of the run in the set and not in `except` that begins at `seq` (which is in it).
  std::int64_t run_end(std::int64_t seq, const RangeSet& except) const;
  // How many numbers below `end` are in the set.
  std::int64_t count_below(std::int64_t end) const;
  const std::vector<Range>& ranges() const { return ranges_; }
  std::string to_text() const;
  static Result<RangeSet> parse(std::string_view text, std::size_t max_ranges = kUnbounded);
  bool operator==(const RangeSet& other) const { return ranges_ == other.ranges_; }

 private:
  void keep_bound();
  std::vector<Range>::const_iterator at_or_after(std::int64_t seq) const;
  std::vector<Range> ranges_;  // in order, never touching
  std::size_t max_ranges_;
};

}  // namespace berm::outbox
