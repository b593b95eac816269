// SPDX-License-Identifier: Apache-2.0
// A database of the tests: opens over a SimDisk's VFS, runs SQL, closes in any case. Not for
// products.
#pragma once

#include <sqlite3.h>

#include <string>

#include "hal/sim/disk.hpp"

namespace berm::hal {

class SqliteDatabase {
 public:
  SqliteDatabase(const SimDisk& disk, const std::string& path) {
    code_ = sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                            disk.sqlite_vfs().c_str());
    sqlite3_extended_result_codes(handle_, 1);
  }
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;
  ~SqliteDatabase() { sqlite3_close_v2(handle_); }

  int code() const { return code_; }
  int run(const std::string& sql) {
    return sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  }
  // The first column of the first row; "error …" or "" where there is none.
  std::string text(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    std::string found;
    int code = sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
      const auto* column = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
      if (column != nullptr) found = column;
    } else if (code != SQLITE_DONE) {
      found = std::string("error ") + sqlite3_errstr(code);
    }
    sqlite3_finalize(statement);
    return found;
  }
  std::int64_t number(const std::string& sql) { return std::atoll(text(sql).c_str()); }

 private:
  sqlite3* handle_ = nullptr;
  int code_ = SQLITE_OK;
};

}  // namespace berm::hal
