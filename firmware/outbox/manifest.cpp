// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/manifest.hpp"

#include <algorithm>
#include <utility>

#include "firmware/outbox/anchors.hpp"
#include "firmware/outbox/commit.hpp"
#include "firmware/outbox/ledger.hpp"
#include "firmware/outbox/limits.hpp"
#include "hal/base/assert.hpp"
#include "hal/base/digest.hpp"

namespace berm::outbox {
namespace {

bool has_manifests(const Series& series) {
  return !series.schema->is_ledger && series.manifested < kNoManifests;
}

}  // namespace

// The last number of the series up to which all is delivered where it must be, or closed.
std::int64_t Manifests::ready_through(SeriesIndex index) const {
  const Books& books = core_.books;
  const Series& series = books.series[index];
  const auto counts = [&](UplinkIndex uplink, bool must_hold) {
    return books.tracks[uplink][index].is_wanted &&
           (!must_hold || core_.options.uplinks[uplink].hold);
  };
  bool is_held = false;
  bool is_wanted = false;
  for (UplinkIndex uplink = 0; uplink < books.tracks.size(); ++uplink) {
    is_wanted = is_wanted || counts(uplink, false);
    is_held = is_held || counts(uplink, true);
  }
  if (!is_wanted) return series.manifested;
  std::int64_t through = series.next_seq - 1;
  for (UplinkIndex uplink = 0; uplink < books.tracks.size(); ++uplink) {
    if (!counts(uplink, is_held)) continue;
    const RangeSet& undelivered = books.tracks[uplink][index].undelivered;
    const auto waits = undelivered.first_from(series.manifested + 1, RangeSet());
    if (waits) through = std::min(through, *waits - 1);
  }
  return through;
}

Result<LineSum> Manifests::sum_of(SeriesIndex index, const SegmentRow& row, Range range) {
  const Series& series = core_.books.series[index];
  auto opened = core_.tables.open_segment(row, core_.codec);
  if (!opened) {
    const Error& error = opened.error();
    if (error.code == ErrorCode::damaged && error.system_error == 0) {
      broken_ = Reader::Broken{index, row};
    }
    return fail(error);
  }
  BERM_TRY(const auto anchor, Anchors(core_).find(row.anchor.value_or(0)));
  LineSum sum;
  for (std::int64_t seq = range.first; seq <= range.last; ++seq) {
    if (series.debt.is_closed(seq)) continue;
    const Record& record = opened->records()[static_cast<std::size_t>(seq - row.first_seq)];
    const Timing timing = timing_of(record, anchor);
    sum.add({1, sum64_of(compose(core_.books, series, row, record, timing, seq).line)});
  }
  return sum;
}

// One row, or one run of removed events, or the hole before the next of either. False: no further
// for now.
Result<bool> Manifests::advance(SeriesIndex index, std::int64_t through, std::int64_t& events) {
  Series& series = core_.books.series[index];
  ManifestProgress& progress = series.summed;
  const RemovedRun* const run = series.debt.run_from(progress.next);
  BERM_ASSERT(run == nullptr || run->range.first >= progress.next);
  if (run != nullptr && run->range.first == progress.next) {
    if (run->range.last > through) return false;
    progress.sum.add({run->range.last - run->range.first + 1, run->sum});
    progress.next = run->range.last + 1;
    return true;
  }
  BERM_TRY(const auto row, core_.tables.seek_segment(series.id, progress.next));
  ++events;  // a row that is only looked at counts too
  if (!row || !row->covers(progress.next)) {
    std::int64_t end = through + 1;
    if (row) end = std::min(end, row->first_seq);
    if (run != nullptr) end = std::min(end, run->range.first);
    progress.next = end;
    return true;
  }
  if (!row->anchor) return false;
  const Range part{progress.next, std::min(row->last_seq, through)};
  BERM_TRY(const LineSum sum, sum_of(index, *row, part));
  progress.sum.add(sum);
  progress.next = part.last + 1;
  events += part.last - part.first + 1;
  return true;
}

Result<bool> Manifests::sum() {
  broken_.reset();
  std::int64_t events = 0;
  for (SeriesIndex i = 0; i < core_.books.series.size(); ++i) {
    Series& series = core_.books.series[i];
    if (!has_manifests(series)) continue;
    const std::int64_t through = ready_through(i);
    if (series.summed.first != series.manifested + 1) {
      series.summed = {series.manifested + 1, series.manifested + 1, {}};
    }
    bool goes_on = true;
    while (goes_on && series.summed.next <= through) {
      if (events >= kManifestEvents) return true;
      BERM_TRY(goes_on, advance(i, through, events));
    }
  }
  return false;
}

bool Manifests::is_any_summed() const {
  return std::ranges::any_of(core_.books.series, [](const Series& series) {
    return series.summed.first == series.manifested + 1 && series.summed.next > series.summed.first;
  });
}

Result<void> Manifests::write() {
  Books& books = core_.books;
  const auto gaps = books.find(books.epoch, "node.gap");
  std::vector<event::Draft> manifests;
  for (Series& series : books.series) {
    const ManifestProgress summed = std::exchange(series.summed, {});
    if (summed.first != series.manifested + 1 || summed.next <= summed.first) continue;
    manifests.push_back(
        manifest_event(Manifest{.of = std::string(series.schema->name),
                                .of_epoch = books.epochs[series.epoch].epoch,
                                .first = summed.first,
                                .last = summed.next - 1,
                                .count = summed.sum.count,
                                .sum64 = summed.sum.sum,
                                .gaps = gaps ? books.series[*gaps].next_seq - 1 : 0},
                       core_.clock));
    series.manifested = summed.next - 1;
    series.debt.settle_through(series.manifested);
    BERM_CHECK(core_.tables.update_series(series));
  }
  return Commit(core_).write(manifests);
}

Result<RangeSet> Manifests::keep_sums(SeriesIndex index, const SegmentRow& row, Range range) {
  Series& series = core_.books.series[index];
  RangeSet given_up;
  if (!has_manifests(series) || range.last <= series.manifested) return given_up;
  RangeSet open;
  open.add(Range{std::max(range.first, series.manifested + 1), range.last});
  open.subtract(series.debt.closed());
  // Runs that touch are one: what is summed already could not be told from the rest of it.
  if (range.first < series.summed.next) series.summed = {};
  for (const Range& part : open.ranges()) {
    const auto sum = sum_of(index, row, part);
    if (sum) {
      given_up.add(series.debt.add_removed(part, sum->sum));
    } else if (broken_) {
      given_up.add(part);  // nobody missed it, but no manifest can tell
    } else {
      return fail(sum.error());
    }
  }
  if (!given_up.is_empty()) close(index, given_up, false);
  return given_up;
}

RangeSet Manifests::close(SeriesIndex index, const RangeSet& ranges, bool are_here) {
  Series& series = core_.books.series[index];
  RangeSet beyond;
  if (!has_manifests(series) || ranges.is_empty()) return beyond;
  RangeSet open;
  open.add(ranges);
  if (series.manifested > 0) open.subtract(Range{1, series.manifested});
  if (open.is_empty()) return beyond;
  if (are_here) {
    beyond = series.debt.close(open);
    open.add(beyond);
  }
  if (open.ranges().front().first < series.summed.next) series.summed = {};
  return beyond;
}

Result<void> end_manifests(Core core, SeriesIndex index) {
  Series& series = core.books.series[index];
  series.manifested = kNoManifests;
  series.debt = {};
  series.summed = {};
  return core.tables.update_series(series);
}

}  // namespace berm::outbox
