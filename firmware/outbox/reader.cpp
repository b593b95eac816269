// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/reader.hpp"

#include <algorithm>
#include <utility>

#include "firmware/outbox/limits.hpp"

namespace berm::outbox {

event::Event compose(const Books& books, const Series& series, const SegmentRow& row,
                     const Record& record, const Timing& timing, std::int64_t seq) {
  const EpochRecord& epoch = books.epochs[series.epoch];
  event::Event event{.schema = series.schema, .epoch = epoch.epoch, .seq = seq};
  const WallTime wall{Microseconds{timing.wall_us}};
  const event::Identity identity{epoch.node, epoch.epoch, seq};
  event.line.reserve(record.tail.size() + 256);
  if (row.version == series.schema->version) {
    event::compose_line(*series.schema, identity, {wall, timing.clock}, record.source, record.tail,
                        event.line);
  } else {  // written by an older program: its bytes say so
    event::StreamSchema old = *series.schema;
    old.version = static_cast<int>(row.version);
    event::compose_line(old, identity, {wall, timing.clock}, record.source, record.tail,
                        event.line);
  }
  event.key = record.key;
  event.made_ms = timing.made_ms;
  event.time_s = s_of(wall);
  return event;
}

void Reader::forget() {
  heads_.clear();
  open_row_.reset();
  open_ = OpenedSegment();
}

// The next event of a series this uplink may have now.
Result<std::optional<Reader::Head>> Reader::head_of(SeriesIndex index) {
  Track& track = this->track(index);
  const Series& series = core_.books.series[index];
  heads_.resize(core_.books.series.size());
  std::optional<SegmentRow>& kept = heads_[index];
  std::int64_t from = 1;
  while (true) {
    const auto seq = track.undelivered.first_from(from, track.in_flight);
    if (!seq || *seq >= series.next_seq) return std::optional<Head>();
    if (!kept || !kept->covers(*seq)) {
      BERM_TRY(kept, core_.tables.seek_segment(series.id, *seq));
    }
    if (kept && kept->covers(*seq)) return std::optional(Head{index, *seq, *kept});
    // No such events are here (ranges joined across events long gone): on to the next that are.
    from = kept ? kept->first_seq : series.next_seq;
    track.undelivered.subtract(Range{*seq, from - 1});
    track.is_dirty = true;
  }
}

// The head that was committed first, of those whose time is settled.
Result<std::optional<Reader::Head>> Reader::next_head(std::optional<SeriesIndex> only) {
  std::optional<Head> first;
  for (SeriesIndex i = 0; i < core_.books.series.size(); ++i) {
    if (!track(i).is_wanted || (only && *only != i)) continue;
    BERM_TRY(auto head, head_of(i));
    if (!head || !head->row.anchor) continue;
    if (!first || head->row.ordinal < first->row.ordinal) first = std::move(head);
  }
  return first;
}

Result<void> Reader::open(SeriesIndex index, const SegmentRow& row) {
  broken_.reset();
  if (open_row_ && open_row_->series == row.series && open_row_->last_seq == row.last_seq) {
    return {};
  }
  open_row_.reset();
  auto opened = core_.tables.open_segment(row, core_.codec);
  if (!opened) {
    // SQLite's own errors carry its number; ours says that this one body is not what was written.
    const Error& error = opened.error();
    if (error.code == ErrorCode::damaged && error.system_error == 0) broken_ = Broken{index, row};
    return fail(error);
  }
  open_ = std::move(*opened);
  BERM_TRY(open_anchor_, Anchors(core_).find(row.anchor.value_or(0)));
  open_row_ = row;
  return {};
}

Result<bool> Reader::read_run(const Head& head, const TakeRequest& request, std::size_t& bytes,
                              Batch& batch) {
  BERM_CHECK(open(head.series, head.row));
  Track& track = this->track(head.series);
  const Series& series = core_.books.series[head.series];
  const std::int64_t end =
      std::min(track.undelivered.run_end(head.seq, track.in_flight), head.row.last_seq);
  std::int64_t seq = head.seq;
  bool is_full = false;
  for (; seq <= end && !is_full; ++seq) {
    const Record& record = open_.records()[static_cast<std::size_t>(seq - head.row.first_seq)];
    event::Event event =
        compose(core_.books, series, head.row, record, timing_of(record, open_anchor_), seq);
    if (event.key.empty()) event.key = core_.books.epochs[series.epoch].node;
    if (!batch.events.empty() && bytes + event.line.size() > request.max_bytes) {
      is_full = true;
      break;
    }
    bytes += event.line.size();
    batch.events.push_back(std::move(event));
    is_full = batch.events.size() >= request.max_events;
  }
  if (seq > head.seq) track.in_flight.add(Range{head.seq, seq - 1});
  return !is_full;
}

Result<Batch> Reader::collect(const TakeRequest& request) {
  Batch batch;
  std::size_t bytes = 0;
  std::optional<SeriesIndex> only;
  bool has_room = true;
  while (has_room) {
    BERM_TRY(const auto head, next_head(only));
    if (!head) break;
    if (request.one_stream) only = head->series;
    BERM_TRY(has_room, read_run(*head, request, bytes, batch));
  }
  BERM_TRY(const auto next, next_head({}));
  batch.more = next.has_value();
  if (!batch.more) {  // caught up: memory belongs to others
    open_row_.reset();
    open_ = OpenedSegment();
  }
  return batch;
}

Result<Batch> Reader::take(const TakeRequest& request) {
  std::vector<Track> before = core_.books.tracks[uplink_];
  auto batch = collect(request);
  if (!batch) {
    core_.books.tracks[uplink_] = std::move(before);
    forget();
  }
  return batch;
}

Result<std::optional<std::int64_t>> Reader::oldest_made_s() {
  std::optional<std::int64_t> oldest;
  for (SeriesIndex i = 0; i < core_.books.series.size(); ++i) {
    const Track& track = this->track(i);
    if (!track.is_wanted) continue;
    const Series& series = core_.books.series[i];
    const auto seq = track.undelivered.first_from(1, RangeSet());
    if (!seq || *seq >= series.next_seq) continue;
    heads_.resize(core_.books.series.size());
    std::optional<SegmentRow> row = heads_[i];
    if (!row || !row->covers(*seq)) {
      BERM_TRY(row, core_.tables.seek_segment(series.id, *seq));
    }
    if (row && row->made_s && (!oldest || *row->made_s < *oldest)) oldest = row->made_s;
  }
  return oldest;
}

Result<Reader::Found> Reader::read_one(SeriesIndex index, std::int64_t seq) {
  const Series& series = core_.books.series[index];
  BERM_TRY(const auto row, core_.tables.seek_segment(series.id, seq));
  if (!row || !row->covers(seq)) {
    return fail(ErrorCode::not_found, "the outbox does not have this event any more");
  }
  BERM_CHECK(open(index, *row));
  Found found{.row = *row};
  found.record = open_.records()[static_cast<std::size_t>(seq - row->first_seq)];
  found.timing = timing_of(found.record, open_anchor_);
  found.event = compose(core_.books, series, *row, found.record, found.timing, seq);
  return found;
}

}  // namespace berm::outbox
