// Starting processes with what posix_spawn lacks: a death signal from the parent. Between vfork and exec only system calls are made.
#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t enpire_spawn(char *const argv[], char *const envp[], const char *directory, int output, const int *given, int count) {
  sigset_t all, old;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &old);
  volatile int failure = 0;
  pid_t parent = getpid(), pid = vfork();
  if (pid == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The parent may have died before that took effect.
    if (getppid() != parent) _exit(127);
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) goto fail;
    // Out of the way of one another first; then 3, 4, … without close-on-exec; all others are closed by exec.
    int moved[8];
    for (int i = 0; i < count && i < 8; i++) {
      moved[i] = given[i] < 0 ? -1 : fcntl(given[i], F_DUPFD, 3 + count);
      if (given[i] >= 0 && moved[i] < 0) goto fail;
    }
    for (int i = 0; i < count && i < 8; i++) {
      if (moved[i] >= 0 ? dup2(moved[i], 3 + i) < 0 : (close(3 + i), 0)) goto fail;
    }
    syscall(SYS_close_range, 3 + count, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
    if (directory && chdir(directory) < 0) goto fail;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, 0);
    execvpe(argv[0], argv, envp);
  fail:
    failure = errno;
    _exit(127);
  }
  int error = errno;
  sigprocmask(SIG_SETMASK, &old, 0);
  if (pid < 0) return -error;
  if (failure) {
    int status;
    while (syscall(SYS_wait4, pid, &status, 0, 0) < 0 && errno == EINTR) {}
    return -failure;
  }
  return pid;
}

int enpire_pidfd(pid_t pid) {
  int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
  return descriptor < 0 ? -errno : descriptor;
}

int enpire_pidfd_signal(int descriptor, int number) {
  return syscall(SYS_pidfd_send_signal, descriptor, number, 0, 0) < 0 ? -errno : 0;
}

int enpire_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
