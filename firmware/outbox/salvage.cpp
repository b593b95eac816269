// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/salvage.hpp"

#include <algorithm>

#include "firmware/outbox/commit.hpp"
#include "firmware/outbox/ledger.hpp"
#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/sql.hpp"

namespace berm::outbox {
namespace {

constexpr std::size_t kRowsOfAProbe = 16;  // what passing over unreadable rows counts for

// As epochs, nodes and streams are named: anything else was read from damage.
bool is_name(std::string_view text) {
  const auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= 63 && std::ranges::all_of(text, is_good);
}

// The series of that name here; made where it is not known yet. Empty: that is no name.
Result<std::optional<std::int64_t>> series_named(Core core, const UnknownSchema& unknown_schema,
                                                 const WreckedSeries& wrecked) {
  if (!is_name(wrecked.epoch) || !is_name(wrecked.node) || !is_name(wrecked.stream)) {
    return std::optional<std::int64_t>();
  }
  Books& books = core.books;
  if (const auto found = books.find(wrecked.epoch, wrecked.stream)) {
    return std::optional(books.series[*found].id);
  }
  auto epoch = std::ranges::find(books.epochs, wrecked.epoch, &EpochRecord::epoch);
  if (epoch == books.epochs.end()) {
    BERM_TRY(const auto id,
             core.tables.number(sql::kInsertEpoch, std::string_view(wrecked.epoch),
                                std::string_view(wrecked.node), std::string_view("salvaged")));
    books.epochs.push_back({id.value_or(0), wrecked.epoch, wrecked.node});
    epoch = std::prev(books.epochs.end());
  }
  BERM_TRY(const auto id,
           core.tables.number(sql::kInsertSeries, epoch->id, std::string_view(wrecked.stream)));
  const event::StreamSchema* schema = event::find_schema(wrecked.stream);
  if (schema == nullptr) schema = unknown_schema(wrecked.stream);
  add_series(books, core.options,
             Series{.id = id.value_or(0),
                    .epoch = static_cast<std::size_t>(epoch - books.epochs.begin()),
                    .schema = schema,
                    .manifested = kNoManifests});
  return id;
}

void open_once(SalvageState& state, std::int64_t series) {
  if (std::ranges::find(state.open, series) == state.open.end()) state.open.push_back(series);
}

}  // namespace

Result<SalvageState> Salvage::adopt(Core core, hal::Disk& disk, const UnknownSchema& unknown_schema,
                                    const std::vector<std::int64_t>& copies,
                                    const Sidecar& sidecar) {
  SalvageState state;
  for (const std::int64_t number : copies) {
    const bool is_newest = number == copies.back();
    const auto wreck = Wreck::open(disk, damaged_path(core.options.directory, number),
                                   is_newest ? sidecar : Sidecar());
    if (!wreck) continue;
    SalvageState::Copy copy{number, {}};
    for (const WreckedSeries& wrecked : (*wreck)->series()) {
      if (copy.series.size() == kMaxSalvageSeries) break;
      BERM_TRY(const auto here, series_named(core, unknown_schema, wrecked));
      if (!here) continue;
      copy.series.emplace_back(wrecked.id, *here);
      open_once(state, *here);
    }
    state.copies.push_back(std::move(copy));
  }
  if (state.copies.empty()) return state;
  for (const NamedEpoch& epoch : sidecar) {
    for (const std::string& stream : epoch.streams) {
      const WreckedSeries named{.epoch = epoch.epoch, .node = epoch.node, .stream = stream};
      BERM_TRY(const auto here, series_named(core, unknown_schema, named));
      if (here) open_once(state, *here);
    }
  }
  return state;
}

std::optional<SeriesIndex> Salvage::find(std::int64_t series_id) const {
  const auto& all = core_.books.series;
  const auto found = std::ranges::find(all, series_id, &Series::id);
  if (found == all.end()) return std::nullopt;
  return static_cast<SeriesIndex>(found - all.begin());
}

Result<void> Salvage::step() {
  std::size_t rows = 0;
  std::size_t bytes = 0;
  while (!state_.copies.empty() && rows < kSalvageRows && bytes < kSalvageBytes) {
    SalvageState::Copy& copy = state_.copies.front();
    if (!wreck_) {
      auto wreck =
          Wreck::open(disk_, damaged_path(core_.options.directory, copy.number), Sidecar());
      if (wreck) wreck_ = std::move(*wreck);
    }
    if (!wreck_ || copy.series.empty()) {
      if (wreck_) finished_.push_back(copy.number);
      wreck_.reset();
      state_.copies.erase(state_.copies.begin());
      continue;
    }
    BERM_TRY(const bool is_done, read_first(copy, rows, bytes));
    if (!is_done) continue;
    copy.series.erase(copy.series.begin());
    reading_.reset();
  }
  if (state_.copies.empty()) BERM_CHECK(close_rest());
  BERM_CHECK(Commit(core_).write_delivery_state());
  if (state_.is_over()) return core_.tables.run(sql::kDeleteMeta, {}, kSalvageKey);
  return core_.tables.set_meta(kSalvageKey, state_.to_text());
}

// The first of the series that the copy still has to give. True: there is no more of it.
Result<bool> Salvage::read_first(const SalvageState::Copy& copy, std::size_t& rows,
                                 std::size_t& bytes) {
  const auto [there, here_id] = copy.series.front();
  const auto here = find(here_id);
  const auto open = std::ranges::find(state_.open, here_id);
  if (!here || open == state_.open.end()) return true;  // an earlier copy had it whole
  lost_ = RangeSet();
  BERM_TRY(const bool is_done, read_series(there, *here, rows, bytes));
  if (is_done) {
    end_series(there, *here);
    state_.open.erase(open);
  }
  BERM_CHECK(core_.tables.update_series(core_.books.series[*here]));
  BERM_CHECK(record(*here));
  return is_done;
}

Result<bool> Salvage::read_series(std::int64_t there, SeriesIndex here, std::size_t& rows,
                                  std::size_t& bytes) {
  if (reading_ != there) begin_series(there, here);
  while (rows < kSalvageRows && bytes < kSalvageBytes) {
    ++rows;
    auto found = wreck_->seek(there, seek_from_);
    if (!found && found.error().code != ErrorCode::damaged) found = wreck_->seek(there, seek_from_);
    if (!found) {
      rows += kRowsOfAProbe;
      is_tail_unknown_ = true;
      const auto next = wreck_->readable_from(there, seek_from_);
      if (!next) return true;
      seek_from_ = *next;
      continue;
    }
    if (!*found) return true;
    const WholeSegment& segment = **found;
    seek_from_ = segment.row.last_seq + 1;
    is_tail_unknown_ = false;
    bytes += segment.body.size();
    if (is_sound(segment, core_.books.series[here])) BERM_CHECK(take_in(segment, here));
  }
  return false;
}

// What the uplinks have not had of it. A new uplink begins with what the others wait for.
void Salvage::begin_series(std::int64_t there, SeriesIndex here) {
  reading_ = there;
  const Series& series = core_.books.series[here];
  seek_from_ = series.next_seq;
  is_tail_unknown_ = false;
  if (series.next_seq > 1) return;  // a restart: the tracks are as they should be
  const auto stored = wreck_->undelivered(there);
  if (stored.empty()) return;
  for (UplinkIndex uplink = 0; uplink < core_.books.tracks.size(); ++uplink) {
    Track& track = core_.books.tracks[uplink][here];
    if (!track.is_wanted) continue;
    track.undelivered = RangeSet(kMaxRanges);
    track.is_dirty = true;
    const auto own = stored.find(core_.options.uplinks[uplink].name);
    for (const auto& [name, ranges] : stored) {
      if (own == stored.end() || name == own->first) track.undelivered.add(ranges);
    }
  }
}

bool Salvage::is_sound(const WholeSegment& segment, const Series& series) const {
  const SegmentRow& row = segment.row;
  if (row.first_seq < series.next_seq || row.count > static_cast<std::int64_t>(kMaxSegmentEvents) ||
      row.raw_bytes < 0 || row.raw_bytes > static_cast<std::int64_t>(kMaxBodyBytes)) {
    return false;
  }
  return core_.codec
      .open(static_cast<Codec>(row.codec), static_cast<std::size_t>(row.raw_bytes),
            static_cast<std::size_t>(row.count), segment.body)
      .has_value();
}

bool Salvage::is_wanted(SeriesIndex here, Range range) const {
  const auto& tracks = core_.books.tracks;
  return tracks.empty() || std::ranges::any_of(tracks, [&](const std::vector<Track>& uplink) {
           return uplink[here].is_wanted && uplink[here].undelivered.touches(range);
         });
}

Result<void> Salvage::take_in(const WholeSegment& segment, SeriesIndex here) {
  const Range whole{segment.row.first_seq, segment.row.last_seq};
  const std::int64_t next = core_.books.series[here].next_seq;
  if (whole.first > next) lose(here, Range{next, whole.first - 1});
  bool is_kept = false;
  if (is_wanted(here, whole)) {
    SegmentRow row = segment.row;
    BERM_TRY(is_kept, translate(row));
    if (is_kept) {
      row.series = core_.books.series[here].id;
      row.ordinal -= kSalvagedOrdinals;
      BERM_CHECK(core_.tables.insert_segment(row, segment.body));
      events_ += row.count;
    } else {
      lose(here, whole);
    }
  }
  Series& series = core_.books.series[here];
  if (!is_kept && series.next_seq <= whole.last) series.gone += whole.last - whole.first + 1;
  series.next_seq = whole.last + 1;
  series.offered_below = series.next_seq;
  return {};
}

// Boot and anchor have other numbers here. False: they cannot be read, and without them the time
// of the events, which may have been told already, would be another.
Result<bool> Salvage::translate(SegmentRow& row) {
  if (row.anchor.value_or(0) != 0) {
    BERM_TRY(const auto anchor, anchor_here(*row.anchor));
    if (!anchor) return false;
    row.anchor = anchor;
  }
  const auto boot = wreck_->boot(row.boot);
  if (!boot && !row.anchor) return false;
  BERM_TRY(row.boot, boot_here(boot.value_or("unknown")));
  if (!row.anchor) core_.books.has_unsettled = true;
  return true;
}

Result<std::int64_t> Salvage::boot_here(const std::string& name) {
  BERM_TRY(auto id, core_.tables.number(sql::kSelectBoot, std::string_view(name)));
  if (!id) {
    BERM_TRY(id, core_.tables.number(sql::kInsertBoot, std::string_view(name)));
  }
  return id.value_or(0);
}

Result<std::optional<std::int64_t>> Salvage::anchor_here(std::int64_t there) {
  if (anchor_ && anchor_->first == there) return std::optional(anchor_->second);
  const auto wrecked = wreck_->anchor(there);
  const auto boot = wrecked ? wreck_->boot(wrecked->anchor.boot) : std::nullopt;
  if (!boot) return std::optional<std::int64_t>();
  BERM_TRY(const std::int64_t boot_id, boot_here(*boot));
  const Anchor& anchor = wrecked->anchor;
  const auto source = static_cast<std::int64_t>(anchor.source);
  BERM_TRY(auto id,
           core_.tables.number(sql::kFindAnchor, boot_id, anchor.mono_us, anchor.wall_us, source));
  if (!id) {
    BERM_TRY(id, core_.tables.number(sql::kInsertAnchor, boot_id, anchor.mono_us, anchor.wall_us,
                                     source));
    if (wrecked->is_corrected) {
      BERM_CHECK(core_.tables.run(sql::kCorrectAnchor, {}, id.value_or(0), id.value_or(0)));
    } else if (anchor.source == ClockSource::none && boot_id == core_.books.boot) {
      core_.books.has_estimate = true;
    }
  }
  anchor_ = {there, id.value_or(0)};
  return id;
}

// Those that somebody still wanted; they are gone for good.
void Salvage::lose(SeriesIndex here, Range range) {
  Books& books = core_.books;
  if (books.tracks.empty()) lost_.add(range);
  for (std::vector<Track>& uplink : books.tracks) {
    Track& track = uplink[here];
    if (!track.is_wanted) continue;
    lost_.add(track.undelivered.intersect(range));
    track.undelivered.subtract(range);
    track.is_dirty = true;
  }
  Series& series = books.series[here];
  if (range.last == kOpenEnd) return;
  series.gone += range.last - std::max(range.first, series.next_seq) + 1;
  series.next_seq = std::max(series.next_seq, range.last + 1);
}

void Salvage::end_series(std::int64_t there, SeriesIndex here) {
  const std::int64_t next = core_.books.series[here].next_seq;
  const std::int64_t known = std::max(next, next_in_wreck(there));
  if (known > next) lose(here, Range{next, known - 1});
  const RangeSet before = lost_;
  lose(here, Range{known, kOpenEnd});
  if (wreck_->knows_ends() && !is_tail_unknown_) lost_ = before;
}

std::int64_t Salvage::next_in_wreck(std::int64_t there) const {
  const auto found = std::ranges::find(wreck_->series(), there, &WreckedSeries::id);
  return found == wreck_->series().end() ? 1 : found->next_seq;
}

// Series that no copy could give.
Result<void> Salvage::close_rest() {
  for (const std::int64_t id : std::exchange(state_.open, {})) {
    const auto here = find(id);
    if (!here) continue;
    lost_ = RangeSet();
    lose(*here, Range{core_.books.series[*here].next_seq, kOpenEnd});
    BERM_CHECK(record(*here));
  }
  return {};
}

Result<void> Salvage::record(SeriesIndex here) {
  if (lost_.is_empty()) return {};
  const Series& series = core_.books.series[here];
  const bool is_open = lost_.ranges().back().last == kOpenEnd;
  Gap gap{.of = std::string(series.schema->name),
          .of_epoch = core_.books.epochs[series.epoch].epoch,
          .ranges = lost_.to_text(),
          .cause = "damaged"};
  if (!is_open) gap.count = lost_.count_below(kOpenEnd);
  return Commit(core_).write(gap_event(gap, core_.clock));
}

SalvageProgress Salvage::progress() const {
  SalvageProgress progress{.is_active = !is_over(), .events = events_};
  if (state_.copies.empty()) return progress;
  const SalvageState::Copy& copy = state_.copies.front();
  progress.name = damaged_name(copy.number);
  if (!wreck_) return progress;
  std::int64_t all = 1;
  for (const WreckedSeries& series : wreck_->series()) all += series.next_seq - 1;
  std::int64_t left = 0;
  for (const auto& [there, here_id] : copy.series) {
    const auto here = find(here_id);
    const std::int64_t done = here ? core_.books.series[*here].next_seq : 1;
    left += std::max<std::int64_t>(next_in_wreck(there) - done, 0);
  }
  progress.percent = static_cast<int>((all - std::min(left, all)) * 100 / all);
  return progress;
}

}  // namespace berm::outbox
