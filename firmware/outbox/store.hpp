// SPDX-License-Identifier: Apache-2.0
// Store: the outbox itself, one call after another on the executor's thread (or before the loop
// runs); SqliteOutbox is its face on the loop. Every call leaves the database and the books in
// step: what fails has changed nothing. Errors with code `damaged` mean that the database must be
// set aside: destroy this and open anew with `damage`. Blocks for as long as the disk does.
// Memory: the books, one page cache of kCacheKibibytes, and one expanded segment per uplink that is
// reading.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "firmware/outbox/core.hpp"
#include "firmware/outbox/identity.hpp"
#include "firmware/outbox/merging.hpp"
#include "firmware/outbox/reader.hpp"
#include "firmware/outbox/retention.hpp"
#include "firmware/outbox/rewriting.hpp"
#include "firmware/outbox/salvage.hpp"
#include "firmware/outbox/set_aside.hpp"
#include "hal/disk.hpp"
#include "hal/random.hpp"

namespace berm::outbox {

struct StoreParts {
  hal::Clock& clock;
  hal::Random& random;
  hal::Disk& disk;
};

// The numbers the loop shows while the executor works.
struct Counters {
  struct PerUplink {
    std::int64_t waiting = 0;
    std::optional<std::int64_t> oldest_made_s;
  };
  std::vector<PerUplink> uplinks;
  std::string epoch;
  std::int64_t events = 0;
  std::int64_t gaps = 0;
  std::int64_t commits = 0;
  std::int64_t disk_bytes = 0;
  std::uint64_t written_bytes = 0;
  std::int64_t unsaved_settled = 0;
  bool waits_for_clock = false;
  bool is_pressed = false;                    // streams that refuse take nothing now
  bool is_summing = false;                    // sum_manifests() has more to do
  std::int64_t merged_originals = 0;          // by this process
  std::int64_t merged_events = 0;             // what they became
  std::optional<std::uint64_t> device_bytes;  // written to the device below since it booted
  SalvageProgress salvage;
};

// What the database says of an uplink and a series.
struct StoredTrack {
  RangeSet undelivered{kMaxRanges};
  RangeSet resend{kMaxRanges};
};

class Store {
 public:
  // `damage`: what is there is set aside without a look, for this reason.
  static Result<std::unique_ptr<Store>> open(const OutboxOptions& options, const StoreParts& parts,
                                             const std::string& damage = {});
  ~Store();  // copies the log back, unless abandoned
  // It is damaged: its files stay as they are.
  void abandon();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Durable when it returns.
  Result<void> commit(std::span<const event::Draft> drafts,
                      const std::map<std::string, std::string>& checkpoints);
  // Of each draft of the commit that was made last, before anything else is done.
  std::vector<std::int64_t> sequences_of(std::span<const event::Draft> drafts) const;
  Result<Batch> take(UplinkIndex uplink, const TakeRequest& request);
  // What is not in flight is passed over. A refusal that cannot be recorded counts as returned.
  Result<void> settle(UplinkIndex uplink, const std::vector<Settled>& settled);
  void return_all(UplinkIndex uplink);
  Result<std::vector<SetAside>> list_set_aside(std::int64_t from, std::size_t max);
  Result<void> put_back(std::int64_t number);
  Result<ResendReport> resend(const ResendRequest& request);
  Result<ExportPart> read_on(const ExportFilter& filter, const ExportPlace& place);
  // Delivery state alone.
  Result<void> save();
  // One step; counters().salvage says whether there is another.
  Result<void> salvage();
  // One step of what upkeep has begun; counters().is_summing says whether there is another.
  Result<void> sum_manifests();
  // Time for the events that wait for it, corrections, age limits, free pages, the ballast,
  // manifests; joins old rows if it may.
  Result<void> upkeep(bool may_join = true);

  Counters counters();
  // What was found damaged since the last call; empty: nothing. For the alarm.
  std::string take_damage() { return std::exchange(damage_, {}); }
  // As they were at open; once.
  std::map<std::string, std::string> take_checkpoints() { return std::exchange(checkpoints_, {}); }

