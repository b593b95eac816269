// SPDX-License-Identifier: Apache-2.0
// PageCheck: a VFS of SQLite, over another one, that writes a checksum into the last 8 bytes of
// each page of a database and compares it whenever the page is read. SQLite itself checks only its
// log: a flipped bit in a page would be a sequence number, a time or a delivered range that looks
// right, and a loss that nobody hears of. A page that does not verify is SQLITE_IOERR_DATA, which
// error_of calls damaged. The checksum covers the page's place: a page in another's stead does not
// verify. Only databases made with kPageCheckBytes reserved (byte 20 of their header) are checked;
// those made before 0005 are read as they are. A database that another program has written to no
// longer verifies. Registered with SQLite, under a name of its own, for as long as it lives:
// outlives every database opened through it. Thread: one at a time per file.
// Source: sqlite.org/vfs.html, sqlite.org/fileformat2.html#the_database_header; the idea is that of
// SQLite's own cksumvfs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "hal/base/result.hpp"

struct sqlite3_vfs;

namespace berm::outbox {

inline constexpr int kPageCheckBytes = 8;

class PageCheck {
 public:
  // For a wreck, of which nothing could be read without its schema: what stands in the first page
  // is taken as it is, and in others until all is checked.
  enum class Trust { nothing, first_page, everything };
  struct Below {
    sqlite3_vfs* vfs;
    Trust trust;
  };
  // `base`: the VFS below; empty: SQLite's own.
  static Result<std::unique_ptr<PageCheck>> over(const std::string& base,
                                                 Trust trust = Trust::nothing);
  void trust(Trust trust) { below_.trust = trust; }
  PageCheck(const PageCheck&) = delete;
  PageCheck& operator=(const PageCheck&) = delete;
  ~PageCheck();
  const std::string& name() const { return name_; }

 private:
  PageCheck(sqlite3_vfs& base, Trust trust);
  Below below_;
  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

enum class PageVerdict { unchecked, sound, damaged };
// Of the page that begins at `offset` of its database. `unchecked`: a first page that reserves
// nothing; of another page its first page knows.
PageVerdict check_page(std::string_view page, std::int64_t offset);

}  // namespace berm::outbox
