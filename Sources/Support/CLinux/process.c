// Starting processes with what posix_spawn lacks: a death signal from the parent. Between vfork and exec only system calls are made.
#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t enpire_spawn(char *const argv[], char *const envp[], const char *directory, int output, int progress) {
  sigset_t all, old;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &old);
  volatile int failure = 0;
  pid_t pid = vfork();
  if (pid == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) goto fail;
    // dup2 onto itself would keep close-on-exec.
    if (progress == 3 ? fcntl(3, F_SETFD, 0) < 0 : progress >= 0 ? dup2(progress, 3) < 0 : 0) goto fail;
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

int enpire_signalfd(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  sigprocmask(SIG_BLOCK, &set, 0);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int enpire_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
ssize_t enpire_copy_range(int from, int to, size_t count) { return copy_file_range(from, 0, to, 0, count, 0); }
int enpire_syncfs(int descriptor) { return syncfs(descriptor); }
int enpire_exchange(const char *one, const char *other) { return renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE); }
