// SPDX-License-Identifier: Apache-2.0
#include "firmware/analytics/seq_ranges.hpp"

#include <algorithm>
#include <iterator>
#include <string>

#include "hal/base/text.hpp"

namespace berm::analytics {

Result<SeqRanges> SeqRanges::parse(std::string_view text) {
  SeqRanges ranges;
  for (const std::string_view word : split(trim(text), ' ')) {
    if (word.empty()) continue;
    const auto dash = word.find('-');
    const auto first = parse_integer(word.substr(0, dash));
    const bool open = dash != std::string_view::npos && dash + 1 == word.size();
    const auto last = open || dash == std::string_view::npos ? std::optional(open ? kOpenEnd : 0)
                                                             : parse_integer(word.substr(dash + 1));
    if (dash == std::string_view::npos || !first || !last || *first < 1 || *last < *first) {
      return fail(ErrorCode::invalid, "'" + std::string(word) + "' is no range");
    }
    ranges.add(*first, *last);
  }
  return ranges;
}

void SeqRanges::add(std::int64_t first, std::int64_t last) {
  auto next = last_of_.upper_bound(first);
  if (next != last_of_.begin()) {
    const auto before = std::prev(next);
    if (before->second == kOpenEnd || before->second >= first - 1) {
      first = before->first;
      last = std::max(last, before->second);
      last_of_.erase(before);
    }
  }
  next = last_of_.lower_bound(first);
  while (next != last_of_.end() && (last == kOpenEnd || next->first <= last + 1)) {
    last = std::max(last, next->second);
    next = last_of_.erase(next);
  }
  last_of_[first] = last;
}

void SeqRanges::add(const SeqRanges& other) {
  for (const auto& [first, last] : other.last_of_) add(first, last);
}

std::int64_t SeqRanges::highest() const {
  if (last_of_.empty()) return 0;
  const auto& [first, last] = *last_of_.rbegin();
  return last == kOpenEnd ? first - 1 : last;
}

bool SeqRanges::contains(std::int64_t seq) const {
  return count_within(seq, seq) == 1;
}

std::int64_t SeqRanges::count_within(std::int64_t first, std::int64_t last) const {
  std::int64_t count = 0;
  auto it = last_of_.upper_bound(first);
  if (it != last_of_.begin()) --it;
  for (; it != last_of_.end() && it->first <= last; ++it) {
    const std::int64_t low = std::max(first, it->first);
    const std::int64_t high = std::min(last, it->second);
    if (low <= high) count += high - low + 1;
  }
  return count;
}

}  // namespace berm::analytics
