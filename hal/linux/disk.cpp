// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/disk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "hal/base/text.hpp"
#include "hal/base/unique_fd.hpp"

namespace berm::hal {

namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kDirectoryMode = 0750;
constexpr std::size_t kReadPiece = 65536;

template <class Call>
auto repeated(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

std::unexpected<Error> failed(std::string_view doing, const std::string& path) {
  const int number = errno;
  return fail(system_error(std::string(doing) + " " + path, number));
}

Result<UniqueFd> open_file(const std::string& path, int flags) {
  UniqueFd fd(repeated([&] { return ::open(path.c_str(), flags | O_CLOEXEC, kFileMode); }));
  if (!fd.is_open()) return failed("opening", path);
  return fd;
}

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = repeated([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (count < 0) return failed("writing", path);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> sync_file(int fd, const std::string& path) {
  // Never repeated: after a failed fsync the kernel may call the pages clean.
  if (::fsync(fd) != 0) return failed("syncing", path);
  return {};
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

class SystemFile final : public File {
 public:
  SystemFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<void> append(std::string_view bytes) override {
    return write_all(fd_.get(), bytes, path_);
  }
  Result<void> sync() override { return sync_file(fd_.get(), path_); }
  Result<std::uint64_t> size() const override {
    struct stat found{};
    if (::fstat(fd_.get(), &found) != 0) return failed("reading the size of", path_);
    return static_cast<std::uint64_t>(found.st_size);
  }
  Result<void> truncate(std::uint64_t size) override {
    const auto length = static_cast<off_t>(size);
    if (repeated([&] { return ::ftruncate(fd_.get(), length); }) != 0) {
      return failed("truncating", path_);
    }
    return {};
  }

 private:
  UniqueFd fd_;
  std::string path_;
};

std::string lock_holder(int fd) {
  std::array<char, 16> text{};
  const ssize_t count = ::pread(fd, text.data(), text.size() - 1, 0);
  std::string holder(text.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  holder.erase(
      std::find_if(holder.begin(), holder.end(), [](char c) { return c < '0' || c > '9'; }),
      holder.end());
  return holder.empty() ? "another process" : "process " + holder;
}

std::uint64_t mixed(std::uint64_t hash, std::uint64_t value) {
  // splitmix64's finaliser over the sum: every bit of the value reaches every bit of the hash.
  std::uint64_t z = hash * 0x9E3779B97F4A7C15u + value + 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// A file system's own id where it has one (ext4: of its UUID), which unlike the device number does
// not change with the order in which disks are found.
std::uint64_t file_system_id(const std::string& path, const struct statx& found) {
  struct statfs system{};
  if (::statfs(path.c_str(), &system) == 0) {
    std::uint64_t id = 0;
    static_assert(sizeof system.f_fsid == sizeof id);
    std::copy_n(reinterpret_cast<const char*>(&system.f_fsid), sizeof id,
                reinterpret_cast<char*>(&id));
    if (id != 0) return id;
  }
  return (std::uint64_t{found.stx_dev_major} << 32) | found.stx_dev_minor;
}

}  // namespace

Result<std::string> SystemDisk::read(const std::string& path, std::size_t max_bytes) const {
  BERM_TRY(const UniqueFd fd, open_file(path, O_RDONLY));
  std::string bytes;
  while (true) {
    const std::size_t before = bytes.size();
    // One byte more than allowed shows that there is more.
    const std::size_t left = max_bytes - before;
    const std::size_t want = left < kReadPiece ? left + 1 : kReadPiece;
    bytes.resize(before + want);
    const ssize_t count = repeated([&] { return ::read(fd.get(), &bytes[before], want); });
    if (count < 0) return failed("reading", path);
    bytes.resize(before + static_cast<std::size_t>(count));
    if (count == 0) return bytes;
    if (bytes.size() > max_bytes) {
      return fail(ErrorCode::full,
                  path + " is larger than " + std::to_string(max_bytes) + " bytes");
    }
  }
}

Result<std::string> SystemDisk::read_at(const std::string& path, std::uint64_t offset,
                                        std::size_t max_bytes) const {
  BERM_TRY(const UniqueFd fd, open_file(path, O_RDONLY));
  std::string bytes(max_bytes, '\0');
  std::size_t length = 0;
  while (length < max_bytes) {
    const ssize_t count = repeated([&] {
      return ::pread(fd.get(), &bytes[length], max_bytes - length,
                     static_cast<off_t>(offset + length));
    });
    if (count < 0) return failed("reading", path);
    if (count == 0) break;
    length += static_cast<std::size_t>(count);
  }
  bytes.resize(length);
  return bytes;
}

Result<std::unique_ptr<File>> SystemDisk::open_append(const std::string& path) {
  BERM_TRY(UniqueFd fd, open_file(path, O_RDWR | O_CREAT | O_APPEND));
  return std::make_unique<SystemFile>(std::move(fd), path);
}

Result<void> SystemDisk::write_whole(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".new";
  const auto write = [&]() -> Result<void> {
    BERM_TRY(const UniqueFd fd, open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC));
    BERM_CHECK(write_all(fd.get(), bytes, temporary));
    BERM_CHECK(sync_file(fd.get(), temporary));
    return {};
  };
  auto written = write();
  if (written) written = rename(temporary, path);
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  return sync_directory(parent_of(path));
}

Result<void> SystemDisk::renew(const std::string& path) {
  BERM_TRY(const UniqueFd fd, open_file(path, O_RDWR));
  std::string piece(kReadPiece, '\0');
  for (off_t at = 0;;) {
    const ssize_t count =
        repeated([&] { return ::pread(fd.get(), piece.data(), piece.size(), at); });
    if (count < 0) return failed("reading", path);
    if (count == 0) return sync_file(fd.get(), path);
    for (ssize_t done = 0; done < count;) {
      const auto left = static_cast<std::size_t>(count - done);
      const ssize_t written = repeated([&] {
        return ::pwrite(fd.get(), &piece[static_cast<std::size_t>(done)], left, at + done);
      });
      if (written < 0) return failed("writing", path);
      done += written;
    }
    at += count;
  }
}

Result<void> SystemDisk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failed("renaming", from + " to " + to);
  return {};
}

Result<void> SystemDisk::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return failed("removing", path);
  return {};
}

Result<void> SystemDisk::make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), kDirectoryMode) == 0) return {};
  const int number = errno;
  struct stat found{};
  if (number == EEXIST && ::stat(path.c_str(), &found) == 0) {
    if (S_ISDIR(found.st_mode)) return {};
    return fail(ErrorCode::exists, path + " exists and is not a directory");
  }
  return fail(system_error("making directory " + path, number));
}

