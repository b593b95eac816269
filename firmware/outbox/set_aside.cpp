// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/set_aside.hpp"

#include <algorithm>
#include <map>

#include "firmware/outbox/commit.hpp"
#include "firmware/outbox/ledger.hpp"
#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/manifest.hpp"
#include "firmware/outbox/sql.hpp"

namespace berm::outbox {

// Returns the vehicles that this uplink's receiver will not hear of.
Result<std::optional<std::int64_t>> Shelf::put_one(UplinkIndex uplink, Reader& reader,
                                                   const Refusal& refusal) {
  BERM_TRY(Reader::Found found, reader.read_one(refusal.series, refusal.seq));
  Record settled = found.record;
  settled.wall_us = found.timing.wall_us;
  settled.clock = found.timing.clock;
  settled.made_wall_us.reset();
  if (found.timing.made_ms) settled.made_wall_us = *found.timing.made_ms * 1000;
  const Packed packed = core_.codec.pack({&settled, 1});
  SetAsideRow row{.uplink = core_.options.uplinks[uplink].name,
                  .segment = found.row,
                  .reason = refusal.reason,
                  .line = found.event.line,
                  .body = packed.body};
  row.segment.first_seq = row.segment.last_seq = refusal.seq;
  row.segment.vehicles = settled.vehicles;
  row.segment.raw_bytes = static_cast<std::int64_t>(packed.raw_bytes);
  row.segment.codec = static_cast<int>(packed.codec);
  BERM_CHECK(core_.tables.insert_set_aside(row));
  return settled.vehicles;
}

Result<void> Shelf::put(UplinkIndex uplink, Reader& reader, std::span<const Refusal> refusals) {
  struct Lost {
    RangeSet ranges;
    std::optional<std::int64_t> vehicles;
  };
  std::map<SeriesIndex, Lost> lost;
  for (const Refusal& refusal : refusals) {
    Track& track = core_.books.tracks[uplink][refusal.series];
    const Range one{refusal.seq, refusal.seq};
    track.in_flight.subtract(one);
    track.undelivered.subtract(one);
    track.resend.subtract(one);
    track.is_dirty = true;
    auto vehicles = put_one(uplink, reader, refusal);
    if (!vehicles && vehicles.error().code == ErrorCode::not_found) continue;
    if (!vehicles) return fail(std::move(vehicles.error()));
    Lost& of = lost[refusal.series];
    of.ranges.add(one);
    if (*vehicles) of.vehicles = of.vehicles.value_or(0) + **vehicles;
  }
  std::vector<event::Draft> gaps;
  for (const auto& [index, of] : lost) {
    const Series& series = core_.books.series[index];
    gaps.push_back(gap_event(Gap{.of = std::string(series.schema->name),
                                 .of_epoch = core_.books.epochs[series.epoch].epoch,
                                 .ranges = of.ranges.to_text(),
                                 .count = of.ranges.count_below(kOpenEnd),
                                 .vehicles = of.vehicles,
                                 .cause = "refused",
                                 .uplink = core_.options.uplinks[uplink].name},
                             core_.clock));
    const RangeSet untold = Manifests(core_).close(index, of.ranges, true);
    BERM_CHECK(core_.tables.update_series(series));
    if (untold.is_empty()) continue;
    gaps.push_back(gap_event(Gap{.of = std::string(series.schema->name),
                                 .of_epoch = core_.books.epochs[series.epoch].epoch,
                                 .ranges = untold.to_text(),
                                 .count = untold.count_below(kOpenEnd),
                                 .vehicles = std::nullopt,
                                 .cause = "refused",
                                 .uplink = ""},
                             core_.clock));
  }
  BERM_CHECK(Commit(core_).write(gaps));
  return core_.tables.run(sql::kTrimSetAside, {}, static_cast<std::int64_t>(kMaxSetAside));
}

Result<std::vector<SetAside>> Shelf::list(std::int64_t from, std::size_t max) {
  std::vector<SetAside> shelf;
  const auto each = [&](Statement& row) {
    const auto series = std::ranges::find(core_.books.series, row.integer(2), &Series::id);
    SetAside one{.number = row.integer(0),
                 .uplink = std::string(row.text(1)),
                 .event = {.seq = row.integer(3)},
                 .reason = std::string(row.text(4)),
                 .line = std::string(row.text(5))};
    if (series != core_.books.series.end()) {
      one.event.stream = series->schema->name;
      one.event.epoch = core_.books.epochs[series->epoch].epoch;
    }
    shelf.push_back(std::move(one));
  };
  BERM_CHECK(core_.tables.run(sql::kListSetAside, each, from, static_cast<std::int64_t>(max)));
  return shelf;
}

Result<void> Shelf::put_back(std::int64_t number) {
  BERM_TRY(const auto row, core_.tables.set_aside(number));
  if (!row) return fail(ErrorCode::not_found, "no event is set aside as " + std::to_string(number));
  const auto& uplinks = core_.options.uplinks;
  const auto uplink = std::ranges::find(uplinks, row->uplink, &UplinkInterest::name);
  if (uplink == uplinks.end()) {
    return fail(ErrorCode::not_found, "uplink " + row->uplink + " is not configured");
  }
  Books& books = core_.books;
  const auto series = std::ranges::find(books.series, row->segment.series, &Series::id);
  if (series == books.series.end()) {
    return fail(ErrorCode::damaged, "the stream of this event is gone");
  }
  const std::int64_t seq = row->segment.first_seq;
  BERM_TRY(const auto here, core_.tables.seek_segment(series->id, seq));
  if (!here || !here->covers(seq)) {
    BERM_CHECK(core_.tables.insert_segment(row->segment, row->body));
    --series->gone;
    BERM_CHECK(core_.tables.update_series(*series));
  }
  Track& track = books.tracks[static_cast<UplinkIndex>(uplink - uplinks.begin())]
                             [static_cast<SeriesIndex>(series - books.series.begin())];
  track.undelivered.add(Range{seq, seq});
  track.is_dirty = true;
  BERM_CHECK(Commit(core_).write_delivery_state());
  return core_.tables.run(sql::kDeleteSetAside, {}, number);
}

}  // namespace berm::outbox
