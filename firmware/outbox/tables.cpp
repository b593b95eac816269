// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/tables.hpp"

#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/sql.hpp"

namespace berm::outbox {
namespace {

constexpr int kSequenceBits = 40;
static_assert(kMaxSequence == (1ll << kSequenceBits) - 1);

std::int64_t place_of(std::int64_t series, std::int64_t seq) {
  return (series << kSequenceBits) | seq;
}

SegmentRow read_segment(const Statement& row) {
  const std::int64_t place = row.integer(0);
  return SegmentRow{.series = place >> kSequenceBits,
                    .ordinal = row.integer(1),
                    .first_seq = row.integer(2),
                    .last_seq = place & kMaxSequence,
                    .count = row.integer(3),
                    .version = row.integer(4),
                    .boot = row.integer(5),
                    .made_last = row.integer(6),
                    .made_s = row.optional_integer(7),
                    .vehicles = row.optional_integer(8),
                    .anchor = row.optional_integer(9),
                    .raw_bytes = row.integer(10),
                    .codec = row.integer(11) % kLevelStep,
                    .level = row.integer(11) % kMergedMark / kLevelStep,
                    .is_merged = row.integer(11) >= kMergedMark};
}

std::int64_t stored_codec(const SegmentRow& row) {
  return row.codec + row.level * kLevelStep + (row.is_merged ? kMergedMark : 0);
}

Anchor read_anchor(const Statement& row) {
  return Anchor{.id = row.integer(0),
                .boot = row.integer(4),
                .mono_us = row.integer(1),
                .wall_us = row.integer(2),
                .source = static_cast<ClockSource>(row.integer(3) & 3)};
}

}  // namespace

Result<Statement*> Tables::prepared(const char* sql) {
  auto it = statements_.find(sql);
  if (it == statements_.end()) {
    auto statement = database_.prepare(sql);
    if (!statement) {
      Error error = std::move(statement.error());
      if (is_schema_error(error)) error.code = ErrorCode::damaged;
      return fail(std::move(error));
    }
    it = statements_.emplace(sql, std::move(*statement)).first;
  }
  it->second.reset();
  return &it->second;
}

Result<void> Tables::finish(Statement& statement, const Each& each) {
  while (true) {
    BERM_TRY(const bool is_row, statement.step());
    if (!is_row) return {};
    if (each) each(statement);
  }
}

Result<void> Tables::insert_segment(const SegmentRow& row, std::string_view body) {
  BERM_TRY(Statement * insert, prepared(sql::kInsertSegment));
  insert->bind(place_of(row.series, row.last_seq)).bind(row.ordinal).bind(row.first_seq);
  insert->bind(row.count).bind(row.version).bind(row.boot).bind(row.mono_first);
  insert->bind(row.mono_last).bind(row.made_first).bind(row.made_last).bind(row.made_s);
  insert->bind(row.vehicles).bind(row.anchor).bind(row.raw_bytes);
  insert->bind(stored_codec(row));
  insert->bind_blob(body);
  return insert->run();
}

namespace {

Result<void> check_range(const SegmentRow& row) {
  if (row.first_seq >= 1 && row.count == row.last_seq - row.first_seq + 1) return {};
  return fail(ErrorCode::damaged, "outbox segment: impossible range");
}

}  // namespace

template <class... Values>
Result<std::optional<SegmentRow>> Tables::find_segment(const char* sql, Values... values) {
  BERM_TRY(Statement * select, prepared(sql));
  (select->bind(values), ...);
  BERM_TRY(const bool is_row, select->step());
  if (!is_row) return std::optional<SegmentRow>();
  const SegmentRow row = read_segment(*select);
  select->reset();
  BERM_CHECK(check_range(row));
  return std::optional(row);
}

Result<std::optional<WholeSegment>> Tables::seek_whole_segment(std::int64_t series,
                                                               std::int64_t seq) {
  BERM_TRY(Statement * select, prepared(sql::kSeekWholeSegment));
  select->bind(place_of(series, seq)).bind(place_of(series, kMaxSequence));
  BERM_TRY(const bool is_row, select->step());
  if (!is_row) return std::optional<WholeSegment>();
  WholeSegment whole{read_segment(*select), {}};
  whole.row.mono_first = select->integer(12);
  whole.row.mono_last = select->integer(13);
  whole.row.made_first = select->integer(14);
  whole.body = select->blob(15);
  select->reset();
  BERM_CHECK(check_range(whole.row));
  return std::optional(std::move(whole));
}

Result<std::optional<SegmentRow>> Tables::seek_segment(std::int64_t series, std::int64_t seq) {
  return find_segment(sql::kSeekSegment, place_of(series, seq), place_of(series, kMaxSequence));
}

Result<std::optional<SegmentRow>> Tables::last_segment(std::int64_t series, std::int64_t up_to) {
  return find_segment(sql::kLastSegment, place_of(series, 0), place_of(series, up_to));
}

Result<std::optional<SegmentRow>> Tables::seek_level(std::int64_t series, std::int64_t seq,
                                                     std::int64_t level) {
  return find_segment(sql::kSeekLevel, place_of(series, seq), place_of(series, kMaxSequence),
                      level * kLevelStep, (level + 1) * kLevelStep);
}

Result<std::optional<SegmentRow>> Tables::last_unmerged(std::int64_t series) {
  return find_segment(sql::kLastUnmerged, place_of(series, 0), place_of(series, kMaxSequence),
                      kMergedMark);
}

Result<std::optional<SegmentRow>> Tables::seek_original(std::int64_t series, std::int64_t seq) {
  return find_segment(sql::kSeekOriginal, place_of(series, seq), place_of(series, kMaxSequence),
                      kMergeLevels * kLevelStep);
}

Result<std::optional<SegmentRow>> Tables::seek_older(std::int64_t series, std::int64_t seq,
                                                     std::int64_t made_before_s) {
  return find_segment(sql::kSeekOlder, place_of(series, seq), place_of(series, kMaxSequence),
                      made_before_s);
}

Result<void> Tables::set_level(const SegmentRow& row, std::int64_t level) {
  SegmentRow raised = row;
  raised.level = level;
  return run(sql::kUpdateLevel, {}, place_of(row.series, row.last_seq), stored_codec(raised));
}

Result<OpenedSegment> Tables::open_segment(const SegmentRow& row, SegmentCodec& codec) {
  BERM_TRY(Statement * select, prepared(sql::kSelectBody));
  BERM_TRY(const bool is_row, select->bind(place_of(row.series, row.last_seq)).step());
  if (!is_row) return fail(ErrorCode::damaged, "outbox segment: its row is gone");
  auto opened = codec.open(static_cast<Codec>(row.codec), static_cast<std::size_t>(row.raw_bytes),
                           static_cast<std::size_t>(row.count), select->blob(0));
  select->reset();
  return opened;
}

Result<void> Tables::delete_segment(const SegmentRow& row) {
  return run(sql::kDeleteSegment, {}, place_of(row.series, row.last_seq));
}

Result<std::vector<UnsettledBoot>> Tables::unsettled_boots() {
  std::vector<UnsettledBoot> boots;
  BERM_CHECK(run(sql::kSelectUnsettled, [&](Statement& row) {
    boots.push_back({row.integer(0), row.integer(1), row.integer(2), row.integer(3)});
  }));
  return boots;
}

Result<std::optional<Anchor>> Tables::anchor(const char* sql, std::int64_t value) {
  std::optional<Anchor> found;
  BERM_CHECK(run(sql, [&](Statement& row) { found = read_anchor(row); }, value));
  return found;
}

Result<std::vector<Anchor>> Tables::estimates(std::int64_t boot) {
  std::vector<Anchor> found;
  BERM_CHECK(
      run(sql::kSelectEstimates, [&](Statement& row) { found.push_back(read_anchor(row)); }, boot));
  return found;
}

Result<std::optional<std::string>> Tables::meta(std::string_view name) {
  std::optional<std::string> value;
  BERM_CHECK(
      run(sql::kSelectMeta, [&](Statement& row) { value = std::string(row.text(0)); }, name));
  return value;
}

Result<void> Tables::set_meta(std::string_view name, std::string_view value) {
  return run(sql::kUpsertMeta, {}, name, value);
}

Result<void> Tables::update_series(const Series& series) {
  return run(sql::kUpdateSeries, {}, series.id, series.next_seq, series.gone, series.offered_below,
             series.manifested, std::string_view(series.debt.to_text()));
}

Result<void> Tables::insert_set_aside(const SetAsideRow& row) {
  BERM_TRY(Statement * insert, prepared(sql::kInsertSetAside));
  const SegmentRow& event = row.segment;
  insert->bind(std::string_view(row.uplink)).bind(event.series).bind(event.last_seq);
  insert->bind(event.ordinal).bind(event.version).bind(event.boot).bind(event.made_s);
  insert->bind(event.vehicles).bind(std::string_view(row.reason));
  insert->bind(std::string_view(row.line)).bind(event.raw_bytes).bind(event.codec);
  insert->bind_blob(row.body);
  return insert->run();
}

Result<std::optional<SetAsideRow>> Tables::set_aside(std::int64_t number) {
  std::optional<SetAsideRow> found;
  BERM_CHECK(run(
      sql::kSelectSetAside,
      [&](Statement& row) {
        found = SetAsideRow{.uplink = std::string(row.text(0)),
                            .segment = {.series = row.integer(1),
                                        .ordinal = row.integer(3),
                                        .first_seq = row.integer(2),
                                        .last_seq = row.integer(2),
                                        .count = 1,
                                        .version = row.integer(4),
                                        .boot = row.integer(5),
                                        .made_s = row.optional_integer(6),
                                        .vehicles = row.optional_integer(7),
                                        .anchor = 0,
                                        .raw_bytes = row.integer(8),
                                        .codec = row.integer(9)},
                            .body = std::string(row.blob(10))};
      },
      number));
  return found;
}

}  // namespace berm::outbox
