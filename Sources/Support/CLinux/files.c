// GNU functions that Swift's Glibc module does not show.
#define _GNU_SOURCE
#include "CLinux.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int enpire_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
ssize_t enpire_copy_range(int from, int to, size_t count) { return copy_file_range(from, 0, to, 0, count, 0); }
int enpire_syncfs(int descriptor) { return syncfs(descriptor); }
int enpire_exchange(const char *one, const char *other) { return renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE); }
