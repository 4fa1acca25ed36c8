// Starting processes with what posix_spawn lacks: a death signal from the parent, and no waiting for the program to be loaded. Until then the
// child shares this process's memory, errno included, so it makes bare system calls and nothing else.
#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { given_most = 8, stack_size = 16384 };

// All that the child reads: it has to stay until the child runs its program or has ended.
struct enpire_launch {
  int loading;  // cleared by the kernel when the child no longer uses this memory
  int failure;  // an errno
  pid_t parent;
  int null, output, count;
  int given[given_most];
  char *path, *directory, **arguments, **environment;  // before the arguments one place for a shell
  char stack[stack_size] __attribute__((aligned(16)));
};

#if defined(__x86_64__)
#define HAS_BARE_CALLS 1
static inline long bare(long number, long a, long b, long c, long d) {
  register long r10 __asm__("r10") = d;
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
#define HAS_BARE_CALLS 1
static inline long bare(long number, long a, long b, long c, long d) {
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
#else
#define HAS_BARE_CALLS 0
// The parent waits, so that its errno may be written.
static long bare(long number, long a, long b, long c, long d) {
  long result = syscall(number, a, b, c, d);
  return result < 0 ? -errno : result;
}
#endif

// As dup2, but a descriptor that is in its place already is passed on too.
static long become(int from, int to) {
  return from == to ? bare(SYS_fcntl, from, F_SETFD, 0, 0) : bare(SYS_dup3, from, to, 0, 0);
}

static int run(void *argument) {
  struct enpire_launch *launch = argument;
  long result;
  bare(SYS_setpgid, 0, 0, 0, 0);
  bare(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
  // The parent may have died before that took effect.
  if (bare(SYS_getppid, 0, 0, 0, 0) != launch->parent) goto end;
  int count = launch->count;
  // Out of the way of one another first; then 3, 4, … without close-on-exec; all others are closed by exec.
  int null = (int)(result = bare(SYS_fcntl, launch->null, F_DUPFD_CLOEXEC, 3 + count, 0));
  if (result < 0) goto fail;
  int output = (int)(result = bare(SYS_fcntl, launch->output, F_DUPFD_CLOEXEC, 3 + count, 0));
  if (result < 0) goto fail;
  for (int i = 0; i < count; i++) {
    if (launch->given[i] < 0) continue;
    launch->given[i] = (int)(result = bare(SYS_fcntl, launch->given[i], F_DUPFD_CLOEXEC, 3 + count, 0));
    if (result < 0) goto fail;
  }
  if ((result = become(null, 0)) < 0 || (result = become(output, 1)) < 0 || (result = become(output, 2)) < 0) goto fail;
  for (int i = 0; i < count; i++) {
    if (launch->given[i] < 0) bare(SYS_close, 3 + i, 0, 0, 0);
    else if ((result = become(launch->given[i], 3 + i)) < 0) goto fail;
  }
  bare(SYS_close_range, 3 + count, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */, 0);
  if (launch->directory && (result = bare(SYS_chdir, (long)launch->directory, 0, 0, 0)) < 0) goto fail;
  unsigned long none = 0;
  bare(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, 8);
  result = bare(SYS_execve, (long)launch->path, (long)launch->arguments, (long)launch->environment, 0);
  if (result == -ENOEXEC) {  // a script without a first line
    char **shell = launch->arguments - 1;
    shell[0] = "/bin/sh";
    shell[1] = launch->path;
    result = bare(SYS_execve, (long)shell[0], (long)shell, (long)launch->environment, 0);
  }
fail:
  launch->failure = (int)-result;
end:
  bare(SYS_exit, 127, 0, 0, 0);
  __builtin_unreachable();
}

// The file that a program's name means, as execvpe finds it; 0, or an errno.
static int find(const char *name, char found[PATH_MAX]) {
  if (strchr(name, '/') || !*name) return snprintf(found, PATH_MAX, "%s", name) < PATH_MAX ? 0 : ENAMETOOLONG;
  // Mostly it is the one that was found last.
  static _Thread_local char last[PATH_MAX];
  const char *base = strrchr(last, '/');
  if (base && strcmp(base + 1, name) == 0 && access(last, X_OK) == 0) return strcpy(found, last), 0;
  const char *next = getenv("PATH");
  if (!next) next = "/bin:/usr/bin";
  int problem = ENOENT;
  while (1) {
    const char *end = strchrnul(next, ':');
    int length = snprintf(found, PATH_MAX, "%.*s%s%s", (int)(end - next), next, end == next ? "" : "/", name);
    struct stat status;
    if (length < PATH_MAX && stat(found, &status) == 0) {
      if (S_ISREG(status.st_mode) && access(found, X_OK) == 0) return strcpy(last, found), 0;
      problem = EACCES;
    }
    if (!*end) return problem;
    next = end + 1;
  }
}

static size_t size_of(char *const strings[]) {
  size_t size = 2 * sizeof(char *);
  for (; *strings; strings++) size += sizeof(char *) + strlen(*strings) + 1;
  return size;
}

// Copies a list, leaving a place before it.
static char **copy(char *const strings[], char **next) {
  size_t count = 0;
  while (strings[count]) count++;
  char **list = (char **)*next + 1, *text = (char *)(list + count + 1);
  for (size_t i = 0; i < count; i++) {
    list[i] = text;
    text = stpcpy(text, strings[i]) + 1;
  }
  list[count] = 0;
  *next = text + (-(size_t)text & (sizeof(char *) - 1));
  return list;
}

pid_t enpire_spawn(char *const argv[], char *const envp[], const char *directory, int output, const int *given, int count, int *descriptor,
                   struct enpire_launch **launched) {
  static int null = -1;
  if (null < 0 && (null = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0) return -errno;
  char path[PATH_MAX];
  int problem = find(argv[0], path);
  if (problem) return -problem;
  size_t strings = size_of(argv) + size_of(envp) + strlen(path) + (directory ? strlen(directory) : 0) + 64;
  struct enpire_launch *launch;
  if (posix_memalign((void **)&launch, 64, sizeof *launch + strings)) return -ENOMEM;
  launch->loading = 1;
  launch->failure = 0;
  launch->parent = getpid();
  launch->null = null;
  launch->output = output;
  launch->count = count < given_most ? count : given_most;
  memcpy(launch->given, given, sizeof(int) * (size_t)launch->count);
  char *next = (char *)(launch + 1);
  launch->arguments = copy(argv, &next);
  launch->environment = copy(envp, &next);
  launch->path = next;
  next = stpcpy(next, path) + 1;
  launch->directory = directory ? strcpy(next, directory) : 0;
  sigset_t all, old;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &old);
  int flags = CLONE_VM | CLONE_PIDFD | CLONE_CHILD_CLEARTID | (HAS_BARE_CALLS ? 0 : CLONE_VFORK) | SIGCHLD;
  pid_t pid = clone(run, launch->stack + stack_size, flags, launch, descriptor, 0, &launch->loading);
  int error = errno;
  sigprocmask(SIG_SETMASK, &old, 0);
  if (pid < 0) {
    free(launch);
    return -error;
  }
  // Whoever of the two comes first: from now on its group can be signalled.
  setpgid(pid, pid);
  *launched = launch;
  return pid;
}

int enpire_launched(struct enpire_launch *launch) {
  int loading;
  while ((loading = __atomic_load_n(&launch->loading, __ATOMIC_ACQUIRE))) syscall(SYS_futex, &launch->loading, FUTEX_WAIT, loading, 0);
  int failure = launch->failure;
  free(launch);
  return failure;
}

int enpire_pidfd(pid_t pid) {
  int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
  return descriptor < 0 ? -errno : descriptor;
}

int enpire_pidfd_signal(int descriptor, int number) {
  return syscall(SYS_pidfd_send_signal, descriptor, number, 0, 0) < 0 ? -errno : 0;
}

void enpire_take_short_turns(void) {
  struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t runtime, deadline, period; } attributes;
  enum { reset_on_fork = 1, shortest = 100000 };  // nanoseconds
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  // Resetting would take an urgency from what it starts that somebody gave on purpose.
  if (attributes.policy != SCHED_OTHER || attributes.nice < 0) return;
  attributes.flags |= reset_on_fork;
  attributes.runtime = shortest;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

int enpire_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
