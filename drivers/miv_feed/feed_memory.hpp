// SPDX-License-Identifier: Apache-2.0
// FeedMemory: which (unieke_id, tijd_waarneming) have been reported, so that each is reported once,
// a late one when it comes, and none again after a restart. Pure.
//
// Promises: for each point the last kMemoryBlocks blocks of 64 minutes that were used are known
// exactly, whatever their order: the present hour, the one before, and a device whose clock is
// years off. At most kMaxPoints points; room for a new one is made of those the last two documents
// did not have. `save` gives at most kMaxCheckpointBytes: all of it where that fits (the real
// feed: 20 to 40 kB), else the newest block or, at last, the newest minute of each point. Saving
// after each piece of a document is cheap: only what is new since its begin is written anew.
// Thread: any one. Fails: a saved text that cannot be read leaves an empty memory.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "drivers/miv_feed/limits.hpp"

namespace berm::drivers::miv_feed {

enum class Seen {
  fresh,     // never before: to be reported; remembered now
  before,    // in an earlier document
  repeated,  // in this document
  full,      // there is no room for one more point: not remembered, not to be reported
};

class FeedMemory {
 public:
  void begin_document();
  Seen take(std::int64_t uid, std::int64_t observed_s);
  std::size_t size() const { return points_.size(); }

  // At most `max_bytes` (≥ kMaxMemoryBytes + 64).
  std::string save(std::size_t max_bytes);
  // False: not what `save` gave; the memory is empty then.
  bool restore(std::string_view saved);

 private:
  // 64 minutes of the same second: minute m is bit m % 64 of block m / 64.
  struct Block {
    std::int64_t key = 0;
    std::uint64_t minutes = 0;  // 0: unused
  };
  struct Entry {
    std::array<Block, kMemoryBlocks> blocks;  // the last used one first
    std::uint32_t seen = 0;                   // in which document
    std::int64_t newest_s = 0;                // last one taken
  };
  struct Form;  // how much of it is saved

  static Seen mark(Entry& entry, std::int64_t observed_s, std::uint32_t document);
  Entry* find_or_make(std::int64_t uid);
  std::string save_points(const Form& form) const;
  bool restore_points(std::string_view saved);
  bool restore_news(std::string_view saved);

  std::map<std::int64_t, Entry> points_;
  std::uint32_t document_ = 1;
  std::uint32_t swept_ = 0;  // the last document that looked for room
  std::string base_;         // all points at some time of this document; empty: to be made
  std::string news_;         // what was taken since
  std::int64_t last_uid_ = 0;
  std::int64_t last_s_ = 0;
};

}  // namespace berm::drivers::miv_feed
