#pragma once
#include <stdint.h>
#include <sys/types.h>

// Starts a program (found by PATH of the caller) in a process group of its own, that is killed when this process dies.
// Standard input is /dev/null; `output` becomes standard output and error; the `count` (up to 8) descriptors `given` become 3, 4, …,
// where a negative one stays closed; no other is passed on. Returns the process id, or the negated errno; does not wait until the program
// is loaded. `descriptor` becomes readable when the process ends.
struct enpire_launch;
pid_t enpire_spawn(char *const argv[], char *const envp[], const char *directory, int output, const int *given, int count, int *descriptor,
                   struct enpire_launch **launch);

// Waits until the program is loaded, forgets the launch, and returns 0, or the errno for which the process has ended without running it.
int enpire_launched(struct enpire_launch *launch);

// A descriptor that becomes readable when the process ends, or the negated errno.
int enpire_pidfd(pid_t pid);

// Signals the process that the descriptor means, whoever has its number now. Returns 0 or the negated errno.
int enpire_pidfd_signal(int descriptor, int number);

// From now on orphans among the descendants become children of this process.
int enpire_adopt_orphans(void);

// From now on this thread, when it has something to do, goes before others that run on its processor: it asks for short turns (Linux 6.12;
// before, nothing happens). What it starts does not inherit that.
void enpire_take_short_turns(void);

// A descriptor from which SIGINT, SIGTERM and SIGHUP are read instead of being delivered.
int enpire_signalfd(void);

// An epoll descriptor; `token` says which of the watched ones became readable. `wait` takes up to 64 of them, -1 milliseconds for ever.
int enpire_events(void);
int enpire_events_watch(int events, int descriptor, uint64_t token);
int enpire_events_forget(int events, int descriptor);
int enpire_events_wait(int events, uint64_t *tokens, int count, int milliseconds);

// GNU functions that Swift's Glibc module does not show.
int enpire_pipe(int ends[2]);
ssize_t enpire_copy_range(int from, int to, size_t count);
int enpire_syncfs(int descriptor);
// The kind of file system that a path lies on, as statfs says; 0 if it says nothing.
unsigned long enpire_filesystem(const char *path);
int enpire_exchange(const char *one, const char *other);

// Opens a file or directory below a directory for reading, following no link on the way. Returns the descriptor or the negated errno.
int enpire_open_beneath(const char *directory, const char *path);
// How many entries a directory has, and its mode; -1 if it cannot be told. A link to one is none.
int enpire_entries(const char *path, unsigned *mode);
// Renames, unless something has the new name already.
int enpire_move_new(const char *from, const char *to);
// Whether bytes hold others; memmem is GNU's too.
int enpire_contains(const void *bytes, size_t count, const void *wanted, size_t length);

// What OPENBLAS_CORETYPE should say here, or NULL. An OpenBLAS that does not know a processor's model, as Debian's does not know the newer ones,
// takes its loops of 2004 for it; this goes by what the processor can do.
const char *enpire_openblas_core(void);
