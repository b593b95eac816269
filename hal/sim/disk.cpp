// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/disk.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"
#include "hal/sim/sqlite_vfs.hpp"

namespace berm::hal {
namespace {

// A write that a signal cut short is taken up again so many times.
constexpr int kMaxShortWrites = 64;

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

class SimFile final : public File {
 public:
  SimFile(SimVolume& volume, SimNodePtr node)
      : volume_(volume), node_(std::move(node)), generation_(volume.generation()) {}

  Result<void> append(std::string_view bytes) override {
    for (int n = 0; !bytes.empty() && n < kMaxShortWrites; ++n) {
      BERM_CHECK(check());
      BERM_TRY(const std::size_t taken, volume_.write(*node_, node_->seen.size(), bytes));
      bytes.remove_prefix(taken);
    }
    if (!bytes.empty()) return fail(system_error(node_->path, EIO));
    return {};
  }
  Result<void> sync() override {
    BERM_CHECK(check());
    return volume_.sync(node_);
  }
  Result<std::uint64_t> size() const override {
    BERM_CHECK(check());
    return std::uint64_t{node_->seen.size()};
  }
  Result<void> truncate(std::uint64_t size) override {
    BERM_CHECK(check());
    return volume_.truncate(*node_, size);
  }

 private:
  Result<void> check() const {
    if (volume_.generation() != generation_) return fail(system_error(node_->path, EIO));
    return {};
  }
  SimVolume& volume_;
  SimNodePtr node_;
  std::uint64_t generation_;
};

class SimLock final : public File {
 public:
  SimLock(std::shared_ptr<std::set<std::uint64_t>> locked, std::uint64_t number)
      : locked_(std::move(locked)), number_(number) {}
  SimLock(const SimLock&) = delete;
  SimLock& operator=(const SimLock&) = delete;
  ~SimLock() override { locked_->erase(number_); }
  Result<void> append(std::string_view) override { return refuse(); }
  Result<void> sync() override { return refuse(); }
  Result<std::uint64_t> size() const override { return std::uint64_t{0}; }
  Result<void> truncate(std::uint64_t) override { return refuse(); }

