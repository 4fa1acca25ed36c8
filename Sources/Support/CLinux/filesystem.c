// What Swift's headers lack of file systems.
#include "CLinux.h"
#include <sys/vfs.h>

unsigned long enpire_filesystem(const char *path) {
  struct statfs system;
  return statfs(path, &system) == 0 ? (unsigned long)system.f_type & 0xFFFFFFFF : 0;
}
