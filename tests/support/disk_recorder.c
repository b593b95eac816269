// SPDX-License-Identifier: Apache-2.0
// LD_PRELOAD: writes down, in their one true order, the calls by which a program changes what is
// under BERM_RECORD_UNDER: open, write, truncate, sync, rename, unlink, mkdir, close. The log is
// the file BERM_RECORD_LOG (appended to, so that several runs make one story);
// tests/system/power_cut_replay.py reads it and builds what a power cut could have left. One lock
// around call and record: the order in the log is the order on the disk. A record is
//   kind (1), fd (i32), number (i64), name length (u32), data length (u32), name, data
// all little-endian; `number` is an offset, a size or the flags of open. Not seen: mmap, dup,
// descriptors that come from elsewhere. Programs with more than kMaxFds descriptors stop here.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { kMaxFds = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static const char* under;
static char is_watched[kMaxFds];

#define REAL(result, name, ...)                            \
  static result (*real)(__VA_ARGS__);                      \
  if (real == NULL) {                                      \
    real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name); \
  }

static void record(char kind, int fd, int64_t number, const char* name, size_t name_size,
                   const void* data, size_t data_size) {
  char head[1 + 4 + 8 + 4 + 4];
  int32_t fd32 = fd;
  uint32_t sizes[2] = {(uint32_t)name_size, (uint32_t)data_size};
  head[0] = kind;
  memcpy(head + 1, &fd32, 4);
  memcpy(head + 5, &number, 8);
  memcpy(head + 13, sizes, 8);
  struct iovec parts[3] = {{head, sizeof head},
                           {(void*)(uintptr_t)name, name_size},
                           {(void*)(uintptr_t)data, data_size}};
  ssize_t whole = (ssize_t)(sizeof head + name_size + data_size);
  if (writev(log_fd, parts, 3) != whole) abort();  // half a record makes the whole log worthless
}

static void begin(void) {
  if (under != NULL) return;
  const char* path = getenv("BERM_RECORD_LOG");
  under = getenv("BERM_RECORD_UNDER");
  if (path == NULL || under == NULL) abort();
  int (*real_open)(const char*, int, ...) =
      (int (*)(const char*, int, ...))dlsym(RTLD_NEXT, "open");
  log_fd = real_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log_fd < 0) abort();
  record('S', -1, getpid(), NULL, 0, NULL, 0);
}

static int is_ours(const char* path) {
  return path[0] == '/' && strncmp(path, under, strlen(under)) == 0;
}

static int is_watched_fd(int fd) {
  return fd >= 0 && fd < kMaxFds && is_watched[fd];
}

static void enter(void) {
  pthread_mutex_lock(&lock);
  begin();
}

static void leave(void) {
  int kept = errno;
  pthread_mutex_unlock(&lock);
  errno = kept;
}

static int opened(int fd, const char* path, int flags) {
  if (fd >= kMaxFds) abort();
  if (fd >= 0 && is_ours(path)) {
    is_watched[fd] = 1;
    record('O', fd, flags, path, strlen(path), NULL, 0);
  }
  leave();
  return fd;
}

static mode_t mode_of(int flags, va_list rest) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

int open(const char* path, int flags, ...) {
  REAL(int, "open", const char*, int, ...)
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_of(flags, rest);
  va_end(rest);
  enter();
  return opened(real(path, flags, mode), path, flags);
}

int open64(const char* path, int flags, ...) {
  REAL(int, "open64", const char*, int, ...)
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_of(flags, rest);
  va_end(rest);
  enter();
  return opened(real(path, flags, mode), path, flags);
}

int close(int fd) {
  REAL(int, "close", int)
  enter();
  if (is_watched_fd(fd)) {
    is_watched[fd] = 0;
    record('C', fd, 0, NULL, 0, NULL, 0);
  }
  int result = real(fd);
  leave();
  return result;
}

static ssize_t wrote(int fd, int64_t offset, const void* data, ssize_t count) {
  if (count > 0 && is_watched_fd(fd)) record('W', fd, offset, NULL, 0, data, (size_t)count);
  leave();
  return count;
}

ssize_t write(int fd, const void* data, size_t size) {
  REAL(ssize_t, "write", int, const void*, size_t)
  if (!is_watched_fd(fd)) return real(fd, data, size);
  enter();
  ssize_t count = real(fd, data, size);
  // With O_APPEND too the position is now behind what was written.
  return wrote(fd, lseek(fd, 0, SEEK_CUR) - (count > 0 ? count : 0), data, count);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  REAL(ssize_t, "pwrite", int, const void*, size_t, off_t)
  enter();
  return wrote(fd, offset, data, real(fd, data, size, offset));
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  REAL(ssize_t, "pwrite64", int, const void*, size_t, off64_t)
  enter();
  return wrote(fd, offset, data, real(fd, data, size, offset));
}

// Everything that has a number and no bytes.
static int numbered(char kind, int fd, int64_t number, int result) {
  if (result == 0 && is_watched_fd(fd)) record(kind, fd, number, NULL, 0, NULL, 0);
  leave();
  return result;
}

int ftruncate(int fd, off_t size) {
  REAL(int, "ftruncate", int, off_t)
  enter();
  return numbered('T', fd, size, real(fd, size));
}

int ftruncate64(int fd, off64_t size) {
  REAL(int, "ftruncate64", int, off64_t)
  enter();
  return numbered('T', fd, size, real(fd, size));
}

int fsync(int fd) {
  REAL(int, "fsync", int)
  enter();
  return numbered('F', fd, 0, real(fd));
}

int fdatasync(int fd) {
  REAL(int, "fdatasync", int)
  enter();
  return numbered('F', fd, 0, real(fd));
}

static int named(char kind, const char* path, int result) {
  if (result == 0 && is_ours(path)) record(kind, -1, 0, path, strlen(path), NULL, 0);
  leave();
  return result;
}

int unlink(const char* path) {
  REAL(int, "unlink", const char*)
  enter();
  return named('U', path, real(path));
}

int mkdir(const char* path, mode_t mode) {
  REAL(int, "mkdir", const char*, mode_t)
  enter();
  return named('M', path, real(path, mode));
}

int rename(const char* from, const char* to) {
  REAL(int, "rename", const char*, const char*)
  enter();
  int result = real(from, to);
  if (result == 0 && is_ours(to)) record('R', -1, 0, from, strlen(from), to, strlen(to));
  leave();
  return result;
}
