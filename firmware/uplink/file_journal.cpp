// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/file_journal.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

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
  BERM_CHECK(take_back());
  if (!std::exchange(is_whole_, false)) repair(day);
  BERM_TRY(std::unique_ptr<hal::File> file, disk_.open_append(path));
  // What is written behind an unwritten stretch would go with it at the next repair.
  if (repaired_path_ != path) BERM_CHECK(cut_unwritten(path, *file));
  repaired_path_ = path;
  BERM_CHECK(cut_torn_line(path, *file));
  BERM_TRY(const std::uint64_t size, file->size());
  doubt_ = Doubt{path, size};
  BERM_CHECK(write(*file, lines));
  doubt_.reset();
  BERM_CHECK(sync_names(day, path));
  is_whole_ = true;
  return {};
}

Result<void> FileJournal::write(hal::File& file, std::string_view lines) {
  auto written = file.append(lines);
  if (written) written = file.sync();
  if (!written) static_cast<void>(take_back());
  return written;
}

// After a failed sync the lines can be seen and need not ever reach the medium, whatever is synced
// after them: they must be written anew.
Result<void> FileJournal::take_back() {
  if (!doubt_) return {};
  BERM_TRY(const std::unique_ptr<hal::File> file, disk_.open_append(doubt_->path));
  BERM_TRY(const std::uint64_t size, file->size());
  if (size > doubt_->size) BERM_CHECK(file->truncate(doubt_->size));
  doubt_.reset();
  return {};
}

// Which file an earlier process or a failed append left torn is not known: the clock may have been
// wrong. So all of the days that can be it, as well as that can be done.
void FileJournal::repair(const std::string& day_directory) {
  std::vector<std::string> days{day_directory};
  const auto known = disk_.list(options_.directory);
  if (!known) return;
  for (auto name = known->rbegin(); name != known->rend() && days.size() < kRepairedDays; ++name) {
    const std::string day = options_.directory + "/" + *name;
    if (day != day_directory) days.push_back(day);
  }
  for (const std::string& day : days) {
    const auto names = disk_.list(day);
    for (const std::string& name : names.value_or(std::vector<std::string>{})) {
      const std::string path = day + "/" + name;
      const auto file = disk_.open_append(path);
      if (!file) continue;
      static_cast<void>(cut_unwritten(path, **file));
      static_cast<void>(cut_torn_line(path, **file));
    }
  }
}

// A power cut may leave the end of an append and not its middle: then zeros stand there, which no
// line has. One append is all that can be unsynced.
Result<void> FileJournal::cut_unwritten(const std::string& path, hal::File& file) const {
  BERM_TRY(const std::uint64_t size, file.size());
  const std::uint64_t from = size > kMaxUnsyncedBytes ? size - kMaxUnsyncedBytes : 0;
  BERM_TRY(const std::string tail, disk_.read_at(path, from, kMaxUnsyncedBytes));
  const std::size_t zero = tail.find('\0');
  if (zero == std::string::npos) return {};
  BERM_CHECK(file.truncate(from + zero));
  return file.sync();
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
