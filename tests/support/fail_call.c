// SPDX-License-Identifier: Apache-2.0
// LD_PRELOAD: the N-th call of one kind fails. For tests of the real program on a disk and a
// network that fail.
//   BERM_FAIL_UNDER  file calls count only for paths that begin so
//   BERM_FAIL_CALL   write pwrite fsync fdatasync open ftruncate rename unlink mkdir, or
//                    send (on a TCP socket), answer (on a local socket); one kind per run
//   BERM_FAIL_AT     1 is the first; 0: none fails, only the counts are kept
//   BERM_FAIL_WITH   EIO ENOSPC EINTR ECONNRESET, or SHORT: half of the bytes are taken
//   BERM_FAIL_UNTIL  a file: from the N-th on every call fails until it exists; not set: once
//   BERM_FAIL_COUNTS a file of one int64 per kind, in the order above, and one more: how many
//                    calls were failed; mapped, so that it survives any end of the program
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum Call {
  kWrite,
  kPwrite,
  kFsync,
  kFdatasync,
  kOpen,
  kFtruncate,
  kRename,
  kUnlink,
  kMkdir,
  kSend,
  kAnswer,
  kCalls
};
static const char* const kNames[kCalls] = {"write", "pwrite",    "fsync",  "fdatasync",
                                           "open",  "ftruncate", "rename", "unlink",
                                           "mkdir", "send",      "answer"};
