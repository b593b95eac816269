// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/merging.hpp"

#include <algorithm>
#include <utility>

#include "firmware/outbox/anchors.hpp"
#include "firmware/outbox/commit.hpp"
#include "firmware/outbox/ledger.hpp"
#include "firmware/outbox/manifest.hpp"
#include "firmware/outbox/offers.hpp"
#include "firmware/outbox/rewriting.hpp"
#include "firmware/outbox/sql.hpp"
#include "hal/base/assert.hpp"

namespace berm::outbox {
namespace {

constexpr std::int64_t kDayS = 86400;

// What is done in which order: the reserves first, then what is over.
struct Pass {
  std::int64_t level;
  std::int64_t reserve_s;
};
constexpr Pass kPasses[] = {{1, kDayS}, {2, 7 * kDayS}, {3, 31 * kDayS}, {1, 0}, {2, 0}, {3, 0}};
static_assert(std::size(kPasses) == 2 * kMergeLevels);
constexpr std::int64_t kNever = INT64_MAX / 2;
constexpr std::int64_t kClockChangeS = 2 * 3600;  // a civil day may be so much shorter

}  // namespace

namespace {

std::int64_t least_part_s(std::int64_t level) {
  const std::int64_t length_s = part_length_s(level);
  return length_s == kDayS ? length_s - kClockChangeS : length_s;
}

}  // namespace

std::int64_t part_length_s(std::int64_t level) {
  constexpr std::int64_t kLengths[] = {0, 900, 3600, kDayS};
  static_assert(std::size(kLengths) == kMergeLevels + 1);
  return kLengths[level];
}

// The one whose periods are merged, if its policy says so.
Result<std::optional<SeriesIndex>> Merging::series() {
  const Books& books = core_.books;
  for (SeriesIndex i = 0; i < books.series.size(); ++i) {
    const event::StreamSchema& schema = *books.series[i].schema;
    const bool is_merged = schema.conserve == event::Conserve::periods &&
                           when_full(core_.options, schema) == event::WhenFull::conserve;
    if (is_merged && books.series[i].epoch == books.epoch) return std::optional(i);
  }
  return std::optional<SeriesIndex>();
}

Result<std::optional<std::int64_t>> Merging::oldest_unmerged_s() {
  BERM_TRY(const auto index, series());
  if (!index) return std::optional<std::int64_t>();
  const Series& series = core_.books.series[*index];
  std::int64_t seq = std::ranges::min(std::span(cursor_.next).subspan(1));
  std::optional<std::int64_t> made_s;
  for (std::size_t looked = 0; looked < kMergeSegments; ++looked) {
    BERM_TRY(const auto row, core_.tables.seek_original(series.id, seq));
    if (!row) return std::optional<std::int64_t>();
    made_s = row->made_s;
    if (!series.is_offered({row->first_seq, row->last_seq})) break;
    seq = row->last_seq + 1;
  }
  return made_s;
}

Result<Merged> Merging::step() {
  BERM_TRY(const auto index, series());
  if (!index) return Merged();
  const Series& series = core_.books.series[*index];
  table_.emplace(*series.schema);
  BERM_TRY(const auto newest, core_.tables.last_unmerged(series.id));
  if (!newest) return Merged();
  const std::int64_t shown_s = s_of(core_.clock.wall().time);
  const std::int64_t newest_s = newest->made_s.value_or(shown_s);
  if (newest_s < cursor_.newest_s) cursor_.quiet_until_s = {};
  cursor_.newest_s = newest_s;
  for (std::size_t i = 0; i < std::size(kPasses); ++i) {
    const Pass& pass = kPasses[i];
    if (newest_s < cursor_.quiet_until_s[i]) continue;
    BERM_TRY(const Merged merged, merge_level(*index, pass.level, newest_s - pass.reserve_s));
    if (merged.has_changed) {
      wake(pass.level + 1);
      return merged;
    }
    cursor_.quiet_until_s[i] = ready_s_ == 0 ? 0 : ready_s_ + pass.reserve_s;
  }
  return Merged();
}

// There is something new for that level.
void Merging::wake(std::int64_t level) {
  for (std::size_t i = 0; i < std::size(kPasses); ++i) {
    if (kPasses[i].level == level) cursor_.quiet_until_s[i] = 0;
  }
}

Result<Merged> Merging::merge_level(SeriesIndex index, std::int64_t level, std::int64_t before_s) {
  sources_.clear();
  chains_.clear();
  open_.clear();
  cut_s_ = INT64_MAX;
  ready_s_ = 0;
  BERM_TRY(const bool is_whole, collect(index, level, before_s));
  if (!is_whole) leave_last_part();
  std::erase_if(chains_, [this](const Chain& chain) { return chain.part_s >= cut_s_; });
  std::erase_if(sources_, [this](const Source& source) {
    return source.first_part_s >= cut_s_ && source.first_part_s != INT64_MAX;
  });
  if (sources_.empty()) {
    if (cut_s_ != INT64_MAX) ready_s_ = cut_s_ + least_part_s(level);
    return Merged();
  }
  Merged merged{.has_changed = true};
  const bool is_any = std::ranges::any_of(chains_, [](const Chain& c) { return c.periods > 1; });
  if (!is_any) {
    BERM_TRY(merged.has_changed, promote(level));
    return merged;
  }
  for (const Chain& chain : chains_) merged.originals += chain.periods;
  merged.events = static_cast<std::int64_t>(chains_.size());
  RangeSet consumed;
  BERM_CHECK(close_sources(level, consumed));
  BERM_CHECK(Commit(core_).keep_boot());
  clip_offers(core_.books.series[index]);
  BERM_TRY(std::string into, write_chains(index, level));
  BERM_CHECK(record(index, consumed, std::move(into)));
  return merged;
}

// Reads what may be merged. False: there is more of it than one step takes.
Result<bool> Merging::collect(SeriesIndex index, std::int64_t level, std::int64_t before_s) {
  const Series& series = core_.books.series[index];
  std::int64_t& next = cursor_.next[static_cast<std::size_t>(level)];
  std::int64_t seq = next;
  std::int64_t events = 0;
  bool is_whole = true;
  while (is_whole) {
    BERM_TRY(const auto row, core_.tables.seek_level(series.id, seq, level - 1));
    const bool is_young = row && (!row->anchor || row->made_s.value_or(INT64_MAX) > before_s);
    if (sources_.empty()) next = row ? row->first_seq : series.next_seq;
    if (!row || is_young) {
      if (row && row->made_s) ready_s_ = *row->made_s;  // not before its period is over
      if (!row && level > 1) ready_s_ = kNever;         // until somebody wakes this level
      break;
    }
    seq = row->last_seq + 1;
    const bool is_free = !series.is_offered({row->first_seq, row->last_seq}) &&
                         row->version == series.schema->version;
    if (is_free) BERM_CHECK(take_in(*row, level, before_s));
    events += row->count;
    is_whole =
        events < kMergeEvents && sources_.size() < kMergeSegments && chains_.size() < kMergeChains;
  }
  return is_whole;
}

// The part that the last ones read belong to has more to come; unless it is all there is.
void Merging::leave_last_part() {
  std::int64_t first = INT64_MAX;
  std::int64_t last = INT64_MIN;
  for (const Source& source : sources_) {
    first = std::min(first, source.first_part_s);
    last = std::max(last, source.last_part_s);
  }
  if (first < last) cut_s_ = std::min(cut_s_, last);
}

Result<void> Merging::take_in(const SegmentRow& row, std::int64_t level, std::int64_t before_s) {
  BERM_TRY(const Clockwork clockwork, clockwork_of(row));
  const auto segment = core_.tables.open_segment(row, core_.codec);
  if (!segment) {
    const Error& error = segment.error();
    const bool is_body = error.code == ErrorCode::damaged && error.system_error == 0;
    return is_body ? Result<void>() : fail(error);  // its reader will say so
  }
  Source source{.row = row};
  for (const Record& record : segment->records()) {
    auto sum = table_->read(record.tail, record.rest);
    if (!sum || sum->period_s() >= part_length_s(level)) {
      source.has_strange = true;
      continue;
    }
    const std::int64_t part_s = part_of(record, clockwork, level);
    if (part_s + part_length_s(level) > before_s) cut_s_ = std::min(cut_s_, part_s);
    source.first_part_s = std::min(source.first_part_s, part_s);
    source.last_part_s = std::max(source.last_part_s, part_s);
    chain_up(record, std::move(*sum), clockwork, part_s);
  }
  sources_.push_back(source);
  return {};
}

Result<Merging::Clockwork> Merging::clockwork_of(const SegmentRow& row) {
  const std::int64_t id = row.anchor.value_or(0);
  BERM_TRY(auto anchor, Anchors(core_).find(id));
  if (!anchor || anchor->source != ClockSource::none) return Clockwork{anchor, 0};
  std::optional<std::int64_t> truth;
  BERM_CHECK(core_.tables.run(
      sql::kSelectWholeAnchor, [&](Statement& one) { truth = one.optional_integer(5); }, id));
  if (truth) {
    BERM_TRY(anchor, Anchors(core_).find(*truth));
    return Clockwork{anchor, 0};
  }
  // Of this boot: its correction must find what has its time from it.
  return Clockwork{anchor, anchor->boot == core_.books.boot ? id : 0};
}

std::int64_t Merging::part_of(const Record& record, const Clockwork& clockwork,
                              std::int64_t level) const {
  const WallTime begin{Microseconds{timing_of(record, clockwork.anchor).wall_us}};
  return core_.options.zone.part_begin_s(s_of(begin), part_length_s(level));
}

void Merging::chain_up(const Record& record, event::PeriodSum sum, const Clockwork& clockwork,
                       std::int64_t part_s) {
  const Timing timing = timing_of(record, clockwork.anchor);
  const WallTime begin{Microseconds{timing.wall_us}};
  const std::int64_t kept = record.wall_us ? 0 : clockwork.id;
  std::string name = std::string(record.source) + '\n' + std::string(record.key);
  const auto [known, is_new] = open_.emplace(std::move(name), chains_.size());
  if (!is_new) {
    Chain& chain = chains_[known->second];
    const bool is_next = chain.part_s == part_s && chain.end_s == s_of(begin) &&
                         chain.anchor == kept && chain.sum.is_of_one_lane(sum);
    if (is_next) {
      chain.end_s += sum.period_s();
      chain.sum.add(sum);
      chain.clock = std::min(chain.clock, timing.clock);
      if (record.vehicles) chain.vehicles = chain.vehicles.value_or(0) + *record.vehicles;
      ++chain.periods;
      return;
    }
    known->second = chains_.size();
  }
  const std::int64_t end_s = s_of(begin) + sum.period_s();
  chains_.push_back(Chain{.sum = std::move(sum),
                          .part_s = part_s,
                          .begin = begin,
                          .end_s = end_s,
                          .mono_us = record.mono_us,
                          .anchor = kept,
                          .clock = timing.clock,
                          .vehicles = record.vehicles,
                          .source = std::string(record.source),
                          .key = std::string(record.key)});
}

// Nothing of it can be merged here: the next level may look at it. False: there was none.
Result<bool> Merging::promote(std::int64_t level) {
  bool is_any = false;
  for (const Source& source : sources_) {
    if (source.last_part_s >= cut_s_) continue;
    BERM_CHECK(raise(source.row, level));
    is_any = true;
  }
  return is_any;
}

Result<void> Merging::raise(const SegmentRow& row, std::int64_t level) {
  const auto above = static_cast<std::size_t>(level + 1);
  if (above < cursor_.next.size()) {
    cursor_.next[above] = std::min(cursor_.next[above], row.first_seq);
  }
  return core_.tables.set_level(row, level);
}

Result<void> Merging::close_sources(std::int64_t level, RangeSet& consumed) {
  for (const Source& source : sources_) {
    const Range all{source.row.first_seq, source.row.last_seq};
    if (source.first_part_s == INT64_MAX) {
      BERM_CHECK(raise(source.row, level));
    } else if (source.has_strange || source.last_part_s >= cut_s_) {
      BERM_CHECK(split(source.row, level, consumed));
    } else {
      BERM_CHECK(core_.tables.delete_segment(source.row));
      consumed.add(all);
    }
  }
  return {};
}

// What of the row is not merged now stays as it is, in rows of its own.
Result<void> Merging::split(const SegmentRow& row, std::int64_t level, RangeSet& consumed) {
  BERM_TRY(const Clockwork clockwork, clockwork_of(row));
  BERM_TRY(const auto segment, core_.tables.open_segment(row, core_.codec));
  BERM_CHECK(core_.tables.delete_segment(row));
  const std::span<const Record> records = segment.records();
  enum class Fate { merged, stays, rises };
  const auto fate_of = [&](const Record& record) {
    const auto sum = table_->read(record.tail, record.rest);
    if (!sum || sum->period_s() >= part_length_s(level)) return Fate::rises;
    return part_of(record, clockwork, level) >= cut_s_ ? Fate::stays : Fate::merged;
  };
  for (std::size_t from = 0; from < records.size();) {
    const Fate fate = fate_of(records[from]);
    std::size_t end = from + 1;
    while (end < records.size() && fate_of(records[end]) == fate) ++end;
    SegmentRow part = row;
    part.first_seq = row.first_seq + static_cast<std::int64_t>(from);
    part.last_seq = row.first_seq + static_cast<std::int64_t>(end) - 1;
    part.level = fate == Fate::rises ? level : row.level;
    if (fate == Fate::merged) {
      consumed.add(Range{part.first_seq, part.last_seq});
    } else {
      BERM_CHECK(rewrite(core_, part, records.subspan(from, end - from)));
      if (fate == Fate::rises) BERM_CHECK(raise(part, level));
    }
    from = end;
  }
  return {};
}

Result<std::string> Merging::write_chains(SeriesIndex index, std::int64_t level) {
  Series& series = core_.books.series[index];
  const std::int64_t first = series.next_seq;
  std::vector<const Chain*> order;
  for (const Chain& chain : chains_) order.push_back(&chain);
  std::ranges::stable_sort(order, [](const Chain* a, const Chain* b) {
    return std::pair(a->anchor, a->begin) < std::pair(b->anchor, b->begin);
  });
  std::span<const Chain* const> rest = order;
  while (!rest.empty()) {
    BERM_TRY(const std::size_t taken, write_segment(index, rest, level));
    rest = rest.subspan(taken);
  }
  const EpochRecord& epoch = core_.books.epochs[series.epoch];
  std::string into = event::event_id(*series.schema, {epoch.node, epoch.epoch, first});
  if (series.next_seq - 1 > first) into += "-" + std::to_string(series.next_seq - 1);
  return into;
}

// As many of them as fit into one. Returns how many.
Result<std::size_t> Merging::write_segment(SeriesIndex index, std::span<const Chain* const> chains,
                                           std::int64_t level) {
  const hal::WallReading wall = core_.clock.wall();
  const std::int64_t mono_us = us_of(core_.clock.mono());
  std::vector<std::string> texts;
  texts.reserve(2 * std::min(chains.size(), kMaxSegmentEvents));
  std::vector<Record> records;
  std::size_t bytes = 0;
  std::int64_t end_s = INT64_MIN;
  for (const Chain* chain : chains) {
    std::string tail = chain->sum.tail();
    bytes += tail.size();
    const bool is_full = bytes > kMaxSegmentBytes || records.size() == kMaxSegmentEvents;
    if (!records.empty() && (is_full || chain->anchor != chains.front()->anchor)) break;
    end_s = std::max(end_s, chain->end_s);
    Record record{.mono_us = chain->anchor == 0 ? mono_us : chain->mono_us,
                  .clock = chain->clock,
                  .made_mono_us = mono_us,
                  .vehicles = chain->vehicles,
                  .source = chain->source,
                  .key = chain->key};
    if (chain->anchor == 0) record.wall_us = us_of(chain->begin);
    if (wall.source != ClockSource::none) record.made_wall_us = us_of(wall.time);
    texts.push_back(std::move(tail));
    record.tail = texts.back();
    texts.push_back(chain->sum.rest());
    record.rest = texts.back();
    records.push_back(record);
  }
  Series& series = core_.books.series[index];
  const auto count = static_cast<std::int64_t>(records.size());
  SegmentRow row{.series = series.id,
                 .ordinal = core_.books.next_ordinal++,
                 .first_seq = series.next_seq,
                 .last_seq = series.next_seq + count - 1,
                 .version = series.schema->version,
                 .boot = core_.books.boot,
                 .made_s = end_s,
                 .anchor = chains.front()->anchor,
                 .level = level,
                 .is_merged = true};
  BERM_ASSERT(row.last_seq < kMaxSequence);
  BERM_CHECK(rewrite(core_, row, records));
  series.next_seq = row.last_seq + 1;
  return records.size();
}

Result<void> Merging::record(SeriesIndex index, const RangeSet& consumed, std::string into) {
  Books& books = core_.books;
  Series& series = books.series[index];
  const std::int64_t count = consumed.count_below(kOpenEnd);
  series.gone += count;
  Manifests(core_).close(index, consumed, false);
  for (auto& tracks : books.tracks) {
    Track& track = tracks[index];
    if (!track.is_wanted) continue;
    track.undelivered.subtract(consumed);
    track.is_dirty = true;
  }
  BERM_CHECK(save_offers(core_.tables, series));
  BERM_CHECK(Commit(core_).write(gap_event(Gap{.of = std::string(series.schema->name),
                                               .of_epoch = books.epochs[series.epoch].epoch,
                                               .ranges = consumed.to_text(),
                                               .count = count,
                                               .vehicles = 0,
                                               .cause = "merged",
                                               .into = std::move(into)},
                                           core_.clock)));
  return Commit(core_).write_delivery_state();
}

}  // namespace berm::outbox
