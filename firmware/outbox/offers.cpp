// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/offers.hpp"

#include <algorithm>

#include "firmware/outbox/limits.hpp"

namespace berm::outbox {
namespace {

std::string meta_of(const Series& series) {
  return "offered/" + std::to_string(series.id);
}

// What lies at the begin belongs to the number.
void absorb(Series& series) {
  while (!series.offered.is_empty()) {
    const Range first = series.offered.ranges().front();
    if (first.first > series.offered_below) return;
    series.offered_below = std::max(series.offered_below, first.last + 1);
    series.offered.subtract(first);
  }
}

// The end of the mark that holds the next event; 0: none does.
std::int64_t marked_up_to(const Series& series) {
  if (series.offered_below > series.next_seq) return series.offered_below - 1;
  if (!series.offered.contains(series.next_seq)) return 0;
  return series.offered.run_end(series.next_seq, RangeSet());
}

// Somebody has had, or is being given, some of the newest events.
bool is_live(const Books& books, SeriesIndex index) {
  const std::int64_t next = books.series[index].next_seq;
  const Range newest{std::max<std::int64_t>(next - kMinOfferReserve, 1), next - 1};
  if (newest.last < newest.first) return false;
  return std::ranges::any_of(books.tracks, [&](const std::vector<Track>& tracks) {
    const Track& track = tracks[index];
    const std::int64_t unsent = track.undelivered.intersect(newest).count_below(kOpenEnd);
    const bool is_moving = unsent <= newest.last - newest.first || track.in_flight.touches(newest);
    return track.is_wanted && is_moving;
  });
}

}  // namespace

bool has_offers(const Series& series, const RangeSet& ranges) {
  RangeSet left = ranges;
  if (series.offered_below > 1) left.subtract(Range{1, series.offered_below - 1});
  left.subtract(series.offered);
  return left.is_empty();
}

void add_offers(Series& series, const RangeSet& ranges, std::int64_t ahead) {
  if (ranges.is_empty()) return;
  const std::int64_t most = series.next_seq + kMinOfferReserve - 1;
  Range first = ranges.ranges().front();
  const std::int64_t last = ranges.ranges().back().last;
  // Read from the newest back: what comes next lies below.
  const bool is_backwards = last < most && series.is_offered({last + 1, last + 1});
  series.offered.add(ranges);
  if (is_backwards) {
    series.offered.add(Range{std::max<std::int64_t>(first.first - ahead, 1), first.first});
  } else {
    series.offered.add(Range{last, std::max(last, std::min(last + ahead, most))});
  }
  absorb(series);
}

void clip_offers(Series& series) {
  series.offered_below = std::min(series.offered_below, series.next_seq);
  series.offered.subtract(Range{series.next_seq, kOpenEnd});
}

Result<void> save_offers(Tables& tables, const Series& series) {
  BERM_CHECK(tables.set_meta(meta_of(series), series.offered.to_text()));
  return tables.update_series(series);
}

Result<void> load_offers(Tables& tables, Books& books) {
  for (Series& series : books.series) {
    BERM_TRY(const auto text, tables.meta(meta_of(series)));
    if (!text || text->empty()) continue;
    auto ranges = RangeSet::parse(*text, kMaxRanges);
    if (ranges) {
      series.offered = std::move(*ranges);
    } else {  // unreadable: as if all had been offered
      series.offered_below = std::max(series.offered_below, series.next_seq);
    }
  }
  return {};
}

Result<void> extend_offer(Core core, SeriesIndex index, std::int64_t count) {
  Series& series = core.books.series[index];
  const std::int64_t end = marked_up_to(series);
  if (end == 0 || series.next_seq == 1) return {};
  const std::int64_t behind = series.next_seq + count;
  if (end >= behind + kMinOfferReserve / 4) return {};
  if (!is_live(core.books, index)) return {};
  const Range next{series.next_seq, behind + kMinOfferReserve - 1};
  if (series.offered_below > series.next_seq) {
    series.offered_below = next.last + 1;
    return core.tables.update_series(series);
  }
  series.offered.add(next);
  return save_offers(core.tables, series);
}

}  // namespace berm::outbox
