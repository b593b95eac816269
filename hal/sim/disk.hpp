// SPDX-License-Identifier: Apache-2.0
// SimDisk: the Disk in memory, with all that can go wrong on a cabinet's flash card: it forgets
// what was not synced when the power goes, fails at the n-th operation, fills up, turns read-only,
// is slow. What a cut leaves is written down in volume.hpp; `volume()` takes faults, observers and
// power cuts. SQLite sees the same files through the VFS named `sqlite_vfs()`, which lives as long
// as this object: close every database before it dies. Who: tests of outbox, agent, file uplink;
// the simulator. Thread: one at a time. A new disk has only "/"; `prepare` makes directories and
// files that have always been there (durable, not counted). clone(): the same card in another
// machine (same identity). restore(): back to an earlier state.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hal/disk.hpp"
#include "hal/sim/volume.hpp"

namespace berm::hal {

class SimSqliteVfs;

class SimDisk final : public Disk {
 public:
  explicit SimDisk(SimVolumeOptions options = {});
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;
  ~SimDisk() override;

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
  FileSystemKind kind(const std::string& path) const override;
  bool is_mount_point(const std::string& directory) const override;
  Result<std::uint64_t> identity(const std::string& path) const override;
  Result<std::unique_ptr<File>> lock(const std::string& path) override;
  const std::string& sqlite_vfs() const override;

  SimVolume& volume() { return *volume_; }
  void power_cut(Random& random);
  // Directories as far as needed.
  void prepare_directory(const std::string& path);
  void prepare_file(const std::string& path, std::string_view bytes);
  void set_kind(FileSystemKind kind) { kind_ = kind; }
  void set_mount_point(const std::string& directory, bool is_mounted);
  std::unique_ptr<SimDisk> clone() const;
  void restore(const SimDisk& earlier, bool new_identity);

 private:
  explicit SimDisk(const SimVolume& volume);

  std::unique_ptr<SimVolume> volume_;
  std::unique_ptr<SimSqliteVfs> vfs_;
  std::shared_ptr<std::set<std::uint64_t>> locked_;  // shared with the locks given out
  std::set<std::string> mount_points_;
  FileSystemKind kind_ = FileSystemKind::durable;
};

}  // namespace berm::hal
