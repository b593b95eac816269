// SPDX-License-Identifier: Apache-2.0
// Store: from a directory to an outbox that knows who it is.
#include <algorithm>

#include "firmware/outbox/commit.hpp"
#include "firmware/outbox/ledger.hpp"
#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/manifest.hpp"
#include "firmware/outbox/offers.hpp"
#include "firmware/outbox/opening.hpp"
#include "firmware/outbox/sql.hpp"
#include "firmware/outbox/store.hpp"
#include "firmware/outbox/wal_check.hpp"
#include "hal/base/text.hpp"

namespace berm::outbox {
namespace {

constexpr std::size_t kMaxMarkBytes = 64;
constexpr std::string_view kRenamed = "node renamed";

WalState log_state(hal::Disk& disk, const std::string& directory) {
  const auto log = disk.read(database_path(directory) + "-wal", kMaxLogRead);
  return log ? check_wal(*log) : WalState::empty;
}

bool is_ballast_whole(hal::Disk& disk, const OutboxOptions& options) {
  const std::string path = ballast_path(options);
  if (!disk.exists(path)) return false;
  const auto file = disk.open_append(path);
  if (!file) return true;  // there, and nothing to be done about it now
  const auto size = (*file)->size();
  return size && *size >= static_cast<std::uint64_t>(ballast_bytes(options));
}

Sidecar sidecar_of(const Books& books) {
  Sidecar sidecar;
  for (std::size_t i = 0; i < books.epochs.size(); ++i) {
    NamedEpoch named{books.epochs[i].epoch, books.epochs[i].node, {}, {}};
    for (const Series& series : books.series) {
      if (series.epoch != i) continue;
      named.streams.emplace_back(series.schema->name);
      named.series.push_back(series.id);
    }
    sidecar.push_back(std::move(named));
  }
  return sidecar;
}

bool knows_epoch(const Books& books, const Sidecar& sidecar, const std::string& name) {
  return std::ranges::find(books.epochs, name, &EpochRecord::epoch) != books.epochs.end() ||
         std::ranges::find(sidecar, name, &NamedEpoch::epoch) != sidecar.end();
}

}  // namespace

Store::Store(const OutboxOptions& options, const StoreParts& parts)
    : options_(options), parts_(parts) {}

Store::~Store() {
  salvage_.reset();
  tables_.reset();  // statements end before their database
  if (is_open_ && database_) close_in_order();
}

void Store::abandon() {
  is_open_ = false;
  if (database_) database_->tidy_on_close(false);
}

// While the mark is there, there is a log. So it goes when the log is copied back, and before
// SQLite, closing, removes the log; where that cannot be had, both stay.
void Store::close_in_order() {
  const std::string mark = options_.directory + std::string(kOpenMark);
  const bool is_done = database_->copy_back() && parts_.disk.remove(mark).has_value() &&
                       parts_.disk.sync_directory(options_.directory).has_value();
  database_->tidy_on_close(is_done);
}

// By the mark of this database: a power cut may shorten the log, it does not take it away.
bool Store::was_open() const {
  const auto mark = parts_.disk.read(options_.directory + std::string(kOpenMark), kMaxMarkBytes);
  return mark && !books_.epochs.empty() && *mark == books_.epochs[books_.epoch].epoch;
}

// Once the first commit has made the log durable.
void Store::mark_open() {
  is_open_ = true;
  const std::string mark = options_.directory + std::string(kOpenMark);
  const auto make = [&]() -> Result<void> {
    BERM_TRY(const auto file, parts_.disk.open_append(mark));
    BERM_CHECK(file->truncate(0));
    BERM_CHECK(file->append(books_.epochs[books_.epoch].epoch));
    BERM_CHECK(file->sync());
    return parts_.disk.sync_directory(options_.directory);
  };
  if (!make()) return;  // without it a log that goes missing is taken for a power cut
}

Result<std::unique_ptr<Store>> Store::open(const OutboxOptions& options, const StoreParts& parts,
                                           const std::string& damage) {
  if (options.uplinks.size() > kMaxUplinks) {
    return fail(ErrorCode::invalid, "more than " + std::to_string(kMaxUplinks) + " uplinks");
  }
  std::unique_ptr<Store> store(new Store(options, parts));
  auto begun = store->begin(damage);
  if (!begun && begun.error().code == ErrorCode::full) {
    store->make_room_to_begin();
    store = std::unique_ptr<Store>(new Store(options, parts));
    begun = store->begin(damage);
  }
  if (begun) return store;
  const Error& error = begun.error();
  if (!damage.empty() || error.code != ErrorCode::damaged) return fail(error);
  // It could be opened, and only its first use met the damage.
  store->abandon();
  store.reset();
  return open(options, parts, error.text);
}

// The file system is full, and even a first commit needs a log. The ballast is there for this; and
// what the log of the life before holds goes back into the database, which need not grow for it.
void Store::make_room_to_begin() {
  static_cast<void>(parts_.disk.remove(ballast_path(options_)));
  if (database_) close_in_order();
  is_open_ = false;
}

Result<void> Store::open_files() {
  tables_.reset();
  database_.reset();
  BERM_TRY(Opened opened, open_database(parts_.disk, options_));
  database_ = std::move(opened.database);
  ceiling_ = ceiling_pages(options_, database_->page_bytes());
  if (opened.is_new) BERM_CHECK(parts_.disk.sync_directory(options_.directory));
  tables_ = std::make_unique<Tables>(*database_);
  const auto load = [this]() -> Result<Books> {
    BERM_TRY(auto books,
             load_books(*tables_, parts_.clock.boot_id(),
                        [this](std::string_view name) { return unknown_schema(name); }));
    BERM_CHECK(load_offers(*tables_, books));
    return books;
  };
  BERM_TRY(books_, load());
  BERM_TRY(const auto salvage, tables_->meta(kSalvageKey));
  if (salvage) return {};  // an epoch without events is still being filled
  BERM_TRY(const bool has_gone, forget_empty_epochs(*tables_, books_));
  if (has_gone) {
    BERM_TRY(books_, load());
  }
  return {};
}

Result<std::string> Store::quick_check() {
  std::string verdict;
  BERM_TRY(Statement check, database_->prepare("PRAGMA quick_check(1)"));
  BERM_TRY(const bool is_row, check.step());
  if (is_row) verdict = check.text(0);
  check.reset();
  return verdict;
}

// Opens what is there, or sets it aside and makes it anew.
Result<void> Store::open_sound(const std::string& damage, bool& is_tail_lost) {
  std::string why = damage;
  if (damage.empty()) {
    const WalState log = log_state(parts_.disk, options_.directory);
    auto opened = open_files();
    is_tail_lost = log == WalState::damaged || (log == WalState::empty && was_open());
    if (opened && is_tail_lost) {
      const auto verdict = quick_check();
      if (!verdict || *verdict != "ok") opened = fail(ErrorCode::damaged, "its log is damaged");
    }
    if (opened) return {};
    if (opened.error().code != ErrorCode::damaged) return opened;
    why = opened.error().text;
  }
  is_tail_lost = false;
  tables_.reset();
  if (database_) database_->tidy_on_close(false);
  database_.reset();
  BERM_TRY(const std::string name, set_database_aside(parts_.disk, options_.directory));
  damage_ = why + "; set aside as " + name;
  return open_files();
}

Result<void> Store::begin(const std::string& damage) {
  sidecar_ = read_sidecar(parts_.disk, options_.directory);
  const auto identity = parts_.disk.identity(options_.directory);
  if (identity) directory_id_ = std::to_string(*identity);
  bool is_tail_lost = false;
  BERM_CHECK(open_sound(damage, is_tail_lost));
  if (is_tail_lost) damage_ = "the end of its log could not be read back";
  if (books_.epochs.empty() && !sidecar_.empty() && damage_.empty()) {
    damage_ = "the database is missing or empty";
  }
  for (UplinkIndex uplink = 0; uplink < options_.uplinks.size(); ++uplink) {
    readers_.emplace_back(core(), uplink);
  }
  BERM_CHECK(transact([this, is_tail_lost] { return establish(is_tail_lost); }));
  BERM_CHECK(load_checkpoints());
  BERM_CHECK(load_salvage());
  if (salvage_) damage_ += damage_.empty() ? "a damaged database is being salvaged" : ", salvaging";
  is_established_ = true;
  BERM_CHECK(keep_sidecar());
  mark_open();
  has_ballast_ = is_ballast_whole(parts_.disk, options_);
  keep_ballast();
  return {};
}

// Why this needs a new epoch; empty: it does not.
Result<std::string> Store::epoch_reason(bool is_tail_lost) {
  if (books_.epochs.empty()) {
    const bool is_first =
        sidecar_.empty() && damaged_numbers(parts_.disk, options_.directory).empty();
    return std::string(is_first ? "created" : "damaged");
  }
  if (is_tail_lost) return std::string("damaged");
  BERM_TRY(const auto node, tables_->meta("node"));
  BERM_TRY(const auto machine, tables_->meta("machine_id"));
  BERM_TRY(const auto directory, tables_->meta("directory"));
  if (node != options_.node) return std::string(kRenamed);
  if (machine != options_.machine_id) return std::string("another machine");
  if (directory != directory_id_) return std::string("another directory");
  return std::string();
}

Result<void> Store::establish(bool is_tail_lost) {
  BERM_CHECK(attach_uplinks());
  BERM_TRY(const std::string reason, epoch_reason(is_tail_lost));
  if (!reason.empty()) {
    const bool was_empty = books_.epochs.empty();
    std::optional<std::string> previous;
    if (!was_empty) previous = books_.epochs[books_.epoch].epoch;
    const std::size_t old = books_.epoch;
    bool is_salvaging = false;
    if (was_empty) {
      BERM_TRY(is_salvaging, adopt_wrecks());
      if (!books_.epochs.empty()) previous = books_.epochs.back().epoch;
      if (!sidecar_.empty()) previous = sidecar_.back().epoch;
    }
    BERM_CHECK(begin_epoch(previous, reason));
    if (was_empty && !is_salvaging) BERM_CHECK(record_lost(sidecar_));
    if (is_tail_lost) BERM_CHECK(record_lost_tail(old));
  }
  // A value that changes, so that there is a log from the first commit on.
  BERM_TRY(const auto opened, tables_->meta("opened"));
  const auto times = opened ? parse_integer(*opened) : std::nullopt;
  BERM_CHECK(tables_->set_meta("opened", std::to_string(times.value_or(0) + 1)));
  BERM_CHECK(tables_->set_meta("node", options_.node));
  BERM_CHECK(tables_->set_meta("machine_id", options_.machine_id));
  BERM_CHECK(tables_->set_meta("directory", directory_id_));
  return Commit(core()).write_delivery_state();
}

Result<void> Store::begin_epoch(const std::optional<std::string>& previous,
                                const std::string& reason) {
  // Whoever has what was copied goes on with the old epoch, and what is lost may have been a
  // manifest: there must never be two.
  for (SeriesIndex i = 0; i < books_.series.size() && reason != kRenamed; ++i) {
    BERM_CHECK(end_manifests(core(), i));
  }
  std::string name = make_epoch(parts_.random);
  // A machine without entropy at its boot may draw what it drew at another one.
  for (int draw = 1; draw < kMaxEpochDraws && knows_epoch(books_, sidecar_, name); ++draw) {
    name = make_epoch(parts_.random);
  }
  BERM_TRY(const auto id, tables_->number(sql::kInsertEpoch, name, options_.node, reason));
  books_.epochs.push_back({id.value_or(0), name, options_.node});
  books_.epoch = books_.epochs.size() - 1;
  return Commit(core()).write(epoch_event(previous, reason, parts_.clock));
}

// Everything those epochs held is gone, delivered or not: nobody knows.
Result<void> Store::record_lost(const Sidecar& lost) {
  std::vector<event::Draft> gaps;
  for (const NamedEpoch& epoch : lost) {
    for (const std::string& stream : epoch.streams) {
      gaps.push_back(
          gap_event(Gap{.of = stream, .of_epoch = epoch.epoch, .ranges = "1-", .cause = "damaged"},
                    parts_.clock));
    }
  }
  return Commit(core()).write(gaps);
}

// What the log held beyond what the database has.
Result<void> Store::record_lost_tail(std::size_t epoch) {
  std::vector<event::Draft> gaps;
  for (const Series& series : books_.series) {
    if (series.epoch != epoch) continue;
    gaps.push_back(gap_event(Gap{.of = std::string(series.schema->name),
                                 .of_epoch = books_.epochs[epoch].epoch,
                                 .ranges = std::to_string(series.next_seq) + "-",
                                 .cause = "damaged"},
                             parts_.clock));
  }
  return Commit(core()).write(gaps);
}

// Uplinks no longer configured stop holding anything. A new one begins with what the others (those
// that were there before, the ones just removed included) still wait for; where there were none,
// with all that is kept.
Result<void> Store::attach_uplinks() {
  std::map<std::string, std::int64_t> stored;
  BERM_CHECK(tables_->run(sql::kSelectUplinks, [&](Statement& row) {
    stored[std::string(row.text(1))] = row.integer(0);
  }));
  std::map<std::pair<std::int64_t, std::int64_t>, StoredTrack> rows;
  BERM_CHECK(tables_->run(sql::kSelectUndelivered, [&](Statement& row) {
    RangeSet all(kMaxRanges);
    all.add(Range{1, kOpenEnd});
    auto ranges = RangeSet::parse(row.text(2), kMaxRanges);
    // Unreadable: as if nothing had been delivered. A repeat, not a loss.
    auto resend = RangeSet::parse(row.text(3), kMaxRanges);
    StoredTrack& stored_track = rows[{row.integer(0), row.integer(1)}];
    stored_track.undelivered = ranges ? std::move(*ranges) : std::move(all);
    if (resend) stored_track.resend = std::move(*resend);
  }));
  books_.tracks.assign(options_.uplinks.size(), {});
  for (UplinkIndex uplink = 0; uplink < options_.uplinks.size(); ++uplink) {
    BERM_CHECK(attach_uplink(uplink, stored, rows));
  }
  for (const auto& [name, id] : stored) {
    if (std::ranges::find(options_.uplinks, name, &UplinkInterest::name) !=
        options_.uplinks.end()) {
      continue;
    }
    for (const Series& series : books_.series) {
      BERM_CHECK(tables_->run(sql::kDeleteUndelivered, {}, id, series.id));
    }
    BERM_CHECK(tables_->run(sql::kDeleteUplink, {}, id));
  }
  return {};
}

Result<void> Store::attach_uplink(
    UplinkIndex uplink, const std::map<std::string, std::int64_t>& stored,
    const std::map<std::pair<std::int64_t, std::int64_t>, StoredTrack>& rows) {
  const UplinkInterest& interest = options_.uplinks[uplink];
  const auto known = stored.find(interest.name);
  if (known == stored.end()) {
    BERM_CHECK(tables_->run(sql::kInsertUplink, {}, interest.name));
  }
  const auto does_hold = [this](const std::string& name) {
    const auto it = std::ranges::find(options_.uplinks, name, &UplinkInterest::name);
    return it == options_.uplinks.end() || it->hold;
  };
  for (const Series& series : books_.series) {
    Track track;
    track.is_wanted = wants(interest, series.schema->name);
    const auto row = known == stored.end() ? rows.end() : rows.find({known->second, series.id});
    if (!track.is_wanted) {
      if (row != rows.end()) {
        BERM_CHECK(tables_->run(sql::kDeleteUndelivered, {}, known->second, series.id));
      }
      books_.tracks[uplink].push_back(std::move(track));
      continue;
    }
    track.is_dirty = row == rows.end();
    bool has_others = false;
    if (row != rows.end()) {
      track.undelivered = row->second.undelivered;
      track.resend = row->second.resend;
    }
    for (const auto& [name, id] : stored) {
      const auto other = rows.find({id, series.id});
      if (!track.is_dirty || other == rows.end() || !does_hold(name)) continue;
      track.undelivered.add(other->second.undelivered);
      has_others = true;
    }
    if (track.is_dirty && !has_others) track.undelivered.add(Range{1, kOpenEnd});
    BERM_TRY(const auto first, tables_->seek_segment(series.id, 1));
    const std::int64_t kept_from = first ? first->first_seq : series.next_seq;
    if (kept_from > 1) track.undelivered.subtract(Range{1, kept_from - 1});
    books_.tracks[uplink].push_back(std::move(track));
  }
  return {};
}

Result<void> Store::keep_sidecar() {
  Sidecar wanted = sidecar_of(books_);
  if (wanted == sidecar_) return {};
  BERM_CHECK(write_sidecar(parts_.disk, options_.directory, wanted));
  other_written_bytes_ += 2 * kPageBytes;
  sidecar_ = std::move(wanted);
  return {};
}

const event::StreamSchema* Store::unknown_schema(std::string_view stream) {
  for (const auto& [name, schema] : unknown_schemas_) {
    if (name == stream) return &schema;
  }
  auto& made = unknown_schemas_.emplace_back(std::string(stream), event::StreamSchema());
  made.second.name = made.first;
  made.second.topic = made.first;
  return &made.second;
}

Result<void> Store::load_checkpoints() {
  checkpoints_.clear();
  return tables_->run(sql::kSelectCheckpoints, [this](Statement& row) {
    // One that cannot be read is as good as none: its driver begins anew.
    auto bytes = codec_.open_checkpoint(row.blob(1));
    if (bytes) checkpoints_[std::string(row.text(0))] = std::move(*bytes);
  });
}

}  // namespace berm::outbox
