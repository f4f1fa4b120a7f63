#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <malloc.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

int clinux_pidfd_open(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int clinux_pidfd_send_signal(int pidfd, int signal) {
  return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, (void *)0, 0);
}

int clinux_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

int clinux_is_subreaper(void) {
  int value = 0;
  return prctl(PR_GET_CHILD_SUBREAPER, &value, 0, 0, 0) == 0 && value;
}

int clinux_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); }

int clinux_signal_with_parent(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }

int clinux_fork(void) { return fork(); }

int clinux_memory_file(void) { return memfd_create("dagrun", MFD_CLOEXEC); }

int clinux_lower_limit(enum clinux_limit limit, unsigned long long most) {
  static const __rlimit_resource_t resources[] = {RLIMIT_AS, RLIMIT_NPROC, RLIMIT_FSIZE, RLIMIT_CORE};
  struct rlimit now;
  if (getrlimit(resources[limit], &now) != 0) return -1;
  if (now.rlim_max == RLIM_INFINITY || now.rlim_max > most) now.rlim_max = most;
  if (now.rlim_cur == RLIM_INFINITY || now.rlim_cur > now.rlim_max) now.rlim_cur = now.rlim_max;
  return setrlimit(resources[limit], &now);
}

int clinux_rename_to_new(const char *from, const char *to) {
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

int clinux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int clinux_accept(int socket) { return accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int clinux_epoll_add(int epoll, int fd, unsigned long long token) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = token}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int clinux_epoll_modify(int epoll, int fd, unsigned long long token, int wants_write) {
  struct epoll_event event = {.events = EPOLLIN | (wants_write ? EPOLLOUT : 0), .data = {.u64 = token}};
  return epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}

int clinux_epoll_remove(int epoll, int fd) { return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL); }

int clinux_epoll_wait(int epoll, unsigned long long *tokens, unsigned char *writable, int count, int milliseconds) {
  struct epoll_event events[64];
  if (count > 64) count = 64;
  int ready = epoll_wait(epoll, events, count, milliseconds);
  for (int i = 0; i < ready; i++) {
    tokens[i] = events[i].data.u64;
    writable[i] = (events[i].events & EPOLLOUT) != 0;
  }
  return ready;
}

static int signal_pipe = -1;

static void write_signal(int number) {
  int before = errno;
  unsigned char byte = (unsigned char)number;
  // A pipe that is full holds thousands that nobody has read.
  (void)!write(signal_pipe, &byte, 1);
  errno = before;
}

int clinux_signals_to_pipe(const int *signals, int count) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
  signal_pipe = ends[1];
  struct sigaction action = {.sa_handler = write_signal, .sa_flags = SA_RESTART};
  // A handler that another one interrupts would write its byte after that one's.
  sigfillset(&action.sa_mask);
  for (int i = 0; i < count; i++) {
    if (sigaction(signals[i], &action, NULL) != 0) return -1;
  }
  return ends[0];
}

int clinux_last_signal(void) { return SIGRTMAX; }

void clinux_line_buffer_stdout(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

static int flush(FILE *stream) {
  int result = fflush(stream) != 0 ? errno : ferror(stream) ? 0 : -1;
  clearerr(stream);
  return result;
}

int clinux_flush_streams(void) {
  int output = flush(stdout), errors = flush(stderr);
  fflush(NULL);
  return output > errors ? output : errors;
}

static void call_back(int code, void *callback) { ((void (*)(int))callback)(code); }

int clinux_on_exit(void (*callback)(int code)) { return on_exit(call_back, (void *)callback); }

int clinux_wifexited(int status) { return WIFEXITED(status); }
int clinux_wexitstatus(int status) { return WEXITSTATUS(status); }
int clinux_wifsignaled(int status) { return WIFSIGNALED(status); }
int clinux_wtermsig(int status) { return WTERMSIG(status); }
const char *clinux_signal_name(int signal) { return sigabbrev_np(signal); }

static int add_descriptors(const struct clinux_spawn_request *request, posix_spawn_file_actions_t *actions) {
  int next = 3;  // the first descriptor that is neither standard nor mapped
  for (int i = 0; i < request->fd_count; i++) {
    int target = request->target_fds[i];
    int error = posix_spawn_file_actions_adddup2(actions, request->source_fds[i], target);
    if (error) return error;
    for (; next < target; next++) {
      error = posix_spawn_file_actions_addclose(actions, next);
      if (error) return error;
    }
    if (target >= next) next = target + 1;
  }
  return posix_spawn_file_actions_addclosefrom_np(actions, next);
}

static int set_attributes(const struct clinux_spawn_request *request, posix_spawnattr_t *attributes) {
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  int error = posix_spawnattr_setsigmask(attributes, &none);
  if (!error) error = posix_spawnattr_setsigdefault(attributes, &all);
  if (request->group == CLINUX_GROUP_SESSION) flags |= POSIX_SPAWN_SETSID;
  if (request->group == CLINUX_GROUP_OWN) {
    flags |= POSIX_SPAWN_SETPGROUP;
    if (!error) error = posix_spawnattr_setpgroup(attributes, 0);
  }
  return error ? error : posix_spawnattr_setflags(attributes, flags);
}

int clinux_spawn(const struct clinux_spawn_request *request, int *pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int error = posix_spawn_file_actions_init(&actions);
  if (error) return error;
  error = posix_spawnattr_init(&attributes);
  if (error) {
    posix_spawn_file_actions_destroy(&actions);
    return error;
  }
  error = set_attributes(request, &attributes);
  // The working directory comes last, so that a relative path of a descriptor is never meant by it.
  if (!error) error = add_descriptors(request, &actions);
  if (!error && request->working_directory)
    error = posix_spawn_file_actions_addchdir_np(&actions, request->working_directory);
  if (!error)
    error = posix_spawnp(pid, request->executable, &actions, &attributes, request->arguments, request->environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

int clinux_become(const char *name, unsigned user, unsigned group) {
  // Not dumpable from then on: the user's other processes cannot look into this one, nor trace it.
  return initgroups(name, group) || setgid(group) || setuid(user) ? -1 : 0;
}

int clinux_clock_is_synchronized(void) {
  struct timex state = {0};
  return adjtimex(&state) != TIME_ERROR;
}

void clinux_trim_heap(void) { malloc_trim(0); }
