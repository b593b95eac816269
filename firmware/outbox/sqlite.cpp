// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/sqlite.hpp"

#include <sqlite3.h>

#include <utility>

#include "firmware/outbox/limits.hpp"
#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm::outbox {
namespace {

constexpr int kFrameHeadBytes = 24;  // of each page in the WAL

ErrorCode code_of(int result) {
  if (result == SQLITE_IOERR_CORRUPTFS || result == SQLITE_IOERR_DATA) return ErrorCode::damaged;
  switch (result & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    // Our statements fit our schema: what is there twice, or of another kind, is damage.
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
      return ErrorCode::damaged;
    case SQLITE_FULL:
      return ErrorCode::full;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return ErrorCode::permission;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::exists;
    default:
      return ErrorCode::io;
  }
}

Error error_of(sqlite3* handle, int result) {
  std::string text = sqlite3_errstr(result);
  if (handle != nullptr && sqlite3_extended_errcode(handle) == result) {
    text = sqlite3_errmsg(handle);
  }
  if (result == SQLITE_IOERR_DATA) text = "a page does not verify";
  return Error{code_of(result), "outbox database: " + text, result};
}

// As part of a URI.
std::string escaped(const std::string& path) {
  std::string text;
  for (const char c : path) {
    const bool is_special = c == '%' || c == '?' || c == '#';
    text += is_special ? text_of("%%%02x", static_cast<unsigned>(c)) : std::string(1, c);
  }
  return text;
}

}  // namespace