 private:
  static Result<void> refuse() { return fail(ErrorCode::unsupported, "a lock file holds nothing"); }
  std::shared_ptr<std::set<std::uint64_t>> locked_;
  std::uint64_t number_;
};

}  // namespace

SimDisk::SimDisk(SimVolumeOptions options)
    : volume_(std::make_unique<SimVolume>(options)),
      vfs_(std::make_unique<SimSqliteVfs>(*volume_)),
      locked_(std::make_shared<std::set<std::uint64_t>>()) {}

SimDisk::SimDisk(const SimVolume& volume)
    : volume_(std::make_unique<SimVolume>(volume)),
      vfs_(std::make_unique<SimSqliteVfs>(*volume_)),
      locked_(std::make_shared<std::set<std::uint64_t>>()) {}

SimDisk::~SimDisk() = default;

Result<std::string> SimDisk::read(const std::string& path, std::size_t max_bytes) const {
  BERM_TRY(const SimNodePtr node, volume_->open(path, false, false));
  if (node->seen.size() > max_bytes) {
    return fail(ErrorCode::full, path + ": larger than " + std::to_string(max_bytes) + " bytes");
  }
  std::string bytes(node->seen.size(), '\0');
  BERM_TRY(const std::size_t taken, volume_->read(*node, 0, bytes));
  bytes.resize(taken);
  return bytes;
}

Result<std::string> SimDisk::read_at(const std::string& path, std::uint64_t offset,
                                     std::size_t max_bytes) const {
  BERM_TRY(const SimNodePtr node, volume_->open(path, false, false));
  const std::uint64_t size = node->seen.size();
  std::string bytes(offset < size ? std::min<std::uint64_t>(max_bytes, size - offset) : 0, '\0');
  BERM_TRY(const std::size_t taken, volume_->read(*node, offset, bytes));
  bytes.resize(taken);
  return bytes;
}

Result<std::unique_ptr<File>> SimDisk::open_append(const std::string& path) {
  if (volume_->is_read_only()) return fail(system_error(path, EROFS));
  BERM_TRY(SimNodePtr node, volume_->open(path, true, false));
  return std::make_unique<SimFile>(*volume_, std::move(node));
}

Result<void> SimDisk::write_whole(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  BERM_TRY(const std::unique_ptr<File> file, open_append(temporary));
  BERM_CHECK(file->truncate(0));
  const auto written = file->append(bytes);
  const auto synced = written ? file->sync() : written;
  if (!synced) {
    (void)volume_->remove(temporary);
    return fail(synced.error());
  }
  BERM_CHECK(volume_->rename(temporary, path));
  return volume_->sync_directory(directory_of(path));
}

Result<void> SimDisk::renew(const std::string& path) {
  BERM_TRY(const SimNodePtr node, volume_->open(path, false, false));
  std::string bytes(node->seen.size(), '\0');
  BERM_TRY(const std::size_t length, volume_->read(*node, 0, bytes));
  std::string_view left(bytes.data(), length);
  for (int n = 0; !left.empty() && n < kMaxShortWrites; ++n) {
    BERM_TRY(const std::size_t taken, volume_->write(*node, length - left.size(), left));
    left.remove_prefix(taken);
  }
  if (!left.empty()) return fail(system_error(path, EIO));
  return volume_->sync(node);
}

Result<void> SimDisk::rename(const std::string& from, const std::string& to) {
  return volume_->rename(from, to);
}

Result<void> SimDisk::remove(const std::string& path) {
  return volume_->remove(path);
}

Result<void> SimDisk::make_directory(const std::string& path) {
  return volume_->make_directory(path);
}

Result<void> SimDisk::sync_directory(const std::string& path) {
  return volume_->sync_directory(path);
}

Result<std::vector<std::string>> SimDisk::list(const std::string& directory) const {
  return volume_->list(directory);
}

bool SimDisk::exists(const std::string& path) const {
  return volume_->find(path) != nullptr;
}

Result<DiskSpace> SimDisk::space(const std::string& path) const {
  if (!volume_->find(path)) return fail(system_error(path, ENOENT));
  const std::uint64_t used = volume_->used();
  const std::uint64_t total = volume_->capacity();
  return DiskSpace{total, total > used ? total - used : 0};
}

FileSystemKind SimDisk::kind(const std::string&) const {
  return volume_->is_read_only() ? FileSystemKind::read_only : kind_;
}

bool SimDisk::is_mount_point(const std::string& directory) const {
  return directory == "/" || mount_points_.contains(directory);
}

void SimDisk::set_mount_point(const std::string& directory, bool is_mounted) {
  if (is_mounted) {
    mount_points_.insert(directory);
  } else {
    mount_points_.erase(directory);
  }
}

Result<std::uint64_t> SimDisk::identity(const std::string& path) const {
  const SimNodePtr node = volume_->find(path);
  if (!node) return fail(system_error(path, ENOENT));
  return node->number;
}

Result<std::unique_ptr<File>> SimDisk::lock(const std::string& path) {
  BERM_CHECK(volume_->begin(DiskOperation::lock, path));
  BERM_TRY(const SimNodePtr node, volume_->open(path, true, false));
  if (!locked_->insert(node->number).second) {
    return fail(ErrorCode::exists, path + ": held by another process");
  }
  return std::make_unique<SimLock>(locked_, node->number);
}

const std::string& SimDisk::sqlite_vfs() const {
  return vfs_->name();
}

void SimDisk::power_cut(Random& random) {
  volume_->power_cut(random);
  locked_ = std::make_shared<std::set<std::uint64_t>>();
}

void SimDisk::prepare_directory(const std::string& path) {
  if (path != "/") prepare_directory(directory_of(path));
  const auto made = volume_->make_directory(path);
  BERM_ASSERT(made.has_value());
  volume_->make_all_durable();
}

void SimDisk::prepare_file(const std::string& path, std::string_view bytes) {
  prepare_directory(directory_of(path));
  const auto written = write_whole(path, bytes);
  BERM_ASSERT(written.has_value());
  volume_->make_all_durable();
}

std::unique_ptr<SimDisk> SimDisk::clone() const {
  std::unique_ptr<SimDisk> copy(new SimDisk(*volume_));  // the constructor is private
  copy->mount_points_ = mount_points_;
  copy->kind_ = kind_;
  return copy;
}

void SimDisk::restore(const SimDisk& earlier, bool new_identity) {
  volume_->restore(*earlier.volume_, new_identity);
  locked_ = std::make_shared<std::set<std::uint64_t>>();
}

}  // namespace berm::hal
