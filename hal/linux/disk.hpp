// SPDX-License-Identifier: Apache-2.0
// SystemDisk: files through the kernel, for what must survive a power cut: configuration
// candidates, the uplink's directories, the lock of the state directory. The outbox's database goes
// through SQLite.
//
// Promises: every descriptor is close-on-exec; an interrupted call is repeated, a short write
// completed; write_whole leaves the old or the new content, never a mixture, also after a power cut
// (temporary file
// `<path>.new`, fsync, rename, fsync of the directory; a left-over `.new` is overwritten next
// time). A lock is flock(2) on a file that holds our process number in text; the kernel frees it
// when we die. identity mixes file system id, inode and birth time: a reformatted card, a copied or
// restored directory differ. kind: read_only before memory (tmpfs, ramfs) before overlay before
// durable. is_mount_point asks statx, and where the kernel cannot say, compares the device with the
// parent's.
//
// Thread: any, one call at a time per File. Blocks: on the Executor, or before the loop runs.
// Fails: Error with the path and the system's reason; kMaxListed names in a directory are the most.
// Source: open(2), fsync(2), rename(2), statx(2), statfs(2), flock(2).
#pragma once

#include <string>

#include "hal/disk.hpp"

namespace berm::hal {

inline constexpr std::size_t kMaxListed = 100000;

class SystemDisk final : public Disk {
 public:
  Result<std::string> read(const std::string& path, std::size_t max_bytes) const override;
  Result<std::string> read_at(const std::string& path, std::uint64_t offset,
                              std::size_t max_bytes) const override;
  Result<std::unique_ptr<File>> open_append(const std::string& path) override;
  Result<void> write_whole(const std::string& path, std::string_view bytes) override;
  Result<void> renew(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> make_directory(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) const override;
  bool exists(const std::string& path) const override;
  Result<DiskSpace> space(const std::string& path) const override;
  Result<std::uint64_t> device_written(const std::string& path) const override;
  FileSystemKind kind(const std::string& path) const override;
  bool is_mount_point(const std::string& directory) const override;
  Result<std::uint64_t> identity(const std::string& path) const override;
  Result<std::unique_ptr<File>> lock(const std::string& path) override;
  const std::string& sqlite_vfs() const override { return sqlite_vfs_; }

 private:
  const std::string sqlite_vfs_;  // empty: SQLite's default
};

}  // namespace berm::hal