Result<void> SystemDisk::sync_directory(const std::string& path) {
  BERM_TRY(const UniqueFd fd, open_file(path, O_RDONLY | O_DIRECTORY));
  return sync_file(fd.get(), path);
}

Result<std::vector<std::string>> SystemDisk::list(const std::string& directory) const {
  const auto close = [](DIR* open) { ::closedir(open); };
  const std::unique_ptr<DIR, decltype(close)> open(::opendir(directory.c_str()), close);
  if (!open) return failed("listing", directory);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (names.size() == kMaxListed) return fail(ErrorCode::full, "too many names in " + directory);
    names.emplace_back(name);
  }
  if (errno != 0) return failed("listing", directory);
  std::sort(names.begin(), names.end());
  return names;
}

bool SystemDisk::exists(const std::string& path) const {
  return ::faccessat(AT_FDCWD, path.c_str(), F_OK, AT_EACCESS) == 0;
}

Result<DiskSpace> SystemDisk::space(const std::string& path) const {
  struct statvfs found{};
  if (repeated([&] { return ::statvfs(path.c_str(), &found); }) != 0) {
    return failed("reading the space of", path);
  }
  const std::uint64_t block = found.f_frsize;
  return DiskSpace{found.f_blocks * block, found.f_bavail * block};
}

Result<std::uint64_t> SystemDisk::device_written(const std::string& path) const {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return failed("looking at", path);
  const std::string numbers =
      std::to_string(major(found.st_dev)) + ":" + std::to_string(minor(found.st_dev));
  const auto text = read("/sys/dev/block/" + numbers + "/stat", kReadPiece);
  if (!text) return fail(ErrorCode::unsupported, path + " has no block device of its own");
  // Documentation/block/stat.rst: the seventh number is sectors of 512 bytes written.
  constexpr int kSectorsWritten = 7;
  int number = 0;
  for (const std::string_view word : split(trim(*text), ' ')) {
    if (word.empty() || ++number < kSectorsWritten) continue;
    const auto sectors = parse_integer(word);
    if (sectors && *sectors >= 0) return static_cast<std::uint64_t>(*sectors) * 512;
    break;
  }
  return fail(ErrorCode::unsupported, "its counters cannot be read");
}

FileSystemKind SystemDisk::kind(const std::string& path) const {
  struct statfs found{};
  std::string asked = path;
  while (::statfs(asked.c_str(), &found) != 0) {
    if (asked == "/" || asked == ".") return FileSystemKind::durable;
    asked = parent_of(asked);
  }
  if ((found.f_flags & ST_RDONLY) != 0) return FileSystemKind::read_only;
  switch (static_cast<unsigned long>(found.f_type)) {
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
      return FileSystemKind::memory;
    case OVERLAYFS_SUPER_MAGIC:
      return FileSystemKind::overlay;
    default:
      return FileSystemKind::durable;
  }
}

bool SystemDisk::is_mount_point(const std::string& directory) const {
  struct statx found{};
  if (::statx(AT_FDCWD, directory.c_str(), 0, STATX_BASIC_STATS, &found) != 0) return false;
  if (!S_ISDIR(found.stx_mode)) return false;
  if ((found.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0) {
    return (found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  }
  struct statx parent{};
  const std::string above = directory + "/..";
  if (::statx(AT_FDCWD, above.c_str(), 0, STATX_BASIC_STATS, &parent) != 0) return false;
  const bool is_same_device =
      found.stx_dev_major == parent.stx_dev_major && found.stx_dev_minor == parent.stx_dev_minor;
  return !is_same_device || found.stx_ino == parent.stx_ino;  // the last: the root
}

Result<std::uint64_t> SystemDisk::identity(const std::string& path) const {
  struct statx found{};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS | STATX_BTIME, &found) != 0) {
    return failed("reading the identity of", path);
  }
  std::uint64_t identity = mixed(file_system_id(path, found), found.stx_ino);
  if ((found.stx_mask & STATX_BTIME) != 0) {
    identity = mixed(identity, static_cast<std::uint64_t>(found.stx_btime.tv_sec));
    identity = mixed(identity, found.stx_btime.tv_nsec);
  }
  return identity;
}

Result<std::unique_ptr<File>> SystemDisk::lock(const std::string& path) {
  BERM_TRY(UniqueFd fd, open_file(path, O_RDWR | O_CREAT));
  if (repeated([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) return failed("locking", path);
    return fail(ErrorCode::exists, path + " is held by " + lock_holder(fd.get()));
  }
  auto file = std::make_unique<SystemFile>(std::move(fd), path);
  // Who holds it is a courtesy to the next one: a full disk must not keep us from starting.
  if (file->truncate(0)) {
    [[maybe_unused]] const auto noted = file->append(std::to_string(::getpid()) + "\n");
  }
  return file;
}

}  // namespace berm::hal
