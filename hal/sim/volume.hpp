// SPDX-License-Identifier: Apache-2.0
// SimVolume: one file system in memory and what a power cut leaves of it. Under SimDisk and its
// SQLite VFS. Every node keeps two states: what programs see, and what is on the medium. sync()
// carries a file's 512-byte sectors over; a name (made, renamed, removed) is carried over by
// sync_directory(), and, as on ext4, a made name also by the sync of its file
// (`creation_needs_directory_sync` turns that off). A power cut keeps a random subset of the
// unsynced sectors and of the pending names (an operation on a name never before an earlier one on
// it; a rename is never half done), closes all handles and leaves the power off: everything fails
// with EIO until power_on(). A failed sync forgets which sectors were unsynced, as Linux does: they
// stay visible, but only writing them again can bring them to the medium. Faults: fail the n-th
// operation of a kind, once or for ever. Every operation is counted and told to an observer before
// it happens; the observer may cut the power. Who: SimDisk, SimSqliteVfs. Thread: one at a time.
// Errors carry errno. Paths are absolute.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hal/base/result.hpp"
#include "hal/base/time.hpp"
#include "hal/random.hpp"

namespace berm::hal {

inline constexpr std::size_t kSimSectorBytes = 512;

enum class DiskOperation {
  open,
  read,
  write,
  sync,
  truncate,
  rename,
  remove,
  make_directory,
  sync_directory,
  list,
  lock,
};

enum class DiskFaultKind {
  io,           // EIO
  no_space,     // ENOSPC
  short_write,  // a write that a signal cut short: half is taken, the caller must go on
};

struct DiskFault {
  DiskOperation operation = DiskOperation::write;
  DiskFaultKind kind = DiskFaultKind::io;
  std::uint64_t let_pass = 0;  // so many of this kind succeed first
  bool is_lasting = false;     // and all after it
  std::string path_contains;   // empty: any file
};

struct SimVolumeOptions {
  std::uint64_t capacity_bytes = std::uint64_t{1} << 30;
  bool creation_needs_directory_sync = false;
};

struct SimNode;
using SimNodePtr = std::shared_ptr<SimNode>;  // shared: a removed file lives on while it is open
using SimEntries = std::map<std::string, SimNodePtr, std::less<>>;

struct SimNode {
  std::uint64_t number = 0;
  bool is_directory = false;
  std::string path;  // as last named; for faults and messages
  std::string seen;
  std::string medium;
  std::vector<std::uint32_t> unsynced;  // sectors
  std::vector<bool> is_unsynced;
  std::uint64_t cut_to = ~std::uint64_t{0};  // smallest size since the last sync
  SimEntries seen_entries;
  SimEntries medium_entries;
  std::shared_ptr<void> shared_memory;  // of the SQLite VFS; gone at a power cut
};

class SimVolume {
 public:
  explicit SimVolume(SimVolumeOptions options);
  SimVolume(
      const SimVolume& other);  // the same bytes, names, numbers and unsynced state; no faults
  SimVolume& operator=(const SimVolume&) = delete;
  ~SimVolume() = default;

  Result<SimNodePtr> open(std::string_view path, bool create, bool exclusive);
  SimNodePtr find(std::string_view path) const;  // not counted; nullptr: none
  SimNodePtr make_anonymous();  // a file without a name, as SQLite's temporary ones
  Result<std::size_t> read(const SimNode& node, std::uint64_t offset, std::span<char> into);
  Result<std::size_t> write(SimNode& node, std::uint64_t offset, std::string_view bytes);
  Result<void> sync(const SimNodePtr& node);
  Result<void> truncate(SimNode& node, std::uint64_t size);
  Result<void> rename(std::string_view from, std::string_view to);
  Result<void> remove(std::string_view path);
  Result<void> make_directory(std::string_view path);
  Result<void> sync_directory(std::string_view path);
  Result<std::vector<std::string>> list(std::string_view path);

  // Counts, observes, and fails where it must; for operations that the layers above add.
  Result<void> begin(DiskOperation operation, std::string_view path);
  // Changes at every power cut and restore: a handle of an older generation is dead.
  std::uint64_t generation() const { return generation_; }

  void power_cut(Random& random);
  void power_on() { is_off_ = false; }
  bool is_off() const { return is_off_; }
  void inject(DiskFault fault) { faults_.push_back({std::move(fault), 0}); }
  void clear_faults() { faults_.clear(); }
  // How many operations failed by an injected fault.
  std::uint64_t faults_met() const { return faults_met_; }
  void set_read_only(bool on) { is_read_only_ = on; }
  bool is_read_only() const { return is_read_only_; }
  void set_capacity(std::uint64_t bytes) { options_.capacity_bytes = bytes; }
  std::uint64_t capacity() const { return options_.capacity_bytes; }
  std::uint64_t used() const;
  using Observer = std::function<void(std::uint64_t number, DiskOperation, std::string_view path)>;
  void observe(Observer observer) { observer_ = std::move(observer); }
  std::uint64_t operations() const { return operations_; }
  std::uint64_t operations(DiskOperation operation) const;
  // Bytes written to the medium by sync, in whole sectors.
  std::uint64_t synced_bytes() const { return synced_bytes_; }
  void set_latency(DiskOperation operation, Microseconds latency);
  void on_latency(std::function<void(Microseconds)> sink) { latency_sink_ = std::move(sink); }
  // The tree becomes `other`'s; open handles die. `new_numbers`: as after unpacking a backup.
  void restore(const SimVolume& other, bool new_numbers);
  void make_all_durable();

 private:
  struct Change {
    SimNodePtr directory;
    std::string name;
    SimNodePtr from;  // what the name stood for (nullptr: nothing)
    SimNodePtr to;
  };
  struct Pending {
    std::vector<Change> changes;
    bool is_creation = false;
  };
  struct ActiveFault {
    DiskFault fault;
    std::uint64_t seen = 0;
  };
  struct Place {
    SimNodePtr directory;
    std::string name;
  };
  Result<Place> place_of(std::string_view path) const;
  Result<void> meet_fault(DiskOperation operation, std::string_view path);
  Result<void> begin_change(DiskOperation operation, std::string_view path);
  void add_pending(Pending pending);
  void carry_over(std::vector<bool> marked);
  static void apply(const Pending& pending);
  static void mark_unsynced(SimNode& node, std::uint64_t offset, std::size_t length);
  void make_root();
  void copy_from(const SimVolume& other);

  SimVolumeOptions options_;
  SimNodePtr root_;
  std::vector<Pending> pending_;
  std::vector<ActiveFault> faults_;
  std::map<DiskOperation, std::uint64_t> counts_;
  std::map<DiskOperation, Microseconds> latencies_;
  std::function<void(Microseconds)> latency_sink_;
  Observer observer_;
  std::uint64_t operations_ = 0;
  std::uint64_t synced_bytes_ = 0;
  std::uint64_t faults_met_ = 0;
  std::uint64_t generation_ = 1;
  std::uint64_t next_number_ = 2;
  bool is_off_ = false;
  bool is_read_only_ = false;
  bool is_short_write_ = false;  // the operation in hand is to be cut short
};

}  // namespace berm::hal