bool is_schema_error(const Error& error) {
  return (error.system_error & 0xff) == SQLITE_ERROR;
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement& Statement::bind(std::int64_t value) {
  bind_error_ |= sqlite3_bind_int64(handle_.get(), next_++, value);
  return *this;
}

Statement& Statement::bind(std::optional<std::int64_t> value) {
  return value ? bind(*value) : bind_null();
}

Statement& Statement::bind(std::string_view text) {
  // A null pointer would bind NULL.
  bind_error_ |= sqlite3_bind_text64(handle_.get(), next_++, text.empty() ? "" : text.data(),
                                     text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

// The bytes stay the caller's until the step.
Statement& Statement::bind_blob(std::string_view bytes) {
  bind_error_ |= sqlite3_bind_blob64(handle_.get(), next_++, bytes.empty() ? "" : bytes.data(),
                                     bytes.size(), SQLITE_STATIC);
  return *this;
}

Statement& Statement::bind_null() {
  bind_error_ |= sqlite3_bind_null(handle_.get(), next_++);
  return *this;
}

Result<bool> Statement::step() {
  BERM_ASSERT(bind_error_ == SQLITE_OK);
  next_ = 1;
  const int result = sqlite3_step(handle_.get());
  if (result == SQLITE_ROW) return true;
  sqlite3* database = sqlite3_db_handle(handle_.get());
  if (result == SQLITE_DONE) {
    reset();
    return false;
  }
  Error error = error_of(database, result);
  reset();
  return fail(std::move(error));
}

Result<void> Statement::run() {
  while (true) {
    BERM_TRY(const bool more, step());
    if (!more) return {};
  }
}

void Statement::reset() {
  sqlite3_reset(handle_.get());
  next_ = 1;
  bind_error_ = SQLITE_OK;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

std::optional<std::int64_t> Statement::optional_integer(int column) const {
  if (sqlite3_column_type(handle_.get(), column) == SQLITE_NULL) return std::nullopt;
  return integer(column);
}

std::string_view Statement::text(int column) const {
  return blob(column);
}

std::string_view Statement::blob(int column) const {
  const void* bytes = sqlite3_column_blob(handle_.get(), column);
  if (bytes == nullptr) return {};
  const int size = sqlite3_column_bytes(handle_.get(), column);
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path, const std::string& vfs) {
  BERM_TRY(auto page_check, PageCheck::over(vfs));
  BERM_TRY(auto database,
           open_with(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, std::move(page_check)));
  int reserved = kPageCheckBytes;  // of a database not made yet
  sqlite3_file_control(database->handle_, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  return database;
}

Result<std::unique_ptr<Database>> Database::open_wreck(const std::string& path,
                                                       const std::string& vfs, bool is_ours) {
  BERM_TRY(auto page_check, PageCheck::over(vfs, PageCheck::Trust::everything));
  const std::string name = is_ours ? path : "file:" + escaped(path) + "?immutable=1";
  const int flags = is_ours ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
  BERM_TRY(auto database, open_with(name, flags, std::move(page_check)));
  // With the schema declared writable SQLite reads a file shorter than its header says.
  BERM_CHECK(database->execute(
      "PRAGMA locking_mode=EXCLUSIVE; PRAGMA writable_schema=ON; PRAGMA query_only=ON;"
      "PRAGMA cache_size=-256; SELECT count(*) FROM sqlite_schema"));
  database->page_check_->trust(PageCheck::Trust::first_page);
  return database;
}

Result<std::unique_ptr<Database>> Database::open_with(const std::string& path, int flags,
                                                      std::unique_ptr<PageCheck> page_check) {
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX,
                                     page_check->name().c_str());
  if (result != SQLITE_OK) {
    Error error = error_of(handle, result);
    sqlite3_close_v2(handle);
    return fail(std::move(error).with_context(path));
  }
  sqlite3_extended_result_codes(handle, 1);
  std::unique_ptr<Database> database(new Database(handle, std::move(page_check)));
  database->tidy_on_close(false);
  sqlite3_wal_hook(handle, &Database::on_wal, database.get());
  return database;
}

Database::~Database() {
  sqlite3_close_v2(handle_);
}

// SQLite's own checkpointing hook, and our count of what the device had to take.
int Database::on_wal(void* self, sqlite3* handle, const char* name, int pages) {
  auto& database = *static_cast<Database*>(self);
  const int fresh = pages >= database.wal_pages_ ? pages - database.wal_pages_ : pages;
  const auto page = static_cast<std::uint64_t>(database.page_bytes_);
  database.written_bytes_ += static_cast<std::uint64_t>(fresh) * (page + kFrameHeadBytes);
  database.wal_pages_ = pages;
  if (pages < database.checkpoint_pages_) return SQLITE_OK;
  int logged = 0;
  int copied = 0;
  // What cannot be copied back now stays in the WAL: no loss, and the next commit tries again.
  if (sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, &logged, &copied) ==
          SQLITE_OK &&
      copied > 0) {
    database.written_bytes_ += static_cast<std::uint64_t>(copied) * page;
    if (copied == logged) database.wal_pages_ = 0;
  }
  return SQLITE_OK;
}

Result<void> Database::settle_pages(std::int64_t log_bytes) {
  BERM_TRY(const std::int64_t bytes, integer("PRAGMA page_size"));
  if (bytes < 512) return fail(ErrorCode::damaged, "outbox database: impossible page size");
  page_bytes_ = bytes;
  checkpoint_pages_ = log_bytes / bytes;
  return {};
}

std::int64_t Database::wal_bytes() const {
  return wal_pages_ * (page_bytes_ + kFrameHeadBytes);
}

bool Database::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

Result<void> Database::copy_back() {
  int logged = 0;
  int copied = 0;
  const int result =
      sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_FULL, &logged, &copied);
  if (result != SQLITE_OK) return fail(error_of(handle_, result));
  if (copied != logged) return fail(ErrorCode::unavailable, "outbox database: its log is in use");
  return {};
}

void Database::tidy_on_close(bool tidy) {
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, tidy ? 0 : 1, nullptr);
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  const int result = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (result != SQLITE_OK) return fail(error_of(handle_, result));
  return Statement(handle);
}

Result<void> Database::execute(const char* sql) {
  const int result = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return fail(error_of(handle_, result));
  return {};
}

Result<std::int64_t> Database::integer(std::string_view sql) {
  BERM_TRY(Statement statement, prepare(sql));
  BERM_TRY(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

Result<Transaction> Transaction::begin(Database& database) {
  BERM_CHECK(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  if (database_ == nullptr || !database_->in_transaction()) return;
  // SQLite has rolled back by itself after most errors; what fails here failed there.
  if (!database_->execute("ROLLBACK")) return;
}

Result<void> Transaction::commit() {
  BERM_ASSERT(database_ != nullptr);
  BERM_CHECK(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace berm::outbox
