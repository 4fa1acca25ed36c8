// Opening and placing files without following where a program's links lead.
#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int enpire_open_beneath(const char *directory, const char *path) {
  int base = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (base < 0) return -errno;
  struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
  int descriptor = (int)syscall(SYS_openat2, base, path, &how, sizeof how);
  int error = errno;
  close(base);
  return descriptor < 0 ? -error : descriptor;
}

int enpire_entries(const char *path, unsigned *mode) {
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory < 0) return -1;
  struct stat status;
  char buffer[4096] __attribute__((aligned(8)));
  long read = -1, count = -2;  // . and ..
  if (fstat(directory, &status) == 0) {
    *mode = status.st_mode;
    while ((read = syscall(SYS_getdents64, directory, buffer, sizeof buffer)) > 0) {
      // Each entry begins with 16 bytes of other things and its length.
      for (long at = 0; at < read; at += *(unsigned short *)(buffer + at + 16)) count++;
    }
  }
  close(directory);
  return read < 0 ? -1 : (int)count;
}

int enpire_move_new(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE); }

int enpire_contains(const void *bytes, size_t count, const void *wanted, size_t length) { return memmem(bytes, count, wanted, length) != 0; }
