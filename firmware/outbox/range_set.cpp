// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/range_set.hpp"

#include <algorithm>

#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm::outbox {
namespace {

constexpr std::int64_t after(std::int64_t seq) {
  return seq == kOpenEnd ? kOpenEnd : seq + 1;
}

bool is_valid(Range range) {
  return range.first >= 1 && range.first <= range.last;
}

// "12-15", "12-" or "12".
std::optional<Range> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_integer(text.substr(0, dash));
  if (!first) return std::nullopt;
  if (dash == std::string_view::npos) return Range{*first, *first};
  if (dash + 1 == text.size()) return Range{*first, kOpenEnd};
  const auto last = parse_integer(text.substr(dash + 1));
  if (!last) return std::nullopt;
  return Range{*first, *last};
}

}  // namespace

// The first range that ends at or after `seq`.
std::vector<Range>::const_iterator RangeSet::at_or_after(std::int64_t seq) const {
  return std::ranges::lower_bound(ranges_, seq, {}, &Range::last);
}

void RangeSet::add(Range range) {
  BERM_ASSERT(is_valid(range));
  // Everything that overlaps or touches the new range becomes part of it.
  const auto begin = std::ranges::lower_bound(ranges_, range.first, {},
                                              [](const Range& r) { return after(r.last); });
  auto end = begin;
  for (; end != ranges_.end() && end->first <= after(range.last); ++end) {
    range.first = std::min(range.first, end->first);
    range.last = std::max(range.last, end->last);
  }
  if (begin == end) {
    ranges_.insert(begin, range);
    keep_bound();
    return;
  }
  *begin = range;
  ranges_.erase(begin + 1, end);
}

void RangeSet::subtract(Range range) {
  BERM_ASSERT(is_valid(range));
  auto it = ranges_.begin() + (at_or_after(range.first) - ranges_.cbegin());
  while (it != ranges_.end() && it->first <= range.last) {
    const Range old = *it;
    const bool keeps_head = old.first < range.first;
    const bool keeps_tail = old.last > range.last;
    if (!keeps_head && !keeps_tail) {
      it = ranges_.erase(it);
      continue;
    }
    if (keeps_head) it->last = range.first - 1;
    if (keeps_tail && !keeps_head) it->first = range.last + 1;
    if (keeps_tail && keeps_head) it = ranges_.insert(it + 1, Range{range.last + 1, old.last});
    ++it;
  }
  keep_bound();
}

void RangeSet::add(const RangeSet& other) {
  for (const Range& range : other.ranges_) add(range);
}

void RangeSet::subtract(const RangeSet& other) {
  for (const Range& range : other.ranges_) subtract(range);
}

RangeSet RangeSet::intersect(const RangeSet& other) const {
  RangeSet both;
  auto a = ranges_.begin();
  auto b = other.ranges_.begin();
  while (a != ranges_.end() && b != other.ranges_.end()) {
    const Range shared{std::max(a->first, b->first), std::min(a->last, b->last)};
    if (shared.first <= shared.last) both.ranges_.push_back(shared);
    (a->last < b->last ? a : b)++;
  }
  return both;
}

RangeSet RangeSet::intersect(Range range) const {
  RangeSet one;
  one.add(range);
  return intersect(one);
}

bool RangeSet::contains(std::int64_t seq) const {
  const auto it = at_or_after(seq);
  return it != ranges_.end() && it->first <= seq;
}

bool RangeSet::touches(Range range) const {
  const auto it = at_or_after(range.first);
  return it != ranges_.end() && it->first <= range.last;
}

std::optional<std::int64_t> RangeSet::first_from(std::int64_t from, const RangeSet& except) const {
  for (auto it = at_or_after(from); it != ranges_.end();) {
    const std::int64_t seq = std::max(from, it->first);
    const auto hidden = except.at_or_after(seq);
    if (hidden == except.ranges_.end() || hidden->first > seq) return seq;
    if (hidden->last == kOpenEnd) return std::nullopt;
    from = hidden->last + 1;
    while (it != ranges_.end() && it->last < from) ++it;
  }
  return std::nullopt;
}

std::int64_t RangeSet::run_end(std::int64_t seq, const RangeSet& except) const {
  const auto it = at_or_after(seq);
  BERM_ASSERT(it != ranges_.end() && it->first <= seq);
  const auto hidden = except.at_or_after(seq);
  if (hidden == except.ranges_.end()) return it->last;
  return std::min(it->last, hidden->first - 1);
}

std::int64_t RangeSet::count_below(std::int64_t end) const {
  std::int64_t count = 0;
  for (const Range& range : ranges_) {
    if (range.first >= end) break;
    count += std::min(range.last, end - 1) - range.first + 1;
  }
  return count;
}

// Joins across the smallest hole until the bound holds again.
void RangeSet::keep_bound() {
  if (max_ranges_ == kUnbounded) return;
  while (ranges_.size() > max_ranges_) {
    std::size_t nearest = 1;
    for (std::size_t i = 1; i < ranges_.size(); ++i) {
      const auto hole = [this](std::size_t at) { return ranges_[at].first - ranges_[at - 1].last; };
      if (hole(i) < hole(nearest)) nearest = i;
    }
    ranges_[nearest - 1].last = ranges_[nearest].last;
    ranges_.erase(ranges_.begin() + static_cast<std::ptrdiff_t>(nearest));
  }
}

std::string RangeSet::to_text() const {
  std::string text;
  for (const Range& range : ranges_) {
    if (!text.empty()) text += ' ';
    text += std::to_string(range.first) + "-";
    if (range.last != kOpenEnd) text += std::to_string(range.last);
  }
  return text;
}

Result<RangeSet> RangeSet::parse(std::string_view text, std::size_t max_ranges) {
  RangeSet set(max_ranges);
  if (text.empty()) return set;
  std::int64_t least = 1;
  for (const std::string_view word : split(text, ' ')) {
    const auto range = parse_range(word);
    if (!range || !is_valid(*range) || range->first < least) {
      return fail(ErrorCode::damaged,
                  "not a list of ranges: \"" + std::string(text.substr(0, 80)) + "\"");
    }
    set.add(*range);
    least = after(range->last);
    if (range->last == kOpenEnd) least = kOpenEnd;
  }
  return set;
}

}  // namespace berm::outbox
