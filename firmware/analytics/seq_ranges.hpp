// SPDX-License-Identifier: Apache-2.0
// SeqRanges: a set of sequence numbers as closed ranges, read from the `ranges` of a gap record
// ("12-15 20-20"; "12-" is open). Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "hal/base/result.hpp"

namespace berm::analytics {

inline constexpr std::int64_t kOpenEnd = INT64_MAX;

class SeqRanges {
 public:
  // Error invalid: anything but ranges of numbers ≥ 1 with first ≤ last.
  static Result<SeqRanges> parse(std::string_view text);
  void add(std::int64_t first, std::int64_t last);
  void add(const SeqRanges& other);
  bool contains(std::int64_t seq) const;
  // How many of [first, last] are in the set.
  std::int64_t count_within(std::int64_t first, std::int64_t last) const;
  // The largest number that is known to have been: an open range tells of those before it.
  std::int64_t highest() const;
  const std::map<std::int64_t, std::int64_t>& ranges() const { return last_of_; }
  bool empty() const { return last_of_.empty(); }

 private:
  std::map<std::int64_t, std::int64_t> last_of_;  // first → last; disjoint, not touching
};

}  // namespace berm::analytics
