// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/file_journal.hpp"

#include <algorithm>
#include <memory>

#include "firmware/uplink/limits.hpp"
#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm::uplink {
namespace {

std::string without_trailing_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

}  // namespace

FileJournal::FileJournal(FileJournalOptions options, hal::Disk& disk)
    : options_{without_trailing_slash(std::move(options.directory)), options.require_mount},
      disk_(disk) {
  BERM_ASSERT(!options_.directory.empty() && options_.directory.front() == '/');
}

Result<void> FileJournal::append(std::string_view lines, WallTime now) {
  BERM_ASSERT(!lines.empty() && lines.back() == '\n');
  const std::string stamp = iso8601(s_of(now));  // 2026-11-21T04:48:00Z
  const std::string day = options_.directory + "/" + stamp.substr(0, 10);
  const std::string path = day + "/" + stamp.substr(11, 2) + ".jsonl";
  BERM_CHECK(check_mount());
  BERM_CHECK(make_directory(options_.directory));
  BERM_CHECK(make_directory(day));
  BERM_TRY(std::unique_ptr<hal::File> file, disk_.open_append(path));
  BERM_CHECK(cut_torn_line(path, *file));
  BERM_CHECK(file->append(lines));
  BERM_CHECK(file->sync());
  return sync_names(day, path);
}

Result<void> FileJournal::check_mount() const {
  if (!options_.require_mount) return {};
  const std::string& directory = options_.directory;
  const std::string parent = parent_of(directory);
  const bool is_mounted = (disk_.exists(directory) && disk_.is_mount_point(directory)) ||
                          (parent != "/" && disk_.is_mount_point(parent));
  if (!is_mounted) {
    return fail(ErrorCode::unavailable,
                "nothing is mounted at " + directory + " (is the stick plugged in?)");
  }
  const std::string& there = disk_.exists(directory) ? directory : parent;
  if (disk_.kind(there) != hal::FileSystemKind::durable) {
    return fail(ErrorCode::unavailable, there + " is no disk that keeps what is written to it");
  }
  return {};
}

Result<void> FileJournal::make_directory(const std::string& path) {
  if (disk_.exists(path)) return {};
  synced_path_.clear();
  return disk_.make_directory(path);
}

Result<void> FileJournal::cut_torn_line(const std::string& path, hal::File& file) const {
  BERM_TRY(const std::uint64_t size, file.size());
  std::uint64_t end = size;
  while (end > 0) {
    const std::uint64_t begin = end > kTailChunk ? end - kTailChunk : 0;
    // The last byte alone decides nearly always.
    const std::uint64_t from = end == size ? end - 1 : begin;
    BERM_TRY(const std::string tail,
             disk_.read_at(path, from, static_cast<std::size_t>(end - from)));
    const std::size_t newline = tail.rfind('\n');
    if (newline != std::string::npos) {
      end = from + newline + 1;
      break;
    }
    end = from;
  }
  if (end == size) return {};
  return file.truncate(end);
}

Result<void> FileJournal::sync_names(const std::string& day_directory, const std::string& path) {
  if (synced_path_ == path) return {};
  BERM_CHECK(disk_.sync_directory(day_directory));
  BERM_CHECK(disk_.sync_directory(options_.directory));
  // A mount point's own name is not ours to keep.
  if (!disk_.is_mount_point(options_.directory)) {
    BERM_CHECK(disk_.sync_directory(parent_of(options_.directory)));
  }
  synced_path_ = path;
  return {};
}

}  // namespace berm::uplink
