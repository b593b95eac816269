// SPDX-License-Identifier: Apache-2.0
// FileJournal: whole JSON lines in a directory, one file per UTC hour of writing:
// `2026-11-21/04.jsonl`. The blocking half of the file uplink; used by FileTransport, on the
// executor only. append() returns only after the lines, and the names of a new file and folder, are
// synced. It keeps no file open between two calls, so a stick can be unmounted at any moment.
// Before it writes it cuts off a last line without its newline (a power cut, a full stick), so no
// line is ever torn or run together; the first time, and after a failure, in all files of the two
// newest days, from the first sector on that a power cut kept from the medium. `require_mount`: the
// directory, or its parent, must be a mount point other than `/`, and no memory or read-only file
// system; else `unavailable`. The directory is made if its parent exists. Fails with the disk's own
// error; lines already written may then stand there whole: a repeat, never a loss.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hal/base/result.hpp"
#include "hal/base/time.hpp"
#include "hal/disk.hpp"

namespace berm::uplink {

struct FileJournalOptions {
  std::string directory;  // absolute
  bool require_mount = true;
};

class FileJournal {
 public:
  FileJournal(FileJournalOptions options, hal::Disk& disk);
  // `lines`: each ended by a newline.
  Result<void> append(std::string_view lines, WallTime now);

 private:
  Result<void> check_mount() const;
  Result<void> make_directory(const std::string& path);
  // A file whose bytes from `size` on may never have been written.
  struct Doubt {
    std::string path;
    std::uint64_t size = 0;
  };
  Result<void> write(hal::File& file, std::string_view lines);
  Result<void> take_back();
  void repair(const std::string& day_directory);
  Result<void> cut_unwritten(const std::string& path, hal::File& file) const;
  Result<void> cut_torn_line(const std::string& path, hal::File& file) const;
  Result<void> sync_names(const std::string& day_directory, const std::string& path);

  const FileJournalOptions options_;
  hal::Disk& disk_;
  std::string synced_path_;    // the file whose name is known to be durable
  std::string repaired_path_;  // the file in which nothing unwritten stands
  std::optional<Doubt> doubt_;
  bool is_whole_ = false;  // nothing but whole lines stands in any file
};

}  // namespace berm::uplink
