#pragma once
#include <sys/types.h>

// Starts a program (found by PATH of the caller) in a process group of its own, that is killed when this process dies.
// Standard input is /dev/null; `output` becomes standard output and error; `progress` (or -1) becomes descriptor 3.
// Returns the process id, or the negated errno.
pid_t enpire_spawn(char *const argv[], char *const envp[], const char *directory, int output, int progress);

// A descriptor that becomes readable when the process ends, or the negated errno.
int enpire_pidfd(pid_t pid);

// A descriptor from which SIGINT, SIGTERM and SIGHUP are read instead of being delivered.
int enpire_signalfd(void);

// GNU functions that Swift's Glibc module does not show.
int enpire_pipe(int ends[2]);
ssize_t enpire_copy_range(int from, int to, size_t count);
int enpire_syncfs(int descriptor);
int enpire_exchange(const char *one, const char *other);
