// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/opening.hpp"

#include <algorithm>

#include "firmware/outbox/displaced.hpp"
#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/page_check.hpp"
#include "firmware/outbox/sql.hpp"
#include "hal/base/text.hpp"

namespace berm::outbox {
namespace {

constexpr std::string_view kName = "outbox.db";
constexpr std::string_view kDamaged = "outbox.db.damaged-";
constexpr std::string_view kSalvaged = "outbox.db.salvaged-";

// One process holds the database alone: no shared memory file, and any file system will do.
constexpr const char* kBeforeFirstRead =
    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA secure_delete=OFF; PRAGMA temp_store=MEMORY;";
// Before the first table; on a database that has one, these would write.
constexpr const char* kBeforeFirstTable = "PRAGMA page_size=1024; PRAGMA auto_vacuum=INCREMENTAL;";

std::int64_t log_bytes(const OutboxOptions& options) {
  return std::min(kWalLimitBytes, std::max(options.max_bytes, kMinCeilingBytes) / 4);
}

Result<void> configure(Database& database, const OutboxOptions& options) {
  // Half the limit: the transaction that reaches it has room too.
  BERM_CHECK(database.settle_pages(std::min(kCheckpointBytes, log_bytes(options) / 2)));
  const std::string settings = text_of(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=%lld;"
      "PRAGMA cache_size=-%d; PRAGMA max_page_count=%lld;",
      static_cast<long long>(log_bytes(options)), kCacheKibibytes,
      static_cast<long long>(ceiling_pages(options, database.page_bytes())));
  return database.execute(settings.c_str());
}

// From that version to the one of this program, in one transaction.
Result<void> migrate(Database& database, std::int64_t version) {
  if (version == 0) {
    BERM_TRY(const std::int64_t objects, database.integer("SELECT count(*) FROM sqlite_schema"));
    if (objects != 0) return fail(ErrorCode::damaged, "outbox database: not made by this program");
  }
  constexpr const char* const* kSteps[] = {&sql::kMigration0001Initial,
                                           &sql::kMigration0002Manifests};
  static_assert(std::size(kSteps) == kSchemaVersion);
  {
    BERM_TRY(Transaction transaction, Transaction::begin(database));
    for (std::int64_t step = version; step < kSchemaVersion; ++step) {
      BERM_CHECK(database.execute(*kSteps[step]));
    }
    const std::string mark = "PRAGMA user_version=" + std::to_string(kSchemaVersion);
    BERM_CHECK(database.execute(mark.c_str()));
    BERM_CHECK(transaction.commit());
  }
  // The version stands in the file itself, where an older program would look first.
  return database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

// The numbers N of the databases kept under that name, ascending.
std::vector<std::int64_t> numbers_of(hal::Disk& disk, const std::string& directory,
                                     std::string_view prefix) {
  std::vector<std::int64_t> numbers;
  const auto names = disk.list(directory);
  if (!names) return numbers;
  for (const std::string& name : *names) {
    if (!name.starts_with(prefix)) continue;
    if (const auto number = parse_integer(name.substr(prefix.size()))) numbers.push_back(*number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

std::uint32_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

Result<void> remove_if_there(hal::Disk& disk, const std::string& path) {
  auto removed = disk.remove(path);
  if (!removed && removed.error().code != ErrorCode::not_found) return removed;
  return {};
}

}  // namespace

std::string database_path(const std::string& directory) {
  return directory + "/" + std::string(kName);
}

std::string ballast_path(const OutboxOptions& options) {
  return options.directory + "/outbox.ballast";
}

std::int64_t ballast_bytes(const OutboxOptions& options) {
  return std::min(kBallastBytes, options.max_bytes / 8);
}

std::int64_t ceiling_pages(const OutboxOptions& options, std::int64_t page_bytes) {
  const std::int64_t ceiling = std::max(options.max_bytes, kMinCeilingBytes);
  return (ceiling - log_bytes(options) - ballast_bytes(options)) / page_bytes;
}

namespace {

// The first page, from the file itself; empty: there is none.
std::string first_page(hal::Disk& disk, const std::string& path) {
  constexpr std::size_t kMaxPageBytes = 65536;
  auto bytes = disk.read_at(path, 0, kMaxPageBytes);
  if (!bytes || bytes->size() < 100 || !bytes->starts_with("SQLite format 3")) return {};
  const std::size_t page = big_endian(*bytes, 16, 2);
  bytes->resize(std::min(bytes->size(), page == 1 ? kMaxPageBytes : page));
  return std::move(*bytes);
}

std::unexpected<Error> newer(const std::string& path, std::int64_t version) {
  return fail(ErrorCode::unsupported,
              path + " was made by a newer program (schema " + std::to_string(version) +
                  ", this one knows " + std::to_string(kSchemaVersion) + "); nothing was changed");
}

// To ask SQLite would leave a log beside the database. A page whose check fails says nothing.
Result<void> refuse_newer(hal::Disk& disk, const std::string& path) {
  const std::string page = first_page(disk, path);
  if (page.empty() || check_page(page, 0) == PageVerdict::damaged) return {};
  const auto version = static_cast<std::int32_t>(big_endian(page, 60, 4));
  if (version > kSchemaVersion) return newer(path, version);
  return {};
}

// Strangers in our files' places go; where it is the database or its log, that is damage.
Result<void> make_way(hal::Disk& disk, const std::string& directory) {
  for (const char* name :
       {"outbox.identity", "outbox.identity.new", "outbox.ballast", "outbox.open"}) {
    BERM_CHECK(displace(disk, directory, name));
  }
  BERM_CHECK(displace(disk, directory, std::string(kName) + "-shm"));
  for (const char* part : {"", "-wal", "-journal"}) {
    const std::string why = why_unusable(disk, database_path(directory) + part);
    if (!why.empty()) return fail(ErrorCode::damaged, why);
  }
  return {};
}

// The process before this one may have ended because a sync of its log failed: what the system
// shows of the log then need not be on the medium, and whatever is committed behind it would go
// with it at a power cut.
Result<void> renew_log(hal::Disk& disk, const OutboxOptions& options) {
  const std::string log = database_path(options.directory) + "-wal";
  if (!disk.exists(log)) return {};
  const auto renewed = disk.renew(log);
  if (renewed || renewed.error().code != ErrorCode::full) return renewed;
  BERM_CHECK(remove_if_there(disk, ballast_path(options)));
  return disk.renew(log);
}

}  // namespace

Result<Opened> open_database(hal::Disk& disk, const OutboxOptions& options) {
  const std::string path = database_path(options.directory);
  BERM_CHECK(refuse_newer(disk, path));
  BERM_CHECK(make_way(disk, options.directory));
  BERM_CHECK(renew_log(disk, options));
  BERM_TRY(auto database, Database::open(path, disk.sqlite_vfs()));
  BERM_CHECK(database->execute(kBeforeFirstRead));
  BERM_TRY(const std::int64_t version, database->integer("PRAGMA user_version"));
  // Its log may know of a migration that the file does not show yet.
  if (version > kSchemaVersion) return newer(path, version);
  if (version == 0) BERM_CHECK(database->execute(kBeforeFirstTable));
  BERM_CHECK(configure(*database, options));
  if (version < kSchemaVersion) BERM_CHECK(migrate(*database, version));
  return Opened{std::move(database), version == 0};
}

std::string damaged_name(std::int64_t number) {
  return std::string(kDamaged) + std::to_string(number);
}
std::string damaged_path(const std::string& directory, std::int64_t number) {
  return directory + "/" + damaged_name(number);
}
std::vector<std::int64_t> damaged_numbers(hal::Disk& disk, const std::string& directory) {
  return numbers_of(disk, directory, kDamaged);
}

Result<void> mark_salvaged(hal::Disk& disk, const std::string& directory, std::int64_t number) {
  const std::string from = damaged_path(directory, number);
  const std::string to = directory + "/" + std::string(kSalvaged) + std::to_string(number);
  BERM_CHECK(disk.rename(from, to));
  if (disk.exists(from + "-wal")) BERM_CHECK(disk.rename(from + "-wal", to + "-wal"));
  BERM_CHECK(remove_if_there(disk, from + "-open"));
  return disk.sync_directory(directory);
}

namespace {

// Makes room for one more. What cannot be removed may stay: starting matters more.
void thin_out(hal::Disk& disk, const std::string& directory) {
  std::vector<std::string> kept;
  for (const std::string_view prefix : {kSalvaged, kDamaged}) {
    for (const std::int64_t number : numbers_of(disk, directory, prefix)) {
      kept.push_back(directory + "/" + std::string(prefix) + std::to_string(number));
    }
  }
  for (std::size_t i = 0; kept.size() - i >= kMaxDamagedKept; ++i) {
    for (const std::string& path : {kept[i], kept[i] + "-wal", kept[i] + "-open"}) {
      if (!remove_if_there(disk, path)) continue;
    }
  }
}

// A directory, or another stranger, makes way; a file gets that name.
Result<void> move_aside(hal::Disk& disk, const std::string& directory, const std::string& part,
                        const std::string& name) {
  const std::string path = database_path(directory) + part;
  if (disk.list(path)) {
    BERM_CHECK(displace(disk, directory, std::string(kName) + part));
    return {};
  }
  if (!disk.exists(path)) return {};
  return disk.rename(path, directory + "/" + name + part);
}

}  // namespace

Result<std::string> set_database_aside(hal::Disk& disk, const std::string& directory) {
  std::int64_t number = 1;
  for (const std::string_view prefix : {kDamaged, kSalvaged}) {
    const auto numbers = numbers_of(disk, directory, prefix);
    if (!numbers.empty()) number = std::max(number, numbers.back() + 1);
  }
  thin_out(disk, directory);
  const std::string name = damaged_name(number);
  const std::string path = database_path(directory);
  // The database first: without its log it would look sound, and have forgotten what the log held.
  // A log without its database is nothing.
  const bool has_database = disk.exists(path) && !disk.list(path);
  BERM_CHECK(move_aside(disk, directory, "", name));
  if (!has_database && !disk.list(path + "-wal")) BERM_CHECK(remove_if_there(disk, path + "-wal"));
  BERM_CHECK(move_aside(disk, directory, "-wal", name));
  const std::string mark = directory + std::string(kOpenMark);
  if (disk.exists(mark)) BERM_CHECK(disk.rename(mark, directory + "/" + name + "-open"));
  if (disk.list(path + "-journal")) {
    BERM_CHECK(displace(disk, directory, std::string(kName) + "-journal"));
  }
  BERM_CHECK(remove_if_there(disk, path + "-journal"));
  BERM_CHECK(remove_if_there(disk, path + "-shm"));
  BERM_CHECK(disk.sync_directory(directory));
  return name;
}

namespace {

Result<void> load_epochs(Tables& tables, Books& books) {
  BERM_CHECK(tables.run(sql::kSelectEpochs, [&](Statement& row) {
    books.epochs.push_back({row.integer(0), std::string(row.text(1)), std::string(row.text(2))});
  }));
  if (!books.epochs.empty()) books.epoch = books.epochs.size() - 1;
  return {};
}

Result<void> load_series(Tables& tables, const UnknownSchema& unknown_schema, Books& books) {
  bool is_good = true;
  BERM_CHECK(tables.run(sql::kSelectSeries, [&](Statement& row) {
    const auto epoch = std::ranges::find(books.epochs, row.integer(1), &EpochRecord::id);
    const event::StreamSchema* schema = event::find_schema(row.text(2));
    if (schema == nullptr) schema = unknown_schema(row.text(2));
    is_good = is_good && epoch != books.epochs.end() && row.integer(0) > 0 &&
              row.integer(0) < kMaxSeries && row.integer(3) >= 1;
    books.series.push_back(Series{.id = row.integer(0),
                                  .epoch = static_cast<std::size_t>(epoch - books.epochs.begin()),
                                  .schema = schema,
                                  .next_seq = row.integer(3),
                                  .gone = row.integer(4),
                                  .offered_below = row.integer(5),
                                  .manifested = row.integer(6)});
    auto debt = ManifestDebt::parse(row.text(7));
    is_good = is_good && debt && row.integer(6) >= 0 && row.integer(6) <= kNoManifests;
    if (debt) books.series.back().debt = std::move(*debt);
  }));
  if (!is_good) return fail(ErrorCode::damaged, "outbox database: impossible series");
  for (Series& series : books.series) {
    BERM_TRY(const auto last, tables.last_segment(series.id, kMaxSequence));
    if (!last) continue;
    series.next_seq = std::max(series.next_seq, last->last_seq + 1);
    books.next_ordinal = std::max(books.next_ordinal, last->ordinal + 1);
  }
  return {};
}

}  // namespace

Result<Books> load_books(Tables& tables, const std::string& boot_id,
                         const UnknownSchema& unknown_schema) {
  Books books;
  BERM_CHECK(load_epochs(tables, books));
  BERM_CHECK(load_series(tables, unknown_schema, books));
  BERM_TRY(const auto boot, tables.number(sql::kSelectBoot, boot_id));
  books.boot = boot.value_or(0);
  BERM_TRY(books.anchor, tables.anchor(sql::kSelectBootAnchor, books.boot));
  BERM_TRY(const auto estimates, tables.estimates(books.boot));
  books.has_estimate = !estimates.empty();
  BERM_TRY(const auto unsettled, tables.unsettled_boots());
  books.has_unsettled = !unsettled.empty();
  return books;
}

namespace {

Result<bool> is_empty(Tables& tables, const Series& series) {
  BERM_TRY(const auto segment, tables.seek_segment(series.id, 1));
  BERM_TRY(const auto refused, tables.number(sql::kCountSetAsideOf, series.id));
  const bool is_told = series.schema->is_ledger || series.manifested >= series.next_seq - 1;
  return !segment && refused.value_or(0) == 0 && is_told;
}

}  // namespace

Result<bool> forget_empty_epochs(Tables& tables, const Books& books) {
  bool has_gone = false;
  for (std::size_t epoch = 0; epoch < books.epochs.size(); ++epoch) {
    if (epoch == books.epoch) continue;
    bool is_used = false;
    for (const Series& series : books.series) {
      if (series.epoch != epoch) continue;
      BERM_TRY(const bool is_over, is_empty(tables, series));
      is_used = is_used || !is_over;
      if (!is_over) continue;
      BERM_CHECK(tables.run(sql::kDeleteUndeliveredOf, {}, series.id));
      BERM_CHECK(tables.run(sql::kDeleteSeries, {}, series.id));
      has_gone = true;
    }
    if (is_used) continue;
    BERM_CHECK(tables.run(sql::kDeleteEpoch, {}, books.epochs[epoch].id));
    has_gone = true;
  }
  return has_gone;
}

}  // namespace berm::outbox
