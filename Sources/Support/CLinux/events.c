// Waiting for many descriptors at once, signals among them.
#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

int enpire_signalfd(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  // Whoever reads what a run says may go; the run goes on.
  sigset_t blocked = set;
  sigaddset(&blocked, SIGPIPE);
  sigprocmask(SIG_BLOCK, &blocked, 0);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int enpire_events(void) { return epoll_create1(EPOLL_CLOEXEC); }

int enpire_events_watch(int events, int descriptor, uint64_t token) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = token}};
  return epoll_ctl(events, EPOLL_CTL_ADD, descriptor, &event);
}

int enpire_events_forget(int events, int descriptor) { return epoll_ctl(events, EPOLL_CTL_DEL, descriptor, 0); }

int enpire_events_wait(int events, uint64_t *tokens, int count, int milliseconds) {
  struct epoll_event ready[64];
  int found = epoll_wait(events, ready, count < 64 ? count : 64, milliseconds);
  for (int i = 0; i < found; i++) tokens[i] = ready[i].data.u64;
  return found;
}
