// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/sqlite_vfs.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <new>

#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"
#include "hal/sim/sqlite_file.hpp"

namespace berm::hal {
namespace {

// As SQLite's unix VFS says of a disk it knows nothing about.
constexpr int kSectorBytes = 4096;
constexpr int kMaxPathBytes = 512;
// 1970-01-01 in milliseconds of the Julian calendar: there is no wall clock here.
constexpr sqlite3_int64 kFixedDate = 210866760000000;

// What SQLite allocates for each open file; `file` is ours.
struct OpenFile {
  sqlite3_file base;
  SqliteFile* file;
};

SqliteFile& file_of(sqlite3_file* file) {
  return *reinterpret_cast<OpenFile*>(file)->file;
}
SimVolume& volume_of(sqlite3_vfs* vfs) {
  return *static_cast<SimVolume*>(vfs->pAppData);
}

int close(sqlite3_file* file) {
  delete reinterpret_cast<OpenFile*>(file)->file;  // SQLite's C interface owns it from xOpen on
  reinterpret_cast<OpenFile*>(file)->file = nullptr;
  return SQLITE_OK;
}
int read(sqlite3_file* file, void* into, int amount, sqlite3_int64 offset) {
  return file_of(file).read(into, amount, offset);
}
int write(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset) {
  return file_of(file).write(from, amount, offset);
}
int truncate(sqlite3_file* file, sqlite3_int64 size) {
  return file_of(file).truncate(size);
}
int sync(sqlite3_file* file, int) {
  return file_of(file).sync();
}
int size(sqlite3_file* file, sqlite3_int64* size) {
  std::int64_t bytes = 0;
  const int code = file_of(file).size(bytes);
  *size = bytes;
  return code;
}
int lock(sqlite3_file* file, int level) {
  return file_of(file).lock(level);
}
int unlock(sqlite3_file* file, int level) {
  return file_of(file).unlock(level);
}
int check_reserved(sqlite3_file* file, int* is_reserved) {
  *is_reserved = file_of(file).is_reserved() ? 1 : 0;
  return SQLITE_OK;
}
int control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
  return kSectorBytes;
}
int characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}
int shm_map(sqlite3_file* file, int region, int bytes, int extend, void volatile** memory) {
  return file_of(file).shm_map(region, bytes, extend != 0, memory);
}
int shm_lock(sqlite3_file* file, int first, int count, int flags) {
  return file_of(file).shm_lock(first, count, flags);
}
void shm_barrier(sqlite3_file*) {}
int shm_unmap(sqlite3_file* file, int remove) {
  file_of(file).shm_unmap(remove != 0);
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = close,
    .xRead = read,
    .xWrite = write,
    .xTruncate = truncate,
    .xSync = sync,
    .xFileSize = size,
    .xLock = lock,
    .xUnlock = unlock,
    .xCheckReservedLock = check_reserved,
    .xFileControl = control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* flags_out) {
  SimVolume& volume = volume_of(vfs);
  file->pMethods = nullptr;
  SimNodePtr node;
  const bool creates = (flags & SQLITE_OPEN_CREATE) != 0;
  const bool is_new = name != nullptr && creates && !volume.find(name);
  if (name == nullptr) {
    node = volume.make_anonymous();
  } else {
    auto opened = volume.open(name, creates, (flags & SQLITE_OPEN_EXCLUSIVE) != 0);
    if (!opened) return SQLITE_CANTOPEN;
    node = std::move(*opened);
  }
  constexpr int kJournals = SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;
  const bool syncs_directory = is_new && (flags & kJournals) != 0;
  const bool removes = name != nullptr && (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  auto* made = new (std::nothrow)
      SqliteFile(volume, std::move(node), name != nullptr ? name : "", syncs_directory, removes);
  if (made == nullptr) return SQLITE_NOMEM;
  reinterpret_cast<OpenFile*>(file)->file = made;
  file->pMethods = &kMethods;
  if (flags_out != nullptr) {
    *flags_out = flags;
    if (volume.is_read_only()) {
      *flags_out = (flags & ~SQLITE_OPEN_READWRITE) | SQLITE_OPEN_READONLY;
    }
  }
  return SQLITE_OK;
}

int remove(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  SimVolume& volume = volume_of(vfs);
  const auto removed = volume.remove(name);
  if (!removed) {
    const bool is_missing = removed.error().system_error == ENOENT;
    return is_missing ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
  }
  if (sync_directory == 0) return SQLITE_OK;
  const std::string path(name);
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == 0 ? "/" : path.substr(0, slash);
  return volume.sync_directory(directory) ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}

int access(sqlite3_vfs* vfs, const char* name, int flags, int* is_there) {
  SimVolume& volume = volume_of(vfs);
  if (volume.is_off()) return SQLITE_IOERR_ACCESS;
  const SimNodePtr node = volume.find(name);
  *is_there = node ? 1 : 0;
  // An empty file is as good as none, as in SQLite's unix VFS.
  if (flags == SQLITE_ACCESS_EXISTS && node && node->seen.empty()) *is_there = 0;
  if (flags == SQLITE_ACCESS_READWRITE && volume.is_read_only()) *is_there = 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int bytes, char* into) {
  const std::size_t length = std::strlen(name);
  if (length >= static_cast<std::size_t>(bytes)) return SQLITE_CANTOPEN;
  std::memcpy(into, name, length + 1);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs*, int bytes, char* into) {
  for (int n = 0; n < bytes; ++n) into[n] = static_cast<char>(n * 37 + 11);
  return bytes;
}
int pause(sqlite3_vfs*, int us) {
  return us;
}
int last_error(sqlite3_vfs*, int, char*) {
  return 0;
}
int now_ms(sqlite3_vfs*, sqlite3_int64* ms) {
  *ms = kFixedDate;
  return SQLITE_OK;
}
int now_days(sqlite3_vfs*, double* days) {
  *days = static_cast<double>(kFixedDate) / 86'400'000.0;
  return SQLITE_OK;
}

}  // namespace

struct SimSqliteVfs::Registration {
  sqlite3_vfs vfs{};
};

SimSqliteVfs::SimSqliteVfs(SimVolume& volume)
    : name_(text_of("berm-sim-%p", static_cast<void*>(this))),
      registration_(std::make_unique<Registration>()) {
  sqlite3_vfs& vfs = registration_->vfs;
  vfs.iVersion = 2;
  vfs.szOsFile = sizeof(OpenFile);
  vfs.mxPathname = kMaxPathBytes;
  vfs.zName = name_.c_str();
  vfs.pAppData = &volume;
  vfs.xOpen = open;
  vfs.xDelete = remove;
  vfs.xAccess = access;
  vfs.xFullPathname = full_path;
  vfs.xRandomness = randomness;
  vfs.xSleep = pause;
  vfs.xCurrentTime = now_days;
  vfs.xCurrentTimeInt64 = now_ms;
  vfs.xGetLastError = last_error;
  const int code = sqlite3_vfs_register(&vfs, 0);
  BERM_ASSERT(code == SQLITE_OK);
}

SimSqliteVfs::~SimSqliteVfs() {
  sqlite3_vfs_unregister(&registration_->vfs);
}

}  // namespace berm::hal
