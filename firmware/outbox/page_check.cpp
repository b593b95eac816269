// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/page_check.hpp"

#include <sqlite3.h>

#include <bit>
#include <cstring>
#include <new>

#include "hal/base/text.hpp"

namespace berm::outbox {
namespace {

constexpr std::string_view kMagic{"SQLite format 3\0", 16};
constexpr std::size_t kReservedAt = 20;
constexpr int kMinPageBytes = 512;
constexpr int kHeaderBytes = 100;

std::uint64_t word_at(std::string_view bytes, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + at, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

// Each step can be undone, so no change of a single word goes unseen.
std::uint64_t mixed(std::uint64_t sum, std::uint64_t word) {
  return (std::rotl(sum, 29) ^ word) * 0x9E3779B97F4A7C15u;
}

// Of all but the last 8 bytes. The byte that says whether there is a checksum counts as 8.
std::uint64_t checksum_of(std::string_view page, std::int64_t offset) {
  std::uint64_t sum = 0xB5297A4D9F84D5B5u + static_cast<std::uint64_t>(offset);
  for (std::size_t at = 0; at + kPageCheckBytes < page.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = word_at(page, at);
    if (offset == 0 && at == kReservedAt / 8 * 8) {
      constexpr int kShift = 8 * (kReservedAt % 8);
      word = (word & ~(std::uint64_t{0xff} << kShift)) | (std::uint64_t{kPageCheckBytes} << kShift);
    }
    sum = mixed(sum, word);
  }
  return sum ^ (sum >> 32);
}

bool is_header(std::string_view bytes) {
  return bytes.size() >= kHeaderBytes && bytes.starts_with(kMagic);
}
bool reserves_checksums(std::string_view header) {
  return header[kReservedAt] == kPageCheckBytes;
}

// What SQLite allocates for each open file; the real one lies behind it.
struct CheckedFile {
  sqlite3_file base;
  bool is_checked;
  const PageCheck::Below* below;
};

sqlite3_file* real(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<CheckedFile*>(file) + 1);
}
bool& is_checked(sqlite3_file* file) {
  return reinterpret_cast<CheckedFile*>(file)->is_checked;
}
const PageCheck::Below& below_of(sqlite3_vfs* vfs) {
  return *static_cast<const PageCheck::Below*>(vfs->pAppData);
}
sqlite3_vfs* base_of(sqlite3_vfs* vfs) {
  return below_of(vfs).vfs;
}

// Whether the page at that place must verify.
bool must_verify(sqlite3_file* file, sqlite3_int64 offset) {
  const auto* const checked = reinterpret_cast<CheckedFile*>(file);
  if (offset == 0) return checked->below->trust == PageCheck::Trust::nothing;
  return checked->is_checked && checked->below->trust != PageCheck::Trust::everything;
}

bool is_page(int amount, sqlite3_int64 offset) {
  return amount >= kMinPageBytes && offset % amount == 0;
}

int close(sqlite3_file* file) {
  return real(file)->pMethods->xClose(real(file));
}

int read(sqlite3_file* file, void* into, int amount, sqlite3_int64 offset) {
  const int code = real(file)->pMethods->xRead(real(file), into, amount, offset);
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) return code;
  const std::string_view bytes(static_cast<const char*>(into), static_cast<std::size_t>(amount));
  if (offset == 0 && is_header(bytes)) is_checked(file) = reserves_checksums(bytes);
  if (!is_page(amount, offset)) return code;
  if (code == SQLITE_IOERR_SHORT_READ) {
    sqlite3_int64 size = 0;
    const int sized = real(file)->pMethods->xFileSize(real(file), &size);
    // Beyond the end: SQLite knows what that means.
    if (sized != SQLITE_OK || size <= offset) return code;
  }
  const bool is_bad =
      must_verify(file, offset) && check_page(bytes, offset) == PageVerdict::damaged;
  return is_bad ? SQLITE_IOERR_DATA : code;
}

int write(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset) {
  std::string bytes(static_cast<const char*>(from), static_cast<std::size_t>(amount));
  if (offset == 0 && is_header(bytes)) is_checked(file) = reserves_checksums(bytes);
  if (is_checked(file) && is_page(amount, offset)) {
    std::uint64_t sum = checksum_of(bytes, offset);
    if constexpr (std::endian::native == std::endian::big) sum = __builtin_bswap64(sum);
    std::memcpy(bytes.data() + bytes.size() - kPageCheckBytes, &sum, kPageCheckBytes);
  }
  return real(file)->pMethods->xWrite(real(file), bytes.data(), amount, offset);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  return real(file)->pMethods->xTruncate(real(file), size);
}
int sync(sqlite3_file* file, int flags) {
  return real(file)->pMethods->xSync(real(file), flags);
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
int lock(sqlite3_file* file, int level) {
  return real(file)->pMethods->xLock(real(file), level);
}
int unlock(sqlite3_file* file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}
int check_reserved(sqlite3_file* file, int* is_reserved) {
  return real(file)->pMethods->xCheckReservedLock(real(file), is_reserved);
}
int control(sqlite3_file* file, int operation, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), operation, argument);
}
int sector_size(sqlite3_file* file) {
  return real(file)->pMethods->xSectorSize(real(file));
}
int characteristics(sqlite3_file* file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}
int shm_map(sqlite3_file* file, int region, int bytes, int extend, void volatile** memory) {
  return real(file)->pMethods->xShmMap(real(file), region, bytes, extend, memory);
}
int shm_lock(sqlite3_file* file, int first, int count, int flags) {
  return real(file)->pMethods->xShmLock(real(file), first, count, flags);
}
void shm_barrier(sqlite3_file* file) {
  real(file)->pMethods->xShmBarrier(real(file));
}
int shm_unmap(sqlite3_file* file, int remove) {
  return real(file)->pMethods->xShmUnmap(real(file), remove);
}