 private:
  Store(const OutboxOptions& options, const StoreParts& parts);
  Core core() { return Core{options_, parts_.clock, *tables_, books_, codec_}; }
  Result<void> open_files();
  bool was_open() const;
  void mark_open();
  void close_in_order();
  void make_room_to_begin();
  Result<void> begin(const std::string& damage);
  Result<void> open_sound(const std::string& damage, bool& is_tail_lost);
  Result<void> establish(bool is_tail_lost);
  Result<std::string> epoch_reason(bool is_tail_lost);
  Result<void> begin_epoch(const std::optional<std::string>& previous, const std::string& reason);
  Result<void> record_lost(const Sidecar& lost);
  Result<bool> adopt_wrecks();
  Result<void> load_salvage();
  Result<void> record_lost_tail(std::size_t epoch);
  Result<void> load_checkpoints();
  Result<void> attach_uplinks();
  Result<void> transact(const std::function<Result<void>()>& body);
  Result<void> write_commit(std::span<const event::Draft> drafts,
                            const std::map<std::string, std::string>& checkpoints);
  Result<void> keep_sidecar();
  std::int64_t pages_of(std::span<const event::Draft> drafts) const;
  Result<std::int64_t> used_pages();
  Result<void> relieve(std::int64_t need_pages);
  Result<std::int64_t> free_pages(std::int64_t wanted, Deletable up_to);
  // Making room: how much, how far it came, and for how long.
  struct Room {
    static constexpr int kMaxRounds = 16;  // the loop's commits wait meanwhile
    std::int64_t wanted = 0;
    std::int64_t before = 0;  // pages in use
    std::int64_t freed = 0;
    int rounds = 0;
    bool is_exhausted = false;  // nothing can be conserved any more
    bool is_enough() const { return freed >= wanted || rounds >= kMaxRounds; }
  };
  Result<void> free_all(Deletable which, Room& room);
  Result<void> count(Room& room);
  Result<void> conserve(Room& room);
  Result<bool> merge();
  Result<std::size_t> join(std::int64_t before_s, bool is_pressed);
  Result<void> join_old();
  Result<std::size_t> free_round(Deletable which, std::int64_t pages,
                                 std::optional<std::int64_t> made_before_s = {});
  Result<void> commit_when_full(std::span<const event::Draft> drafts,
                                const std::map<std::string, std::string>& checkpoints, Error error);
  Result<void> expire();
  Result<void> trim_shelf();
  Result<void> shrink();
  Result<void> tend_manifests();
  void manifests_written();
  Result<std::string> quick_check();
  Result<void> attach_uplink(
      UplinkIndex uplink, const std::map<std::string, std::int64_t>& stored,
      const std::map<std::pair<std::int64_t, std::int64_t>, StoredTrack>& rows);
  Result<void> settle_clock();
  Result<void> drop_broken(const Reader::Broken& broken);
  Result<void> mark_offered(const Batch& batch, std::size_t batch_events);
  Result<void> refuse(UplinkIndex uplink, const std::vector<Refusal>& refusals);
  void forget_readers();
  void keep_ballast();
  void free_ballast();
  Result<void> stop_growing();
  Result<void> set_ceiling(std::int64_t pages);
  Result<void> grow_again();
  bool is_file_system_full() const;
  const event::StreamSchema* unknown_schema(std::string_view stream);

  const OutboxOptions& options_;
  StoreParts parts_;
  std::deque<std::pair<std::string, event::StreamSchema>> unknown_schemas_;
  SegmentCodec codec_;
  Books books_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Tables> tables_;
  std::vector<Reader> readers_;
  std::unique_ptr<Salvage> salvage_;  // while there is something to salvage
  std::int64_t salvaged_ = 0;         // events, by those before this one
  Sidecar sidecar_;                   // as it is on disk
  std::string damage_;
  std::map<std::string, std::string> checkpoints_;
  std::string directory_id_;
  std::int64_t commits_ = 0;
  std::uint64_t other_written_bytes_ = 0;
  bool is_pressed_ = false;
  std::int64_t ceiling_ = 0;  // pages; as configured, or less while the file system is full
  bool has_ballast_ = false;
  bool is_established_ = false;
  bool is_open_ = false;  // to be closed in order
  std::optional<MonoTime> expired_at_;
  std::optional<MonoTime> manifests_due_;
  std::optional<MonoTime> summed_at_;  // the next commit takes them along
  bool is_summing_ = false;
  std::optional<std::uint64_t> device_bytes_;  // when it was last looked at
  MergeCursor merge_cursor_;
  Joining::Cursor join_cursor_;
  std::int64_t merged_originals_ = 0;  // by this process
  std::int64_t merged_events_ = 0;
};

}  // namespace berm::outbox
