// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/wreck.hpp"

#include <algorithm>

#include "firmware/outbox/displaced.hpp"
#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/salvage_state.hpp"
#include "firmware/outbox/sql.hpp"
#include "firmware/outbox/wal_check.hpp"

namespace berm::outbox {

Wreck::Wreck(std::unique_ptr<Database> database, bool is_log_whole)
    : database_(std::move(database)),
      tables_(std::make_unique<Tables>(*database_)),
      knows_ends_(is_log_whole) {}

Wreck::~Wreck() {
  tables_.reset();  // statements end before their database
}

Result<std::unique_ptr<Wreck>> Wreck::open(hal::Disk& disk, const std::string& path,
                                           const Sidecar& sidecar) {
  if (!disk.exists(path)) return fail(ErrorCode::not_found, path + " is not there");
  const bool is_ours =
      why_unusable(disk, path).empty() && why_unusable(disk, path + "-wal").empty();
  const auto log = disk.read(path + "-wal", kMaxLogRead);
  const WalState state = log ? check_wal(*log) : WalState::empty;
  const bool was_open = disk.exists(path + "-open");
  const bool is_whole =
      is_ours && (state == WalState::whole || (state == WalState::empty && !was_open));
  BERM_TRY(auto database, Database::open_wreck(path, disk.sqlite_vfs(), is_ours));
  // Reads the schema: without it there are no tables.
  BERM_CHECK(database->prepare(sql::kSeekWholeSegment));
  std::unique_ptr<Wreck> wreck(new Wreck(std::move(database), is_whole));
  const auto salvage = wreck->tables_->meta(kSalvageKey);
  if (!salvage || *salvage) wreck->knows_ends_ = false;
  wreck->read_names(sidecar);
  wreck->read_undelivered();
  return wreck;
}

void Wreck::read_names(const Sidecar& sidecar) {
  const auto read = tables_->run(sql::kSelectNamedSeries, [this](Statement& row) {
    if (row.integer(0) <= 0 || row.integer(0) >= kMaxSeries || row.integer(4) < 1) return;
    series_.push_back({row.integer(0), std::string(row.text(1)), std::string(row.text(2)),
                       std::string(row.text(3)), row.integer(4)});
  });
  if (!read) knows_ends_ = false;
  for (const NamedEpoch& epoch : sidecar) {
    for (std::size_t i = 0; i < epoch.series.size(); ++i) {
      const std::int64_t id = epoch.series[i];
      if (std::ranges::find(series_, id, &WreckedSeries::id) != series_.end()) continue;
      series_.push_back({id, epoch.epoch, epoch.node, epoch.streams[i]});
    }
  }
}

void Wreck::read_undelivered() {
  const auto read = tables_->run(sql::kSelectUndeliveredByName, [this](Statement& row) {
    RangeSet all(kMaxRanges);
    all.add(Range{1, kOpenEnd});
    auto ranges = RangeSet::parse(row.text(2), kMaxRanges);
    undelivered_[row.integer(0)].insert_or_assign(std::string(row.text(1)),
                                                  ranges ? std::move(*ranges) : std::move(all));
  });
  if (!read) undelivered_.clear();
}

std::map<std::string, RangeSet> Wreck::undelivered(std::int64_t series) const {
  const auto found = undelivered_.find(series);
  return found == undelivered_.end() ? std::map<std::string, RangeSet>() : found->second;
}

Result<std::optional<WholeSegment>> Wreck::seek(std::int64_t series, std::int64_t seq) {
  return tables_->seek_whole_segment(series, seq);
}

// One by one first, so that nothing readable between two damaged pages is passed over; a stretch
// longer than any page's rows then in growing strides.
std::optional<std::int64_t> Wreck::readable_from(std::int64_t series, std::int64_t seq) {
  for (std::int64_t probe = seq + 1; probe <= seq + kWreckProbes; ++probe) {
    if (seek(series, probe)) return probe;
  }
  std::int64_t bad = seq + kWreckProbes;
  std::int64_t good = 0;
  for (std::int64_t stride = 1; good == 0; stride *= 2) {
    if (bad + stride >= kMaxSequence) return std::nullopt;
    if (seek(series, bad + stride)) {
      good = bad + stride;
    } else {
      bad += stride;
    }
  }
  while (bad + 1 < good) {
    const std::int64_t middle = bad + (good - bad) / 2;
    (seek(series, middle) ? good : bad) = middle;
  }
  return good;
}

std::optional<std::string> Wreck::boot(std::int64_t id) {
  std::optional<std::string> name;
  const auto read = tables_->run(
      sql::kSelectBootName, [&](Statement& row) { name = std::string(row.text(0)); }, id);
  return read ? name : std::nullopt;
}

std::optional<WreckedAnchor> Wreck::anchor(std::int64_t id) {
  std::optional<WreckedAnchor> found;
  const auto read = tables_->run(
      sql::kSelectWholeAnchor,
      [&](Statement& row) {
        found = WreckedAnchor{Anchor{.id = row.integer(0),
                                     .boot = row.integer(4),
                                     .mono_us = row.integer(1),
                                     .wall_us = row.integer(2),
                                     .source = static_cast<ClockSource>(row.integer(3) & 3)},
                              row.optional_integer(5).has_value()};
      },
      id);
  return read ? found : std::nullopt;
}

}  // namespace berm::outbox
