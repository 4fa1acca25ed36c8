// Opening and placing files without following where a program's links lead.
#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
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

int enpire_move_new(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE); }

int enpire_contains(const void *bytes, size_t count, const void *wanted, size_t length) { return memmem(bytes, count, wanted, length) != 0; }
