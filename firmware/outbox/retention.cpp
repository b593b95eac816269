// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/retention.hpp"

#include <algorithm>
#include <set>

#include "firmware/outbox/commit.hpp"
#include "firmware/outbox/ledger.hpp"
#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/manifest.hpp"

namespace berm::outbox {
namespace {

// Stands for "nobody got it" where there is no uplink that could have.
constexpr std::uint32_t kNobody = 1u << 31;
static_assert(kMaxUplinks <= 31);

std::int64_t vehicles_in(const OpenedSegment& segment, const SegmentRow& row, Range range) {
  std::int64_t vehicles = 0;
  for (std::int64_t seq = range.first; seq <= range.last; ++seq) {
    const auto at = static_cast<std::size_t>(seq - row.first_seq);
    vehicles += segment.records()[at].vehicles.value_or(0);
  }
  return vehicles;
}

}  // namespace

// The uplinks that want the series, one bit each; kNobody where no uplink is configured at all.
std::uint32_t Retention::wanting(SeriesIndex index) const {
  const auto& tracks = core_.books.tracks;
  if (tracks.empty()) return kNobody;
  std::uint32_t set = 0;
  for (UplinkIndex uplink = 0; uplink < tracks.size(); ++uplink) {
    if (tracks[uplink][index].is_wanted) set |= 1u << uplink;
  }
  return set;
}

RangeSet Retention::in_flight(SeriesIndex index) const {
  RangeSet all;
  for (const auto& tracks : core_.books.tracks) all.add(tracks[index].in_flight);
  return all;
}

// Conserved, and its merge rule is to become nothing.
bool Retention::is_folded(const event::StreamSchema& schema) const {
  return schema.conserve == event::Conserve::folds &&
         when_full(core_.options, schema) == event::WhenFull::conserve;
}

// Whether what nobody has had may go in this class.
bool Retention::may_drop(const event::StreamSchema& schema, Deletable which) const {
  // An undelivered gap record explains a hole that nothing else explains: it never goes.
  if (goes_last(schema)) return which == Deletable::last && !schema.is_ledger;
  const event::WhenFull policy = when_full(core_.options, schema);
  if (policy == event::WhenFull::refuse) return false;
  switch (which) {
    case Deletable::folded:
      return schema.conserve == event::Conserve::folds;
    case Deletable::aged:
      return schema.conserve == event::Conserve::nothing ||
             (schema.conserve == event::Conserve::periods && policy == event::WhenFull::oldest);
    default:
      return which == Deletable::oldest;
  }
}

// What of a series belongs to that class; a segment goes when all of it does.
RangeSet Retention::deletable(SeriesIndex index, Deletable which) const {
  const Books& books = core_.books;
  const Series& series = books.series[index];
  RangeSet set;
  if (series.next_seq == 1) return set;
  const Range all{1, series.next_seq - 1};
  const bool is_last = goes_last(*series.schema);
  if (which == Deletable::delivered) {
    if (books.tracks.empty()) return set;
    set.add(all);
    for (UplinkIndex uplink = 0; uplink < books.tracks.size(); ++uplink) {
      const Track& track = books.tracks[uplink][index];
      const bool holds = core_.options.uplinks[uplink].hold || is_last;
      if (track.is_wanted && holds) set.subtract(track.undelivered);
    }
  } else if (which == Deletable::partly_delivered) {
    if (is_last) return set;
    for (const auto& tracks : books.tracks) {
      if (!tracks[index].is_wanted) continue;
      RangeSet delivered;
      delivered.add(all);
      delivered.subtract(tracks[index].undelivered);
      set.add(delivered);
    }
  } else if (may_drop(*series.schema, which)) {
    set.add(all);
    if (which == Deletable::folded && is_folded(*series.schema)) {
      if (series.offered_below > 1) set.subtract(Range{1, series.offered_below - 1});
      set.subtract(series.offered);
    }
  }
  set.subtract(in_flight(index));
  return set;
}

// The first segments of a series that lie within the ranges.
Result<void> Retention::gather(SeriesIndex index, const RangeSet& within,
                               std::optional<std::int64_t> made_before_s,
                               std::vector<Candidate>& out) {
  const std::int64_t series = core_.books.series[index].id;
  std::size_t found = 0;
  for (const Range& range : within.ranges()) {
    std::int64_t seq = range.first;
    while (seq <= range.last && found < kRetainSegments) {
      BERM_TRY(const auto row, core_.tables.seek_segment(series, seq));
      if (!row || row->last_seq > range.last) break;
      seq = row->last_seq + 1;
      if (row->first_seq < range.first) continue;
      if (made_before_s && (!row->made_s || *row->made_s >= *made_before_s)) return {};
      out.push_back(Candidate{index, *row});
      ++found;
    }
  }
  return {};
}

// As gather, where what was merged lies among what came later.
Result<void> Retention::gather_older(SeriesIndex index, const RangeSet& within,
                                     std::int64_t made_before_s, std::vector<Candidate>& out) {
  const std::int64_t series = core_.books.series[index].id;
  std::size_t found = 0;
  for (std::int64_t seq = 1; found < kRetainSegments;) {
    BERM_TRY(const auto row, core_.tables.seek_older(series, seq, made_before_s));
    if (!row) break;
    seq = row->last_seq + 1;
    const std::int64_t inside =
        within.intersect(Range{row->first_seq, row->last_seq}).count_below(kOpenEnd);
    if (inside < row->count) continue;
    out.push_back(Candidate{index, *row});
    ++found;
  }
  return {};
}

Result<std::size_t> Retention::make_room(Deletable which, std::int64_t pages,
                                         std::optional<std::int64_t> made_before_s) {
  std::vector<Candidate> candidates;
  for (SeriesIndex i = 0; i < core_.books.series.size(); ++i) {
    BERM_CHECK(gather(i, deletable(i, which), made_before_s, candidates));
  }
  std::ranges::sort(candidates, {}, [](const Candidate& c) { return c.row.ordinal; });
  if (candidates.size() > kRetainSegments) candidates.resize(kRetainSegments);
  Database& database = core_.tables.database();
  BERM_TRY(const std::int64_t before, database.integer("PRAGMA freelist_count"));
  Losses losses;
  std::size_t removed = 0;
  for (const Candidate& candidate : candidates) {
    BERM_CHECK(remove(candidate, losses));
    ++removed;
    BERM_TRY(const std::int64_t now, database.integer("PRAGMA freelist_count"));
    if (now - before >= pages) break;
  }
  BERM_CHECK(record(losses, which == Deletable::folded ? "folded" : "full"));
  return removed;
}

Result<std::size_t> Retention::expire(std::int64_t now_s) {
  std::vector<Candidate> candidates;
  for (SeriesIndex i = 0; i < core_.books.series.size(); ++i) {
    const Series& series = core_.books.series[i];
    if (series.next_seq == 1) continue;
    if (const std::int64_t age = max_age_s(core_.options, series.schema->name); age > 0) {
      RangeSet all;
      all.add(Range{1, series.next_seq - 1});
      all.subtract(in_flight(i));
      BERM_CHECK(gather_older(i, all, now_s - age, candidates));
    }
    BERM_CHECK(gather(i, deletable(i, Deletable::delivered), now_s - core_.options.keep_delivered_s,
                      candidates));
  }
  std::ranges::sort(candidates, {}, [](const Candidate& c) { return c.row.ordinal; });
  const auto same = [](const Candidate& a, const Candidate& b) {
    return a.row.ordinal == b.row.ordinal;
  };
  candidates.erase(std::ranges::unique(candidates, same).begin(), candidates.end());
  if (candidates.size() > kRetainSegments) candidates.resize(kRetainSegments);
  Losses losses;
  for (const Candidate& candidate : candidates) BERM_CHECK(remove(candidate, losses));
  BERM_CHECK(record(losses, "retention"));
  return candidates.size();
}

Result<void> Retention::drop_broken(SeriesIndex series, const SegmentRow& row) {
  Losses losses;
  BERM_CHECK(remove(Candidate{series, row}, losses));
  return record(losses, "damaged");
}

Result<void> Retention::remove(const Candidate& candidate, Losses& losses) {
  Books& books = core_.books;
  const SegmentRow& row = candidate.row;
  const Range whole{row.first_seq, row.last_seq};
  // Where the set of uplinks that miss an event may change.
  std::set<std::int64_t> starts{row.first_seq};
  for (const auto& tracks : books.tracks) {
    // A name of its own: a loop over `….ranges()` would outlive the set it came from.
    const RangeSet unsent = tracks[candidate.series].undelivered.intersect(whole);
    for (const Range& range : unsent.ranges()) {
      starts.insert(range.first);
      if (range.last < row.last_seq) starts.insert(range.last + 1);
    }
  }
  const std::uint32_t wanted = wanting(candidate.series);
  for (auto it = starts.begin(); it != starts.end(); ++it) {
    const auto next = std::next(it);
    const Range part{*it, next == starts.end() ? row.last_seq : *next - 1};
    std::uint32_t losers = wanted & kNobody;
    for (UplinkIndex uplink = 0; uplink < books.tracks.size(); ++uplink) {
      const bool is_lost = books.tracks[uplink][candidate.series].undelivered.contains(part.first);
      if ((wanted & (1u << uplink)) != 0 && is_lost) losers |= 1u << uplink;
    }
    if (losers != 0) {
      BERM_CHECK(account(candidate, losers, part, losses));
    } else if (wanted != 0) {
      BERM_CHECK(keep_sums(candidate, part, losses));
    }
  }
  for (auto& tracks : books.tracks) {
    Track& track = tracks[candidate.series];
    if (!track.undelivered.touches(whole)) continue;
    track.undelivered.subtract(whole);
    track.resend.subtract(whole);
    track.is_dirty = true;
  }
  books.series[candidate.series].gone += row.count;
  BERM_CHECK(core_.tables.delete_segment(row));
  return core_.tables.update_series(books.series[candidate.series]);
}

// Delivered, and in no manifest yet.
Result<void> Retention::keep_sums(const Candidate& candidate, Range part, Losses& losses) {
  BERM_TRY(const RangeSet untold,
           Manifests(core_).keep_sums(candidate.series, candidate.row, part));
  if (!untold.is_empty()) losses[{candidate.series, 0}].ranges.add(untold);
  return {};
}

Result<void> Retention::account(const Candidate& candidate, std::uint32_t losers, Range range,
                                Losses& losses) {
  const SegmentRow& row = candidate.row;
  Loss& loss = losses[{candidate.series, losers}];
  loss.ranges.add(range);
  RangeSet closed;
  closed.add(range);
  Manifests(core_).close(candidate.series, closed, false);
  std::optional<std::int64_t> vehicles = row.vehicles;
  if (vehicles && range != Range{row.first_seq, row.last_seq}) {
    const auto segment = core_.tables.open_segment(row, core_.codec);
    // One that cannot be read: its sum is the best that is known.
    if (segment) vehicles = vehicles_in(*segment, row, range);
  }
  if (vehicles) loss.vehicles = loss.vehicles.value_or(0) + *vehicles;
  return {};
}

// Empty: nobody who wanted them got them.
std::optional<std::string> Retention::names(std::uint32_t losers, SeriesIndex index) const {
  if (losers == wanting(index)) return std::nullopt;
  std::string text;
  for (UplinkIndex uplink = 0; uplink < core_.options.uplinks.size(); ++uplink) {
    if ((losers & (1u << uplink)) == 0) continue;
    if (!text.empty()) text += ' ';
    text += core_.options.uplinks[uplink].name;
  }
  return text;
}

Result<void> Retention::record(const Losses& losses, std::string_view cause) {
  std::vector<event::Draft> gaps;
  for (const auto& [whose, loss] : losses) {
    const auto& [index, losers] = whose;
    const Series& series = core_.books.series[index];
    const bool is_merged = cause == "folded" && is_folded(*series.schema);
    const std::string_view told = is_merged ? "merged" : cause == "folded" ? "full" : cause;
    gaps.push_back(
        gap_event(Gap{.of = std::string(series.schema->name),
                      .of_epoch = core_.books.epochs[series.epoch].epoch,
                      .ranges = loss.ranges.to_text(),
                      .count = loss.ranges.count_below(kOpenEnd),
                      .vehicles = is_merged ? std::optional<std::int64_t>(0) : loss.vehicles,
                      .cause = told,
                      .uplink = names(losers, index)},
                  core_.clock));
  }
  BERM_CHECK(Commit(core_).write(gaps));
  return Commit(core_).write_delivery_state();
}

}  // namespace berm::outbox
