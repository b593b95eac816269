// SPDX-License-Identifier: Apache-2.0
// Database and Statement: SQLite's handles with our Result. Internal to firmware/outbox: no other
// folder includes this. One thread at a time (the executor; before the loop runs, the caller of
// open_outbox). Every database is opened through PageCheck. Errors: damaged (CORRUPT, NOTADB, a
// page that does not verify; a row that is there twice), full (FULL), permission (READONLY,
// CANTOPEN, PERM), exists (BUSY, LOCKED), io (IOERR and the rest). A Database counts the bytes it
// writes to the device: a page and its head per WAL frame, and again per page copied back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/page_check.hpp"
#include "hal/base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace berm::outbox {

// A table or column that a statement names is not there.
bool is_schema_error(const Error& error);

class Statement {
 public:
  // Values are bound in order of the calls; nothing is bound from before.
  Statement& bind(std::int64_t value);
  Statement& bind(std::optional<std::int64_t> value);
  Statement& bind(std::string_view text);
  Statement& bind_blob(std::string_view bytes);
  Statement& bind_null();

  // True: a row is there. After false or an error the statement is ready for new values.
  Result<bool> step();
  // Runs to the end, rows ignored.
  Result<void> run();
  // Ends early; called by the next use as well.
  void reset();

  std::int64_t integer(int column) const;
  std::optional<std::int64_t> optional_integer(int column) const;
  std::string_view text(int column) const;  // until the next step
  std::string_view blob(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : handle_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  int next_ = 1;
  int bind_error_ = 0;
};

class Database {
 public:
  // Opens, or makes where missing, through the named VFS (empty: SQLite's own). Nothing is read
  // yet.
  static Result<std::unique_ptr<Database>> open(const std::string& path, const std::string& vfs);
  // One that is there and is known to be damaged, to read what can be read: it is never written
  // to. Only the missing pages of a file cut short are errors, not the cut itself.
  // `is_ours`: false where the file may only be read; then without its log.
  static Result<std::unique_ptr<Database>> open_wreck(const std::string& path,
                                                      const std::string& vfs, bool is_ours);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Result<Statement> prepare(std::string_view sql);
  // One or more statements without values.
  Result<void> execute(const char* sql);
  Result<std::int64_t> integer(std::string_view sql);
  // All of the WAL, which stays as it is.
  Result<void> copy_back();
  // Closing copies the WAL back, or leaves all files as they are (the default until called).
  void tidy_on_close(bool tidy);
  // Reads the page size, which is settled by then; of `log_bytes` the log is copied back.
  Result<void> settle_pages(std::int64_t log_bytes);
  std::int64_t page_bytes() const { return page_bytes_; }
  std::uint64_t written_bytes() const { return written_bytes_; }
  std::int64_t wal_bytes() const;
  bool in_transaction() const;

 private:
  Database(sqlite3* handle, std::unique_ptr<PageCheck> page_check)
      : page_check_(std::move(page_check)), handle_(handle) {}
  static Result<std::unique_ptr<Database>> open_with(const std::string& path, int flags,
                                                     std::unique_ptr<PageCheck> page_check);
  static int on_wal(void* self, sqlite3* handle, const char* name, int pages);
  std::unique_ptr<PageCheck> page_check_;
  sqlite3* handle_;
  std::uint64_t written_bytes_ = 0;
  int wal_pages_ = 0;
  std::int64_t page_bytes_ = kPageBytes;
  std::int64_t checkpoint_pages_ = kCheckpointBytes / kPageBytes;
};

// BEGIN IMMEDIATE … COMMIT; rolled back unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace berm::outbox
