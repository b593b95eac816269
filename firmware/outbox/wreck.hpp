// SPDX-License-Identifier: Apache-2.0
// Wreck: a database of ours that was set aside as damaged, read as far as SQLite still reads it.
// Used by Salvage. A page that does not verify is an error of the rows on it, and of those below it
// where it is an inner page; everything else reads as ever. Never written to. Memory: a page cache
// of 256 KiB, the series' names, the delivered ranges. Blocking; executor thread, or before the
// loop runs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "firmware/outbox/identity.hpp"
#include "firmware/outbox/range_set.hpp"
#include "firmware/outbox/sqlite.hpp"
#include "firmware/outbox/tables.hpp"
#include "hal/disk.hpp"

namespace berm::outbox {

struct WreckedSeries {
  std::int64_t id = 0;
  std::string epoch;
  std::string node;
  std::string stream;
  std::int64_t next_seq = 1;  // at least
};

struct WreckedAnchor {
  Anchor anchor;
  bool is_corrected = false;
};

class Wreck {
 public:
  // Error: nothing of it can be read, or it is not there. `sidecar`: names for its series where
  // its own tables cannot be read; may be empty.
  static Result<std::unique_ptr<Wreck>> open(hal::Disk& disk, const std::string& path,
                                             const Sidecar& sidecar);
  ~Wreck();
  Wreck(const Wreck&) = delete;
  Wreck& operator=(const Wreck&) = delete;

  // Epoch by epoch, the oldest first.
  const std::vector<WreckedSeries>& series() const { return series_; }
  // Whether the last row of a series is the last there was: its log is whole, or it was closed in
  // order and has none; and it was not itself being filled from another wreck.
  bool knows_ends() const { return knows_ends_; }
  // What each uplink has not had of a series; empty: not known, take all.
  std::map<std::string, RangeSet> undelivered(std::int64_t series) const;

  Result<std::optional<WholeSegment>> seek(std::int64_t series, std::int64_t seq);
  // After an error of seek at `seq`: the first number from there on at which seek works again.
  // Empty: none, up to the series' end.
  std::optional<std::int64_t> readable_from(std::int64_t series, std::int64_t seq);
  std::optional<std::string> boot(std::int64_t id);
  std::optional<WreckedAnchor> anchor(std::int64_t id);

 private:
  Wreck(std::unique_ptr<Database> database, bool is_log_whole);
  void read_names(const Sidecar& sidecar);
  void read_undelivered();
  std::unique_ptr<Database> database_;
  std::unique_ptr<Tables> tables_;
  std::vector<WreckedSeries> series_;
  std::map<std::int64_t, std::map<std::string, RangeSet>> undelivered_;  // by series
  bool knows_ends_;
};

}  // namespace berm::outbox
