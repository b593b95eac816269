// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/manifest_sums.hpp"

#include <algorithm>
#include <charconv>

#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm::outbox {
namespace {

std::string hex_of(std::uint64_t sum) {
  return text_of("%016llx", static_cast<unsigned long long>(sum));
}

std::unexpected<Error> unreadable(std::string_view text) {
  return fail(ErrorCode::damaged,
              "not what a manifest owes: \"" + std::string(text.substr(0, 80)) + "\"");
}

Result<RemovedRun> parse_run(std::string_view word) {
  const std::size_t colon = word.find(':');
  if (colon == std::string_view::npos || word.size() - colon != 17) return unreadable(word);
  BERM_TRY(const RangeSet range, RangeSet::parse(word.substr(0, colon)));
  RemovedRun run;
  const char* const end = word.data() + word.size();
  const auto read = std::from_chars(word.data() + colon + 1, end, run.sum, 16);
  const bool is_one = range.ranges().size() == 1 && range.ranges().front().last != kOpenEnd;
  if (!is_one || read.ec != std::errc() || read.ptr != end) return unreadable(word);
  run.range = range.ranges().front();
  return run;
}

}  // namespace

RangeSet ManifestDebt::add_removed(Range range, std::uint64_t sum) {
  auto at = std::ranges::lower_bound(runs_, range.first, {},
                                     [](const RemovedRun& run) { return run.range.first; });
  BERM_ASSERT(at == runs_.end() || at->range.first > range.last);
  at = runs_.insert(at, RemovedRun{range, sum});
  if (const auto next = at + 1; next != runs_.end() && next->range.first == range.last + 1) {
    at->range.last = next->range.last;
    at->sum += next->sum;
    runs_.erase(next);
  }
  if (at != runs_.begin() && (at - 1)->range.last + 1 == at->range.first) {
    (at - 1)->range.last = at->range.last;
    (at - 1)->sum += at->sum;
    runs_.erase(at);
  }
  RangeSet given_up;
  if (runs_.size() <= kMaxRemovedRuns) return given_up;
  const auto smallest = std::ranges::min_element(
      runs_, {}, [](const RemovedRun& run) { return run.range.last - run.range.first; });
  given_up.add(smallest->range);
  runs_.erase(smallest);
  return given_up;
}

RangeSet ManifestDebt::close(const RangeSet& ranges) {
  RangeSet exact;
  exact.add(closed_);
  exact.add(ranges);
  closed_.add(ranges);
  RangeSet beyond;
  beyond.add(closed_);
  beyond.subtract(exact);
  return beyond;
}

void ManifestDebt::settle_through(std::int64_t seq) {
  std::erase_if(runs_, [seq](const RemovedRun& run) { return run.range.last <= seq; });
  closed_.subtract(Range{1, seq});
}

const RemovedRun* ManifestDebt::run_from(std::int64_t seq) const {
  const auto at = std::ranges::lower_bound(runs_, seq, {},
                                           [](const RemovedRun& run) { return run.range.last; });
  return at == runs_.end() ? nullptr : &*at;
}

std::string ManifestDebt::to_text() const {
  std::string text;
  if (is_empty()) return text;
  for (const RemovedRun& run : runs_) {
    text += std::to_string(run.range.first) + "-" + std::to_string(run.range.last) + ":" +
            hex_of(run.sum) + " ";
  }
  return text + "|" + closed_.to_text();
}

Result<ManifestDebt> ManifestDebt::parse(std::string_view text) {
  ManifestDebt debt;
  if (text.empty()) return debt;
  const std::size_t bar = text.find('|');
  if (bar == std::string_view::npos) return unreadable(text);
  std::int64_t least = 1;
  for (const std::string_view word : split(trim(text.substr(0, bar)), ' ')) {
    if (word.empty()) continue;
    BERM_TRY(const RemovedRun run, parse_run(word));
    if (run.range.first < least || debt.runs_.size() == kMaxRemovedRuns) return unreadable(text);
    least = run.range.last + 2;
    debt.runs_.push_back(run);
  }
  BERM_TRY(debt.closed_, RangeSet::parse(text.substr(bar + 1), kMaxClosedRanges));
  return debt;
}

}  // namespace berm::outbox
