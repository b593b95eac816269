// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/rewriting.hpp"

#include <algorithm>

#include "firmware/outbox/limits.hpp"
#include "hal/base/assert.hpp"

namespace berm::outbox {
namespace {

bool is_next(const SegmentRow& before, const SegmentRow& row) {
  return row.first_seq == before.last_seq + 1 && row.boot == before.boot &&
         row.anchor == before.anchor && row.version == before.version &&
         row.level == before.level && row.is_merged == before.is_merged;
}

std::int64_t bytes_of(const std::vector<SegmentRow>& rows) {
  std::int64_t bytes = 0;
  for (const SegmentRow& row : rows) bytes += row.raw_bytes;
  return bytes;
}

std::int64_t count_of(const std::vector<SegmentRow>& rows) {
  return rows.empty() ? 0 : rows.back().last_seq - rows.front().first_seq + 1;
}

bool fits(const std::vector<SegmentRow>& rows, const SegmentRow& row) {
  return rows.size() < kMaxJoined && bytes_of(rows) + row.raw_bytes <= kMaxJoinBytes &&
         count_of(rows) + row.count <= kMaxJoinedEvents;
}

}  // namespace

Result<void> rewrite(Core core, SegmentRow row, std::span<const Record> records) {
  BERM_ASSERT(!records.empty());
  row.count = static_cast<std::int64_t>(records.size());
  row.vehicles.reset();
  row.mono_first = row.mono_last = records[0].mono_us;
  row.made_first = INT64_MAX;
  std::int64_t made_last = INT64_MIN;
  for (const Record& record : records) {
    row.mono_first = std::min(row.mono_first, record.mono_us);
    row.mono_last = std::max(row.mono_last, record.mono_us);
    row.made_first = std::min(row.made_first, record.made_mono_us);
    made_last = std::max(made_last, record.made_mono_us);
    if (record.vehicles) row.vehicles = row.vehicles.value_or(0) + *record.vehicles;
  }
  // A merged row is new and none of the newest: it was made long ago, as far as `live` goes.
  if (row.made_last == 0) row.made_last = made_last - 86'400'000'000;
  const Packed packed = core.codec.pack(records);
  row.codec = static_cast<int>(packed.codec);
  row.raw_bytes = static_cast<std::int64_t>(packed.raw_bytes);
  return core.tables.insert_segment(row, packed.body);
}

Result<std::vector<SegmentRow>> Joining::find(std::int64_t before_s, bool is_pressed) {
  for (SeriesIndex i = 0; i < core_.books.series.size(); ++i) {
    BERM_TRY(auto rows, find_in(i, before_s, is_pressed));
    if (!rows.empty()) return rows;
  }
  return std::vector<SegmentRow>();
}

bool Joining::may_join(SeriesIndex index, const SegmentRow& row, std::int64_t before_s) const {
  const Range all{row.first_seq, row.last_seq};
  bool is_awaited = core_.books.tracks.empty();
  for (const auto& tracks : core_.books.tracks) {
    if (tracks[index].in_flight.touches(all)) return false;
    is_awaited = is_awaited || tracks[index].undelivered.touches(all);
  }
  return is_awaited && row.anchor && row.made_s.value_or(INT64_MAX) <= before_s &&
         row.raw_bytes <= kMaxJoinBytes / 2;
}

Result<std::vector<SegmentRow>> Joining::find_in(SeriesIndex index, std::int64_t before_s,
                                                 bool is_pressed) {
  const Series& series = core_.books.series[index];
  std::int64_t seq = cursor_.emplace(series.id, 1).first->second;
  std::vector<SegmentRow> rows;
  bool is_ended = false;  // no more can come to these
  for (std::size_t looked = 0; looked < kJoinSearch && !is_ended; ++looked) {
    BERM_TRY(const auto row, core_.tables.seek_segment(series.id, seq));
    if (!row || row->made_s.value_or(INT64_MAX) > before_s) break;
    const bool is_one = may_join(index, *row, before_s);
    if (!rows.empty() && (!is_one || !is_next(rows.back(), *row) || !fits(rows, *row))) {
      is_ended = rows.size() >= kMinJoined;
      if (is_ended) break;
      rows.clear();
    }
    if (is_one) rows.push_back(*row);
    seq = row->last_seq + 1;
  }
  cursor_[series.id] = rows.empty() ? seq : rows.front().first_seq;
  if (rows.size() < kMinJoined || (!is_ended && !is_pressed)) return std::vector<SegmentRow>();
  cursor_[series.id] = rows.back().last_seq + 1;
  return rows;
}

Result<void> Joining::join(const std::vector<SegmentRow>& rows) {
  std::vector<OpenedSegment> opened;
  std::vector<Record> records;
  for (const SegmentRow& row : rows) {
    auto segment = core_.tables.open_segment(row, core_.codec);
    if (!segment) {
      const Error& error = segment.error();
      const bool is_body = error.code == ErrorCode::damaged && error.system_error == 0;
      return is_body ? Result<void>() : fail(error);  // its reader will say so
    }
    records.insert(records.end(), segment->records().begin(), segment->records().end());
    opened.push_back(std::move(*segment));
  }
  SegmentRow all = rows.back();
  all.first_seq = rows.front().first_seq;
  all.ordinal = rows.front().ordinal;
  for (const SegmentRow& row : rows) BERM_CHECK(core_.tables.delete_segment(row));
  return rewrite(core_, all, records);
}

}  // namespace berm::outbox
