// SPDX-License-Identifier: Apache-2.0
// SimSqliteVfs: lets an unmodified SQLite keep its databases on a SimVolume, so that every write,
// sync and name it makes meets the same power cuts and faults as other files. Used by SimDisk only.
// Registered with SQLite under a name of its own for as long as it lives. It behaves as SQLite's
// unix VFS does where that matters for durability: a new journal or WAL syncs its directory with
// its first sync, an unlink syncs it where SQLite asks; writes are power-safe within a sector;
// interrupted writes are resumed. Locks and the WAL's shared memory are those of one process
// (several connections are fine). xSync, xDelete and all else report the volume's faults as
// SQLite's extended IO errors. After a power cut every open database fails with SQLITE_IOERR. Dates
// and SQLite's own random numbers are constant or the process's: do not use them. Thread: one at a
// time.
#pragma once

#include <memory>
#include <string>

#include "hal/sim/volume.hpp"

namespace berm::hal {

class SimSqliteVfs {
 public:
  explicit SimSqliteVfs(SimVolume& volume);
  SimSqliteVfs(const SimSqliteVfs&) = delete;
  SimSqliteVfs& operator=(const SimSqliteVfs&) = delete;
  ~SimSqliteVfs();
  const std::string& name() const { return name_; }

 private:
  struct Registration;
  std::string name_;
  std::unique_ptr<Registration> registration_;
};

}  // namespace berm::hal
