// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/sqlite_file.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "hal/base/assert.hpp"

namespace berm::hal {
namespace {

constexpr int kMaxShortWrites = 64;
static_assert(SqliteShared::kShmLocks == SQLITE_SHM_NLOCK);

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::shared_ptr<SqliteShared> shared_of(SimNode& node) {
  if (!node.shared_memory) node.shared_memory = std::make_shared<SqliteShared>();
  return std::static_pointer_cast<SqliteShared>(node.shared_memory);
}

}  // namespace

SqliteFile::SqliteFile(SimVolume& volume, SimNodePtr node, std::string path, bool syncs_directory,
                       bool removes_on_close)
    : volume_(volume),
      node_(std::move(node)),
      path_(std::move(path)),
      generation_(volume.generation()),
      shared_(shared_of(*node_)),
      syncs_directory_(syncs_directory),
      removes_on_close_(removes_on_close) {}

SqliteFile::~SqliteFile() {
  shm_unmap(false);
  drop_to(SQLITE_LOCK_NONE);
  if (removes_on_close_ && !is_dead()) (void)volume_.remove(path_);
}

int SqliteFile::read(void* into, int amount, std::int64_t offset) {
  if (is_dead()) return SQLITE_IOERR_READ;
  const std::span<char> bytes(static_cast<char*>(into), static_cast<std::size_t>(amount));
  const auto taken = volume_.read(*node_, static_cast<std::uint64_t>(offset), bytes);
  if (!taken) return SQLITE_IOERR_READ;
  if (*taken == bytes.size()) return SQLITE_OK;
  std::memset(bytes.data() + *taken, 0, bytes.size() - *taken);
  return SQLITE_IOERR_SHORT_READ;
}

int SqliteFile::write(const void* from, int amount, std::int64_t offset) {
  std::string_view bytes(static_cast<const char*>(from), static_cast<std::size_t>(amount));
  auto place = static_cast<std::uint64_t>(offset);
  for (int n = 0; !bytes.empty() && n < kMaxShortWrites; ++n) {
    if (is_dead()) return SQLITE_IOERR_WRITE;
    const auto taken = volume_.write(*node_, place, bytes);
    if (!taken) return taken.error().system_error == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    bytes.remove_prefix(*taken);
    place += *taken;
  }
  return bytes.empty() ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

int SqliteFile::truncate(std::int64_t size) {
  if (is_dead()) return SQLITE_IOERR_TRUNCATE;
  const auto done = volume_.truncate(*node_, static_cast<std::uint64_t>(size));
  return done ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

int SqliteFile::sync() {
  if (is_dead() || !volume_.sync(node_)) return SQLITE_IOERR_FSYNC;
  if (!syncs_directory_) return SQLITE_OK;
  if (!volume_.sync_directory(directory_of(path_))) return SQLITE_IOERR_DIR_FSYNC;
  syncs_directory_ = false;
  return SQLITE_OK;
}

int SqliteFile::size(std::int64_t& size) const {
  if (is_dead()) return SQLITE_IOERR_FSTAT;
  size = static_cast<std::int64_t>(node_->seen.size());
  return SQLITE_OK;
}

int SqliteFile::lock(int level) {
  if (is_dead()) return SQLITE_IOERR_LOCK;
  if (level <= level_) return SQLITE_OK;
  const bool others_write = (shared_->exclusive && shared_->exclusive != this) ||
                            (shared_->pending && shared_->pending != this);
  if (level == SQLITE_LOCK_SHARED) {
    if (others_write) return SQLITE_BUSY;
  } else if (level == SQLITE_LOCK_RESERVED) {
    if (others_write || (shared_->reserved && shared_->reserved != this)) return SQLITE_BUSY;
  } else {
    if (others_write || (shared_->reserved && shared_->reserved != this)) return SQLITE_BUSY;
    shared_->pending = this;
    if (shared_->readers > 1) return SQLITE_BUSY;
  }
  take_level(level);
  return SQLITE_OK;
}

void SqliteFile::take_level(int level) {
  if (level_ == SQLITE_LOCK_NONE) ++shared_->readers;
  if (level >= SQLITE_LOCK_RESERVED) shared_->reserved = this;
  if (level >= SQLITE_LOCK_EXCLUSIVE) shared_->exclusive = this;
  level_ = level;
}

void SqliteFile::drop_to(int level) {
  if (shared_->pending == this) shared_->pending = nullptr;
  if (shared_->exclusive == this) shared_->exclusive = nullptr;
  if (shared_->reserved == this) shared_->reserved = nullptr;
  if (level == SQLITE_LOCK_NONE && level_ != SQLITE_LOCK_NONE) --shared_->readers;
  level_ = level;
}

int SqliteFile::unlock(int level) {
  if (level < level_) drop_to(level);
  return SQLITE_OK;
}

int SqliteFile::shm_map(int region, int bytes, bool extend, volatile void** memory) {
  *memory = nullptr;
  if (is_dead()) return SQLITE_IOERR_SHMMAP;
  if (!is_mapped_) ++shared_->mapped;
  is_mapped_ = true;
  const auto index = static_cast<std::size_t>(region);
  if (index >= shared_->regions.size() && !extend) return SQLITE_OK;
  while (index >= shared_->regions.size()) {
    shared_->regions.push_back(
        std::make_unique<std::vector<char>>(static_cast<std::size_t>(bytes)));
  }
  *memory = shared_->regions[index]->data();
  return SQLITE_OK;
}

int SqliteFile::shm_lock(int first, int count, int flags) {
  if (is_dead()) return SQLITE_IOERR_SHMLOCK;
  const bool is_shared = (flags & SQLITE_SHM_SHARED) != 0;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) return shm_unlock(first, count, is_shared);
  const auto begin = static_cast<std::size_t>(first);
  const std::size_t end = begin + static_cast<std::size_t>(count);
  BERM_ASSERT(end <= shared_->shm_owner.size());
  for (std::size_t n = begin; n < end; ++n) {
    if (shared_->shm_owner[n] && shared_->shm_owner[n] != this) return SQLITE_BUSY;
    const int own = shm_shared_[n] ? 1 : 0;
    if (!is_shared && shared_->shm_readers[n] > own) return SQLITE_BUSY;
  }
  for (std::size_t n = begin; n < end; ++n) {
    if (!is_shared) shared_->shm_owner[n] = this;
    if (is_shared && !shm_shared_[n]) ++shared_->shm_readers[n];
    if (is_shared) shm_shared_[n] = true;
  }
  return SQLITE_OK;
}

int SqliteFile::shm_unlock(int first, int count, bool was_shared) {
  for (int n = first; n < first + count; ++n) {
    const auto index = static_cast<std::size_t>(n);
    if (!was_shared && shared_->shm_owner[index] == this) shared_->shm_owner[index] = nullptr;
    if (was_shared && shm_shared_[index]) --shared_->shm_readers[index];
    if (was_shared) shm_shared_[index] = false;
  }
  return SQLITE_OK;
}

void SqliteFile::shm_unmap(bool remove) {
  if (!is_mapped_) return;
  is_mapped_ = false;
  shm_unlock(0, SqliteShared::kShmLocks, false);
  shm_unlock(0, SqliteShared::kShmLocks, true);
  if (--shared_->mapped == 0 && remove) shared_->regions.clear();
}

}  // namespace berm::hal
