// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/commit.hpp"

#include <algorithm>

#include "firmware/outbox/anchors.hpp"
#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/offers.hpp"
#include "firmware/outbox/reader.hpp"
#include "firmware/outbox/sql.hpp"
#include "hal/base/assert.hpp"

namespace berm::outbox {
namespace {

// How many of the drafts go into the next segment.
std::size_t segment_length(std::span<const event::Draft* const> drafts) {
  std::size_t bytes = 0;
  std::size_t length = 0;
  for (const event::Draft* draft : drafts) {
    bytes += draft->tail.size();
    if (length > 0 && (bytes > kMaxSegmentBytes || length == kMaxSegmentEvents)) break;
    ++length;
  }
  return length;
}

// What the row says of its events as a whole.
void summarise(std::span<const Record> records, SegmentRow& row) {
  row.count = static_cast<std::int64_t>(records.size());
  row.mono_first = row.mono_last = records[0].mono_us;
  row.made_first = row.made_last = records[0].made_mono_us;
  for (const Record& record : records) {
    row.mono_first = std::min(row.mono_first, record.mono_us);
    row.mono_last = std::max(row.mono_last, record.mono_us);
    row.made_first = std::min(row.made_first, record.made_mono_us);
    row.made_last = std::max(row.made_last, record.made_mono_us);
    if (record.vehicles) row.vehicles = row.vehicles.value_or(0) + *record.vehicles;
  }
}

}  // namespace

SeriesIndex add_series(Books& books, const OutboxOptions& options, Series series) {
  BERM_ASSERT(series.id > 0 && series.id < kMaxSeries);
  for (UplinkIndex uplink = 0; uplink < options.uplinks.size(); ++uplink) {
    Track track;
    track.is_wanted = wants(options.uplinks[uplink], series.schema->name);
    if (track.is_wanted) track.undelivered.add(Range{1, kOpenEnd});
    track.is_dirty = track.is_wanted;
    books.tracks[uplink].push_back(std::move(track));
  }
  books.series.push_back(series);
  return books.series.size() - 1;
}

Result<SeriesIndex> Commit::series_of(const event::StreamSchema& schema) {
  Books& books = core_.books;
  if (const auto found = books.find(books.epoch, schema.name)) return *found;
  BERM_TRY(const auto id,
           core_.tables.number(sql::kInsertSeries, books.epochs[books.epoch].id, schema.name));
  return add_series(books, core_.options,
                    Series{.id = id.value_or(0), .epoch = books.epoch, .schema = &schema});
}

Result<void> Commit::keep_boot() {
  if (core_.books.boot != 0) return {};
  const std::string& boot = core_.clock.boot_id();
  BERM_TRY(auto id, core_.tables.number(sql::kSelectBoot, boot));
  if (!id) {
    BERM_TRY(id, core_.tables.number(sql::kInsertBoot, boot));
  }
  core_.books.boot = id.value_or(0);
  return {};
}

Result<void> Commit::write(std::span<const event::Draft> drafts) {
  if (drafts.empty()) return {};
  BERM_CHECK(keep_boot());
  std::vector<Drafts> streams;
  for (const event::Draft& draft : drafts) {
    auto it = std::ranges::find(streams, draft.schema,
                                [](const Drafts& stream) { return stream.front()->schema; });
    if (it == streams.end()) it = streams.insert(it, Drafts());
    it->push_back(&draft);
  }
  for (const Drafts& stream : streams) BERM_CHECK(write_stream(stream));
  return {};
}

Result<void> Commit::write_stream(const Drafts& drafts) {
  BERM_TRY(const SeriesIndex index, series_of(*drafts.front()->schema));
  BERM_CHECK(extend_offer(core_, index, static_cast<std::int64_t>(drafts.size())));
  std::span<const event::Draft* const> rest = drafts;
  while (!rest.empty()) {
    const std::size_t length = segment_length(rest);
    BERM_CHECK(write_segment(rest.first(length), index));
    rest = rest.subspan(length);
  }
  return {};
}

Result<void> Commit::write_segment(std::span<const event::Draft* const> drafts, SeriesIndex index) {
  std::vector<Record> records;
  records.reserve(drafts.size());
  for (const event::Draft* draft : drafts) records.push_back(record_of(*draft));
  Series& series = core_.books.series[index];
  SegmentRow row{.series = series.id,
                 .ordinal = core_.books.next_ordinal++,
                 .first_seq = series.next_seq,
                 .version = series.schema->version,
                 .boot = core_.books.boot};
  summarise(records, row);
  row.last_seq = row.first_seq + row.count - 1;
  BERM_ASSERT(row.last_seq < kMaxSequence);
  BERM_CHECK(Anchors(core_).settle_new(records, row));
  const Packed packed = core_.codec.pack(records);
  row.codec = static_cast<int>(packed.codec);
  row.raw_bytes = static_cast<std::int64_t>(packed.raw_bytes);
  BERM_CHECK(core_.tables.insert_segment(row, packed.body));
  series.next_seq = row.last_seq + 1;
  return {};
}

Result<void> Commit::write_checkpoints(const std::map<std::string, std::string>& checkpoints) {
  for (const auto& [key, bytes] : checkpoints) {
    const std::string packed = core_.codec.pack_checkpoint(bytes);
    BERM_CHECK(core_.tables.run(sql::kUpsertCheckpoint, {}, key, packed));
  }
  return {};
}

Result<void> Commit::write_delivery_state() {
  Books& books = core_.books;
  for (UplinkIndex uplink = 0; uplink < books.tracks.size(); ++uplink) {
    BERM_TRY(const auto id,
             core_.tables.number(sql::kSelectUplink, core_.options.uplinks[uplink].name));
    for (SeriesIndex i = 0; i < books.series.size(); ++i) {
      Track& track = books.tracks[uplink][i];
      if (!track.is_dirty) continue;
      BERM_CHECK(core_.tables.run(sql::kUpsertUndelivered, {}, id.value_or(0), books.series[i].id,
                                  std::string_view(track.undelivered.to_text()),
                                  std::string_view(track.resend.to_text())));
      track.is_dirty = false;
    }
  }
  books.unsaved_settled = 0;
  return {};
}

}  // namespace berm::outbox
