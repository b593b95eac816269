// SPDX-License-Identifier: Apache-2.0
// Tables: the rows of the outbox's database, one call per statement; statements are prepared once,
// at the first use. Knows nothing of what the rows are for. Executor thread only; dies before its
// Database.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/outbox/books.hpp"
#include "firmware/outbox/segment.hpp"
#include "firmware/outbox/sqlite.hpp"

namespace berm::outbox {

// A segment without its body. `anchor`: 0 no event needs one, empty: not settled yet.
struct SegmentRow {
  std::int64_t series = 0;  // id
  std::int64_t ordinal = 0;
  std::int64_t first_seq = 0;
  std::int64_t last_seq = 0;
  std::int64_t count = 0;
  std::int64_t version = 1;
  std::int64_t boot = 0;
  std::int64_t mono_first = 0, mono_last = 0;  // only written
  std::int64_t made_first = 0;                 // only written
  std::int64_t made_last = 0;
  std::optional<std::int64_t> made_s;
  std::optional<std::int64_t> vehicles;
  std::optional<std::int64_t> anchor;
  std::int64_t raw_bytes = 0;
  std::int64_t codec = 0;
  std::int64_t level =
      0;  // merging has dealt with them up to here: 0 not at all, kMergeLevels: days
  bool is_merged = false;  // else its events are as they came
  bool covers(std::int64_t seq) const { return seq >= first_seq && seq <= last_seq; }
};

struct WholeSegment {
  SegmentRow row;
  std::string body;
};

struct UnsettledBoot {
  std::int64_t boot = 0;
  std::int64_t made_first = 0;
  std::int64_t mono_first = 0;
  std::int64_t made_last = 0;
};

struct SetAsideRow {
  std::string uplink;
  SegmentRow segment;  // of the one event
  std::string reason;  // only written
  std::string line;    // only written
  std::string body;
};

class Tables {
 public:
  explicit Tables(Database& database) : database_(database) {}
  Database& database() { return database_; }

  // Runs one statement of sql.hpp with values; its rows go to `each` (when given) until it is done.
  using Each = std::function<void(Statement& row)>;
  template <class... Values>
  Result<void> run(const char* sql, const Each& each, const Values&... values) {
    BERM_TRY(Statement * statement, prepared(sql));
    (statement->bind(values), ...);
    return finish(*statement, each);
  }
  // The first column of the first row; empty: no row, or null.
  template <class... Values>
  Result<std::optional<std::int64_t>> number(const char* sql, const Values&... values) {
    std::optional<std::int64_t> found;
    BERM_CHECK(run(sql, [&](Statement& row) { found = row.optional_integer(0); }, values...));
    return found;
  }

  Result<void> insert_segment(const SegmentRow& row, std::string_view body);
  // The segment of that series that covers `seq`, or the first one after it.
  Result<std::optional<SegmentRow>> seek_segment(std::int64_t series, std::int64_t seq);
  // The first one at or after `seq` of that level.
  Result<std::optional<SegmentRow>> seek_level(std::int64_t series, std::int64_t seq,
                                               std::int64_t level);
  // The newest segment whose events are as they came.
  Result<std::optional<SegmentRow>> last_unmerged(std::int64_t series);
  // The first one at or after `seq` with events as they came that may still be merged.
  Result<std::optional<SegmentRow>> seek_original(std::int64_t series, std::int64_t seq);
  // The first one at or after `seq` that was made before that.
  Result<std::optional<SegmentRow>> seek_older(std::int64_t series, std::int64_t seq,
                                               std::int64_t made_before_s);
  Result<void> set_level(const SegmentRow& row, std::int64_t level);
  // As seek_segment, its written-only columns and its body included.
  Result<std::optional<WholeSegment>> seek_whole_segment(std::int64_t series, std::int64_t seq);
  Result<std::optional<SegmentRow>> last_segment(std::int64_t series, std::int64_t up_to);
  Result<OpenedSegment> open_segment(const SegmentRow& row, SegmentCodec& codec);
  Result<void> delete_segment(const SegmentRow& row);
  Result<std::vector<UnsettledBoot>> unsettled_boots();

  Result<std::optional<Anchor>> anchor(const char* sql, std::int64_t value);
  Result<std::vector<Anchor>> estimates(std::int64_t boot);

  Result<std::optional<std::string>> meta(std::string_view name);
  Result<void> set_meta(std::string_view name, std::string_view value);
  Result<void> update_series(const Series& series);
  Result<void> insert_set_aside(const SetAsideRow& row);
  Result<std::optional<SetAsideRow>> set_aside(std::int64_t number);

 private:
  Result<Statement*> prepared(const char* sql);
  template <class... Values>
  Result<std::optional<SegmentRow>> find_segment(const char* sql, Values... values);
  static Result<void> finish(Statement& statement, const Each& each);
  Database& database_;
  std::map<const char*, Statement> statements_;  // by the text's address: the texts are constants
};

}  // namespace berm::outbox
