// SPDX-License-Identifier: Apache-2.0
// Disk: files whose loss or damage matters. linux/: the real one; sim/: in memory, slow, full,
// failing, and forgetting what was not synced at a power cut. SQLite goes the same way: it opens
// its databases through the VFS named `sqlite_vfs()` (empty: SQLite's default), which in sim/ sees
// the same files. All calls block: they belong on the Executor (or before the loop runs). Paths are
// absolute. Durable means: after sync() the content, and after sync_directory() the name, survive a
// power cut.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hal/base/result.hpp"

namespace berm::hal {

class File {
 public:
  virtual ~File() = default;
  // Appends everything or fails (a short write is completed or is an Error).
  virtual Result<void> append(std::string_view bytes) = 0;
  virtual Result<void> sync() = 0;
  virtual Result<std::uint64_t> size() const = 0;
  virtual Result<void> truncate(std::uint64_t size) = 0;
};

struct DiskSpace {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;  // to us
};

enum class FileSystemKind { durable, memory, overlay, read_only };

class Disk {
 public:
  virtual ~Disk() = default;
  virtual Result<std::string> read(const std::string& path, std::size_t max_bytes) const = 0;
  // At most `max_bytes` from `offset` on; shorter at the end of the file, empty beyond it. A
  // backend that can should not read what stands before.
  virtual Result<std::string> read_at(const std::string& path, std::uint64_t offset,
                                      std::size_t max_bytes) const {
    Result<std::string> whole = read(path, static_cast<std::size_t>(-1) / 2);
    if (!whole) return whole;
    if (offset >= whole->size()) return std::string();
    return whole->substr(static_cast<std::size_t>(offset), max_bytes);
  }
  // Opens for append, made where missing (mode 0640).
  virtual Result<std::unique_ptr<File>> open_append(const std::string& path) = 0;
  // All or nothing and durable: temporary file, sync, rename, sync of the directory.
  virtual Result<void> write_whole(const std::string& path, std::string_view bytes) = 0;
  // Writes what a file holds over itself and syncs it. After a failed sync the system shows bytes
  // that it may never bring to the medium; another process cannot tell, unless it writes them
  // again. Takes no space, changes nothing, and a power cut in the middle of it harms nothing.
  virtual Result<void> renew(const std::string& path) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(const std::string& path) = 0;  // missing: Error not_found
  virtual Result<void> make_directory(
      const std::string& path) = 0;  // 0750; existing is fine; parent must exist
  virtual Result<void> sync_directory(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> list(
      const std::string& directory) const = 0;  // names, sorted
  virtual bool exists(const std::string& path) const = 0;
  virtual Result<DiskSpace> space(const std::string& path) const = 0;
  // Bytes written to the device below that path since the machine booted, by anybody, journals and
  // all. Error unsupported: it has no device (tmpfs, overlay), or nobody counts.
  virtual Result<std::uint64_t> device_written(const std::string& path) const {
    return fail(ErrorCode::unsupported, "nobody counts what is written below " + path);
  }
  virtual FileSystemKind kind(const std::string& path) const = 0;
  virtual bool is_mount_point(const std::string& directory) const = 0;
  // A number that differs for another directory or after a restore (device and inode).
  virtual Result<std::uint64_t> identity(const std::string& path) const = 0;
  // An exclusive lock held until the returned object dies; Error exists: another process holds it.
  virtual Result<std::unique_ptr<File>> lock(const std::string& path) = 0;
  virtual const std::string& sqlite_vfs() const = 0;
};

}  // namespace berm::hal
