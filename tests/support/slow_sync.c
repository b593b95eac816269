// SPDX-License-Identifier: Apache-2.0
// LD_PRELOAD: every fsync and fdatasync takes as long as the file named by BERM_SLOW_SYNC_FILE
// says, in milliseconds (a missing or empty file: no delay). For tests of the real program on a
// card that stalls.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void stall(void) {
  const char* path = getenv("BERM_SLOW_SYNC_FILE");
  if (path == NULL) return;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  char text[16] = {0};
  ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  long ms = size > 0 ? atol(text) : 0;
  struct timespec wait = {ms / 1000, (ms % 1000) * 1000000L};
  if (ms > 0) nanosleep(&wait, NULL);
}

int fsync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  stall();
  return real(fd);
}

int fdatasync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  stall();
  return real(fd);
}