enum { kShort = -1, kMaxFds = 4096 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *under, *until;
static enum Call chosen = kCalls;
static int64_t fail_at;
static int fail_with;
static int64_t* counts;
static int64_t fallback[kCalls + 1];
static char is_ours_fd[kMaxFds];

#define REAL(result, name, ...) \
  result (*real)(__VA_ARGS__) = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static int error_named(const char* name) {
  static const struct {
    const char* name;
    int number;
  } kErrors[] = {{"EIO", EIO},
                 {"ENOSPC", ENOSPC},
                 {"EINTR", EINTR},
                 {"ECONNRESET", ECONNRESET},
                 {"SHORT", kShort}};
  for (size_t i = 0; i < sizeof kErrors / sizeof kErrors[0]; ++i) {
    if (strcmp(name, kErrors[i].name) == 0) return kErrors[i].number;
  }
  abort();
}

static void map_counts(const char* path) {
  REAL(int, "open", const char*, int, ...);
  counts = fallback;
  if (path == NULL) return;
  int fd = real(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || syscall(SYS_ftruncate, fd, sizeof fallback) != 0) abort();
  counts = mmap(NULL, sizeof fallback, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (counts == MAP_FAILED) abort();
}

static void begin(void) {
  under = getenv("BERM_FAIL_UNDER");
  until = getenv("BERM_FAIL_UNTIL");
  const char* call = getenv("BERM_FAIL_CALL");
  const char* at = getenv("BERM_FAIL_AT");
  if (under == NULL || call == NULL || at == NULL) abort();
  fail_at = atol(at);
  fail_with = fail_at > 0 ? error_named(getenv("BERM_FAIL_WITH")) : 0;
  for (int i = 0; i < kCalls; ++i) {
    if (strcmp(call, kNames[i]) == 0) chosen = (enum Call)i;
  }
  map_counts(getenv("BERM_FAIL_COUNTS"));
}

// 0: this call goes its way; otherwise how it fails.
static int fault(enum Call call) {
  int64_t number = __atomic_add_fetch(&counts[call], 1, __ATOMIC_RELAXED);
  if (call != chosen || fail_at == 0 || number < fail_at) return 0;
  if (until == NULL && number > fail_at) return 0;
  if (until != NULL && access(until, F_OK) == 0) return 0;
  __atomic_add_fetch(&counts[kCalls], 1, __ATOMIC_RELAXED);
  return fail_with;
}

static int path_fault(enum Call call, const char* path) {
  pthread_once(&once, begin);
  return strncmp(path, under, strlen(under)) == 0 ? fault(call) : 0;
}

static int fd_fault(enum Call call, int fd) {
  pthread_once(&once, begin);
  return fd >= 0 && fd < kMaxFds && is_ours_fd[fd] ? fault(call) : 0;
}

static int socket_fault(int fd) {
  pthread_once(&once, begin);
  struct sockaddr_storage name;
  socklen_t size = sizeof name;
  if (getsockname(fd, (struct sockaddr*)&name, &size) != 0) return 0;
  if (name.ss_family == AF_UNIX) return fault(kAnswer);
  return name.ss_family == AF_INET ? fault(kSend) : 0;
}

static int failed(int how) {
  errno = how == kShort ? EIO : how;
  return -1;
}

static size_t shorter(size_t size) {
  return size > 1 ? size / 2 : size;
}

static mode_t mode_of(int flags, va_list rest) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

static int note_open(int fd, const char* path) {
  if (fd >= 0 && fd < kMaxFds) is_ours_fd[fd] = strncmp(path, under, strlen(under)) == 0;
  return fd;
}

int open(const char* path, int flags, ...) {
  REAL(int, "open", const char*, int, ...);
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_of(flags, rest);
  va_end(rest);
  int how = path_fault(kOpen, path);
  return how != 0 ? failed(how) : note_open(real(path, flags, mode), path);
}

int open64(const char* path, int flags, ...) {
  REAL(int, "open64", const char*, int, ...);
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_of(flags, rest);
  va_end(rest);
  int how = path_fault(kOpen, path);
  return how != 0 ? failed(how) : note_open(real(path, flags, mode), path);
}

int close(int fd) {
  REAL(int, "close", int);
  if (fd >= 0 && fd < kMaxFds) is_ours_fd[fd] = 0;
  return real(fd);
}

ssize_t write(int fd, const void* data, size_t size) {
  REAL(ssize_t, "write", int, const void*, size_t);
  int how = fd_fault(kWrite, fd);
  if (how > 0) return failed(how);
  return real(fd, data, how == kShort ? shorter(size) : size);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  REAL(ssize_t, "pwrite", int, const void*, size_t, off_t);
  int how = fd_fault(kPwrite, fd);
  if (how > 0) return failed(how);
  return real(fd, data, how == kShort ? shorter(size) : size, offset);
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  return pwrite(fd, data, size, offset);
}

int fsync(int fd) {
  REAL(int, "fsync", int);
  int how = fd_fault(kFsync, fd);
  return how != 0 ? failed(how) : real(fd);
}

int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  int how = fd_fault(kFdatasync, fd);
  return how != 0 ? failed(how) : real(fd);
}

int ftruncate(int fd, off_t size) {
  REAL(int, "ftruncate", int, off_t);
  int how = fd_fault(kFtruncate, fd);
  return how != 0 ? failed(how) : real(fd, size);
}

int ftruncate64(int fd, off64_t size) {
  return ftruncate(fd, size);
}

int rename(const char* from, const char* to) {
  REAL(int, "rename", const char*, const char*);
  int how = path_fault(kRename, to);
  return how != 0 ? failed(how) : real(from, to);
}

int unlink(const char* path) {
  REAL(int, "unlink", const char*);
  int how = path_fault(kUnlink, path);
  return how != 0 ? failed(how) : real(path);
}

int mkdir(const char* path, mode_t mode) {
  REAL(int, "mkdir", const char*, mode_t);
  int how = path_fault(kMkdir, path);
  return how != 0 ? failed(how) : real(path, mode);
}

ssize_t send(int fd, const void* data, size_t size, int flags) {
  REAL(ssize_t, "send", int, const void*, size_t, int);
  int how = socket_fault(fd);
  if (how > 0) return failed(how);
  return real(fd, data, how == kShort ? shorter(size) : size, flags);
}
