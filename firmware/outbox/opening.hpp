// SPDX-License-Identifier: Apache-2.0
// Opening: the database file with its settings and schema, and setting a damaged one aside.
// Blocking; on the executor, or before the loop runs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/outbox/books.hpp"
#include "firmware/outbox/outbox.hpp"
#include "firmware/outbox/sqlite.hpp"
#include "firmware/outbox/tables.hpp"
#include "hal/disk.hpp"

namespace berm::outbox {

inline constexpr std::int64_t kSchemaVersion = 2;

std::string database_path(const std::string& directory);
// Pages the database may have: max_bytes less the log and the ballast.
std::int64_t ceiling_pages(const OutboxOptions& options, std::int64_t page_bytes);
std::string ballast_path(const OutboxOptions& options);
std::int64_t ballast_bytes(const OutboxOptions& options);

struct Opened {
  std::unique_ptr<Database> database;
  bool is_new = false;
};
// Error damaged: not a database of ours, or unreadable; unsupported: made by a newer program,
// nothing was touched; permission, io: the directory cannot be used.
Result<Opened> open_database(hal::Disk& disk, const OutboxOptions& options);

// Of a database set aside: still to be salvaged, as far as that goes.
std::string damaged_name(std::int64_t number);
std::string damaged_path(const std::string& directory, std::int64_t number);
std::vector<std::int64_t> damaged_numbers(hal::Disk& disk, const std::string& directory);
// It has been: outbox.db.salvaged-N from now on.
Result<void> mark_salvaged(hal::Disk& disk, const std::string& directory, std::int64_t number);

// Stands beside a database while a program has it open, with its epoch's name in it.
inline constexpr std::string_view kOpenMark = "/outbox.open";

// Renames database, log and mark to outbox.db.damaged-N. Of those there are already, and those
// salvaged, kMaxDamagedKept - 1 are kept; the salvaged go first, then the oldest. Returns the new
// name.
Result<std::string> set_database_aside(hal::Disk& disk, const std::string& directory);

// Everything Books has, except the uplinks' tracks. `unknown_schema` makes a stand-in for a stream
// this program does not know.
using UnknownSchema = std::function<const event::StreamSchema*(std::string_view stream)>;
Result<Books> load_books(Tables& tables, const std::string& boot_id,
                         const UnknownSchema& unknown_schema);

// Removes the series of earlier epochs that hold nothing any more, and epochs without series. True:
// some went, and the books must be loaded anew.
Result<bool> forget_empty_epochs(Tables& tables, const Books& books);

}  // namespace berm::outbox
