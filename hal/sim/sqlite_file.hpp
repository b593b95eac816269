// SPDX-License-Identifier: Apache-2.0
// SqliteFile: one open file of SQLite on a SimVolume: bytes, locks, and the WAL's shared memory.
// The C functions of sqlite_vfs.cpp only call it. Return values are SQLite result codes (SQLITE_OK
// is 0). The lock and shared memory state of a file lives with its node and dies with it at a power
// cut.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hal/sim/volume.hpp"

namespace berm::hal {

// What all connections to one database share (struct flock and mmap on a real machine).
struct SqliteShared {
  static constexpr int kShmLocks = 8;  // SQLITE_SHM_NLOCK
  int readers = 0;
  const void* reserved = nullptr;
  const void* pending = nullptr;
  const void* exclusive = nullptr;
  std::array<int, kShmLocks> shm_readers{};
  std::array<const void*, kShmLocks> shm_owner{};
  std::vector<std::unique_ptr<std::vector<char>>> regions;
  int mapped = 0;
};

class SqliteFile {
 public:
  SqliteFile(SimVolume& volume, SimNodePtr node, std::string path, bool syncs_directory,
             bool removes_on_close);
  SqliteFile(const SqliteFile&) = delete;
  SqliteFile& operator=(const SqliteFile&) = delete;
  ~SqliteFile();

  int read(void* into, int amount, std::int64_t offset);
  int write(const void* from, int amount, std::int64_t offset);
  int truncate(std::int64_t size);
  int sync();
  int size(std::int64_t& size) const;
  int lock(int level);
  int unlock(int level);
  bool is_reserved() const { return shared_->reserved || shared_->exclusive; }

  int shm_map(int region, int bytes, bool extend, volatile void** memory);
  int shm_lock(int first, int count, int flags);
  void shm_unmap(bool remove);

 private:
  bool is_dead() const { return volume_.generation() != generation_ || volume_.is_off(); }
  int shm_unlock(int first, int count, bool was_shared);
  void take_level(int level);
  void drop_to(int level);

  SimVolume& volume_;
  SimNodePtr node_;
  std::string path_;
  std::uint64_t generation_;
  std::shared_ptr<SqliteShared> shared_;
  int level_ = 0;
  bool syncs_directory_;
  bool removes_on_close_;
  bool is_mapped_ = false;
  std::array<bool, SqliteShared::kShmLocks> shm_shared_{};
};

}  // namespace berm::hal
