// SPDX-License-Identifier: Apache-2.0
// Store: living within its ceiling, and on a full disk.
#include <algorithm>

#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/opening.hpp"
#include "firmware/outbox/retention.hpp"
#include "firmware/outbox/sql.hpp"
#include "firmware/outbox/store.hpp"

namespace berm::outbox {
namespace {

constexpr int kJoinRounds = 4;  // of joining in one job
constexpr std::int64_t kSetAsideRound = 100;
constexpr std::int64_t kMinShrinkPages = 256;

}  // namespace

Result<std::int64_t> Store::used_pages() {
  BERM_TRY(const std::int64_t pages, database_->integer("PRAGMA page_count"));
  BERM_TRY(const std::int64_t unused, database_->integer("PRAGMA freelist_count"));
  return pages - unused;
}

// Of what they hold uncompressed, without what every commit writes beside it.
std::int64_t Store::pages_of(std::span<const event::Draft> drafts) const {
  std::int64_t bytes = 0;
  for (const event::Draft& draft : drafts) bytes += static_cast<std::int64_t>(draft.tail.size());
  return bytes / database_->page_bytes();
}

// Before a commit of about that many pages: keeps the database under its ceiling.
Result<void> Store::relieve(std::int64_t need_pages) {
  const std::int64_t ceiling = ceiling_;
  const auto percent = [ceiling](std::int64_t pages) { return pages * 100 / ceiling; };
  BERM_TRY(std::int64_t used, used_pages());
  if (is_pressed_ && percent(used) >= kRelievedPercent) {
    // What has been delivered meanwhile lets the streams that refuse take events again.
    const std::int64_t wanted = used - ceiling * kPressedToPercent / 100;
    BERM_TRY(const std::int64_t freed, free_pages(wanted, Deletable::delivered));
    used -= freed;
  }
  if (percent(used) < kRelievedPercent) is_pressed_ = false;
  need_pages = std::min(need_pages, ceiling / 4);
  if (percent(used + need_pages) < kRetainAbovePercent) return {};
  const std::int64_t goal =
      std::max(used + need_pages - ceiling * kRetainToPercent / 100, need_pages);
  const bool is_last_room = percent(used + need_pages) >= kLastAbovePercent;
  const auto freed = free_pages(goal, is_last_room ? Deletable::last : Deletable::oldest);
  if (!freed) return fail(freed.error());
  return {};  // less than wanted: the commit itself says whether it fits
}

// Frees that many pages where it can, the least valuable events first, and merges before it drops.
// Returns how many.
Result<std::int64_t> Store::free_pages(std::int64_t wanted, Deletable up_to) {
  Room room{.wanted = wanted};
  BERM_TRY(room.before, used_pages());
  for (const Deletable which : {Deletable::delivered, Deletable::partly_delivered}) {
    if (which <= up_to) BERM_CHECK(free_all(which, room));
  }
  if (up_to >= Deletable::oldest && !room.is_enough()) {
    is_pressed_ = true;
    BERM_CHECK(trim_shelf());
    BERM_CHECK(conserve(room));
    if (room.is_exhausted) BERM_CHECK(free_all(Deletable::oldest, room));
    if (room.is_exhausted && up_to == Deletable::last) BERM_CHECK(free_all(Deletable::last, room));
  }
  return room.freed;
}

Result<void> Store::free_all(Deletable which, Room& room) {
  std::size_t removed = 1;
  while (!room.is_enough() && removed > 0) {
    BERM_TRY(removed, free_round(which, room.wanted - room.freed));
    BERM_CHECK(count(room));
  }
  return {};
}

Result<void> Store::count(Room& room) {
  ++room.rounds;
  BERM_TRY(const std::int64_t used, used_pages());
  room.freed = room.before - used;
  return {};
}

// Without losing a vehicle: rows are joined, passages go, then periods become longer ones while the
// streams that are not conserved lose what is older than they are.
Result<void> Store::conserve(Room& room) {
  const hal::WallReading wall = parts_.clock.wall();
  const std::int64_t before_s =
      wall.source == ClockSource::none ? INT64_MAX - 1 : s_of(wall.time) - kPressedJoinAfterS;
  std::size_t joined = 1;
  while (!room.is_enough() && joined > 0) {
    BERM_TRY(joined, join(before_s, true));
    BERM_CHECK(count(room));
  }
  BERM_CHECK(free_all(Deletable::folded, room));
  while (!room.is_enough()) {
    Merging merging(core(), merge_cursor_);
    BERM_TRY(const auto oldest_s, merging.oldest_unmerged_s());
    BERM_TRY(const std::size_t removed,
             free_round(Deletable::aged, room.wanted - room.freed, oldest_s));
    BERM_CHECK(count(room));
    if (removed > 0) continue;
    BERM_TRY(const bool has_merged, merge());
    BERM_CHECK(count(room));
    room.is_exhausted = !has_merged;
    if (!has_merged) return {};
  }
  return {};
}

// One step. False: there is nothing left to merge.
Result<bool> Store::merge() {
  Merged merged;
  auto result = transact([&]() -> Result<void> {
    BERM_TRY(merged, Merging(core(), merge_cursor_).step());
    return {};
  });
  forget_readers();
  if (!result) {
    merge_cursor_ = MergeCursor();
    return fail(std::move(result.error()));
  }
  merged_originals_ += merged.originals;
  merged_events_ += merged.events;
  return merged.has_changed;
}

Result<std::size_t> Store::join(std::int64_t before_s, bool is_pressed) {
  Joining joining(core(), join_cursor_);
  BERM_TRY(const auto rows, joining.find(before_s, is_pressed));
  if (rows.empty()) return std::size_t{0};
  auto result = transact([&] { return joining.join(rows); });
  forget_readers();
  if (!result) {
    join_cursor_.clear();
    return fail(std::move(result.error()));
  }
  return rows.size();
}

// What has waited long waits longer: in fewer rows.
Result<void> Store::join_old() {
  const hal::WallReading wall = parts_.clock.wall();
  if (wall.source == ClockSource::none) return {};
  std::size_t joined = 1;
  for (int round = 0; round < kJoinRounds && joined > 0; ++round) {
    BERM_TRY(joined, join(s_of(wall.time) - kJoinAfterS, false));
  }
  return {};
}

Result<std::size_t> Store::free_round(Deletable which, std::int64_t pages,
                                      std::optional<std::int64_t> made_before_s) {
  std::size_t removed = 0;
  auto result = transact([&]() -> Result<void> {
    BERM_TRY(removed, Retention(core()).make_room(which, pages, made_before_s));
    return {};
  });
  forget_readers();
  if (!result) return fail(std::move(result.error()));
  return removed;
}

// The oldest refused events of each stream: they are accounted for already. Not the ledger: what a
// refused gap record explains nothing else does, and it may be queued again.
Result<void> Store::trim_shelf() {
  BERM_TRY(const auto count, tables_->number(sql::kCountSetAside));
  if (count.value_or(0) == 0) return {};
  return transact([&]() -> Result<void> {
    for (const Series& series : books_.series) {
      if (series.schema->is_ledger) continue;
      BERM_CHECK(tables_->run(sql::kTrimSetAsideOf, {}, series.id, kSetAsideRound));
    }
    return {};
  });
}

// The quota is reached, or the file system is: make room and try once more. Otherwise it was
// neither, and nothing is thrown away for it.
Result<void> Store::commit_when_full(std::span<const event::Draft> drafts,
                                     const std::map<std::string, std::string>& checkpoints,
                                     Error error) {
  const auto again = [&] { return transact([&] { return write_commit(drafts, checkpoints); }); };
  const std::int64_t need = pages_of(drafts) + 8;
  BERM_TRY(const std::int64_t used, used_pages());
  const bool is_quota = used + need >= ceiling_;
  if (!is_quota && !is_file_system_full()) return fail(std::move(error));
  if (!is_quota) {
    free_ballast();
    BERM_CHECK(stop_growing());
  }
  const auto freed = free_pages(need, is_quota ? Deletable::last : Deletable::oldest);
  if (!freed && freed.error().code != ErrorCode::full) return fail(freed.error());
  if (!freed || *freed == 0) return fail(std::move(error));
  return again();
}

bool Store::is_file_system_full() const {
  const auto space = parts_.disk.space(options_.directory);
  return space && space->free_bytes < static_cast<std::uint64_t>(kWalLimitBytes);
}

// On a file system without room even DELETE fails: its log must be written somewhere, and copied
// back. That is what the ballast's space is for, and nothing else: the database stays as large as
// it is.
void Store::free_ballast() {
  if (!has_ballast_) return;
  has_ballast_ = !parts_.disk.remove(ballast_path(options_)).has_value();
}

Result<void> Store::stop_growing() {
  BERM_TRY(const std::int64_t pages, database_->integer("PRAGMA page_count"));
  return set_ceiling(std::min(pages, ceiling_));
}

Result<void> Store::set_ceiling(std::int64_t pages) {
  ceiling_ = pages;
  return database_->execute(("PRAGMA max_page_count=" + std::to_string(pages)).c_str());
}

// After a full file system, once there is room: up to the quota, but what the ballast would take
// stays free while there is none, for the same purpose.
Result<void> Store::grow_again() {
  const std::int64_t configured = ceiling_pages(options_, database_->page_bytes());
  if (ceiling_ == configured || is_file_system_full()) return {};
  keep_ballast();
  if (has_ballast_) return set_ceiling(configured);
  const auto space = parts_.disk.space(options_.directory);
  if (!space) return {};
  BERM_TRY(const std::int64_t pages, database_->integer("PRAGMA page_count"));
  const auto free = static_cast<std::int64_t>(space->free_bytes);
  const std::int64_t more = (free - ballast_bytes(options_)) / database_->page_bytes();
  return set_ceiling(std::clamp(pages + more, std::min(ceiling_, configured), configured));
}

void Store::keep_ballast() {
  if (has_ballast_) return;
  const auto bytes = static_cast<std::uint64_t>(ballast_bytes(options_));
  const auto space = parts_.disk.space(options_.directory);
  if (!space || space->free_bytes < 4 * bytes) return;
  const auto fill = [&]() -> Result<void> {
    BERM_TRY(const auto file, parts_.disk.open_append(ballast_path(options_)));
    BERM_CHECK(file->truncate(0));
    const std::string block(std::size_t{64} << 10, '\x5a');
    for (std::uint64_t done = 0; done < bytes; done += block.size()) {
      BERM_CHECK(file->append(block));
    }
    return file->sync();
  };
  has_ballast_ = fill().has_value();
  if (has_ballast_) {
    other_written_bytes_ += bytes;
  } else if (!parts_.disk.remove(ballast_path(options_))) {
    return;  // half a ballast that cannot be removed is no use and no harm
  }
}

Result<void> Store::upkeep(bool may_join) {
  const auto written = parts_.disk.device_written(options_.directory);
  device_bytes_ = written ? std::optional(*written) : std::nullopt;
  BERM_CHECK(settle_clock());
  BERM_CHECK(expire());
  BERM_CHECK(relieve(0));
  if (may_join) BERM_CHECK(join_old());
  BERM_CHECK(shrink());
  keep_ballast();
  BERM_CHECK(grow_again());
  return tend_manifests();
}

// Only while the time is known: a clock that is ahead would throw everything away.
Result<void> Store::expire() {
  const hal::WallReading wall = parts_.clock.wall();
  if (wall.source == ClockSource::none) return {};
  std::int64_t shortest = options_.keep_delivered_s;
  for (const StreamPolicy& policy : options_.policies) {
    if (policy.max_age_s > 0) shortest = std::min(shortest, policy.max_age_s);
  }
  const Seconds period{std::clamp<std::int64_t>(shortest / 10, 60, 3600)};
  const MonoTime now = parts_.clock.mono();
  if (expired_at_ && now - *expired_at_ < period) return {};
  expired_at_ = now;
  std::size_t removed = kRetainSegments;
  for (int round = 0; round < Room::kMaxRounds && removed == kRetainSegments; ++round) {
    BERM_CHECK(transact([&]() -> Result<void> {
      BERM_TRY(removed, Retention(core()).expire(s_of(wall.time)));
      return {};
    }));
    forget_readers();
  }
  return {};
}

// Gives pages back to the file system when a quarter of them is unused.
Result<void> Store::shrink() {
  BERM_TRY(const std::int64_t pages, database_->integer("PRAGMA page_count"));
  BERM_TRY(const std::int64_t unused, database_->integer("PRAGMA freelist_count"));
  if (unused < kMinShrinkPages || unused * 4 < pages) return {};
  return database_->execute("PRAGMA incremental_vacuum(512)");
}

}  // namespace berm::outbox