// Version 2: no page reaches SQLite by memory mapping, unseen by us.
constexpr sqlite3_io_methods kMethods = {2,
                                         close,
                                         read,
                                         write,
                                         truncate,
                                         sync,
                                         file_size,
                                         lock,
                                         unlock,
                                         check_reserved,
                                         control,
                                         sector_size,
                                         characteristics,
                                         shm_map,
                                         shm_lock,
                                         shm_barrier,
                                         shm_unmap,
                                         nullptr,
                                         nullptr};

int open(sqlite3_vfs* vfs, sqlite3_filename path, sqlite3_file* file, int flags, int* out_flags) {
  sqlite3_vfs* const base = base_of(vfs);
  // Log and journals are opened as the base does it, in the same memory.
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0) return base->xOpen(base, path, file, flags, out_flags);
  auto* const checked = new (file) CheckedFile{{nullptr}, false, &below_of(vfs)};
  real(file)->pMethods = nullptr;
  const int code = base->xOpen(base, path, real(file), flags, out_flags);
  if (code == SQLITE_OK) {
    checked->base.pMethods = &kMethods;
  } else if (real(file)->pMethods != nullptr) {
    real(file)->pMethods->xClose(real(file));
  }
  return code;
}

int remove(sqlite3_vfs* vfs, const char* path, int sync_directory) {
  return base_of(vfs)->xDelete(base_of(vfs), path, sync_directory);
}
int access(sqlite3_vfs* vfs, const char* path, int flags, int* answer) {
  return base_of(vfs)->xAccess(base_of(vfs), path, flags, answer);
}
int full_pathname(sqlite3_vfs* vfs, const char* path, int size, char* out) {
  return base_of(vfs)->xFullPathname(base_of(vfs), path, size, out);
}
int randomness(sqlite3_vfs* vfs, int bytes, char* out) {
  return base_of(vfs)->xRandomness(base_of(vfs), bytes, out);
}
int rest(sqlite3_vfs* vfs, int microseconds) {
  return base_of(vfs)->xSleep(base_of(vfs), microseconds);
}
int last_error(sqlite3_vfs* vfs, int size, char* out) {
  return base_of(vfs)->xGetLastError(base_of(vfs), size, out);
}
int date(sqlite3_vfs* vfs, sqlite3_int64* milliseconds) {
  return base_of(vfs)->xCurrentTimeInt64(base_of(vfs), milliseconds);
}

}  // namespace

PageVerdict check_page(std::string_view page, std::int64_t offset) {
  if (page.size() < kMinPageBytes) return PageVerdict::damaged;
  const bool is_sound = word_at(page, page.size() - kPageCheckBytes) == checksum_of(page, offset);
  if (offset != 0) return is_sound ? PageVerdict::sound : PageVerdict::damaged;
  if (reserves_checksums(page)) return is_sound ? PageVerdict::sound : PageVerdict::damaged;
  // It verifies as a page with a checksum does, but says that it has none.
  return is_sound ? PageVerdict::damaged : PageVerdict::unchecked;
}

PageCheck::PageCheck(sqlite3_vfs& base, Trust trust)
    : below_{&base, trust},
      name_(text_of("berm-page-check-%p", static_cast<const void*>(this))),
      vfs_(std::make_unique<sqlite3_vfs>()) {
  vfs_->iVersion = 2;
  vfs_->szOsFile = static_cast<int>(sizeof(CheckedFile)) + base.szOsFile;
  vfs_->mxPathname = base.mxPathname;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = &below_;
  vfs_->xOpen = open;
  vfs_->xDelete = remove;
  vfs_->xAccess = access;
  vfs_->xFullPathname = full_pathname;
  vfs_->xRandomness = randomness;
  vfs_->xSleep = rest;
  vfs_->xGetLastError = last_error;
  vfs_->xCurrentTimeInt64 = date;
}

Result<std::unique_ptr<PageCheck>> PageCheck::over(const std::string& base, Trust trust) {
  sqlite3_vfs* const below = sqlite3_vfs_find(base.empty() ? nullptr : base.c_str());
  if (below == nullptr) return fail(ErrorCode::invalid, "outbox: no SQLite VFS " + base);
  std::unique_ptr<PageCheck> made(new PageCheck(*below, trust));
  if (sqlite3_vfs_register(made->vfs_.get(), 0) != SQLITE_OK) {
    return fail(ErrorCode::io, "outbox: SQLite takes no VFS");
  }
  return made;
}

PageCheck::~PageCheck() {
  sqlite3_vfs_unregister(vfs_.get());
}

}  // namespace berm::outbox
