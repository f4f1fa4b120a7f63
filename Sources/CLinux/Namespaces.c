#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int clinux_unshare(int namespaces) {
  int flags = 0;
  if (namespaces & CLINUX_NAMESPACE_MOUNT) flags |= CLONE_NEWNS;
  if (namespaces & CLINUX_NAMESPACE_PID) flags |= CLONE_NEWPID;
  if (namespaces & CLINUX_NAMESPACE_IPC) flags |= CLONE_NEWIPC;
  if (namespaces & CLINUX_NAMESPACE_UTS) flags |= CLONE_NEWUTS;
  return unshare(flags);
}

int clinux_spawn_first(const struct clinux_spawn_request *request, int *pid) {
  // As fork, with a namespace: after it the child only sets itself up and executes.
  long child = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
  if (child < 0) return errno;
  if (child > 0) {
    *pid = (int)child;
    return 0;
  }
  setsid();
  int next = 3;
  for (int i = 0; i < request->fd_count; i++) {
    if (dup2(request->source_fds[i], request->target_fds[i]) < 0) _exit(127);
    if (request->target_fds[i] >= next) next = request->target_fds[i] + 1;
  }
  clinux_close_from(next);
  clinux_reset_signals();
  execve(request->executable, request->arguments, request->environment);
  _exit(127);
}

static int write_file(pid_t pid, const char *name, const char *text) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t count = write(file, text, strlen(text));
  int code = errno;
  close(file);
  errno = code;
  return count < 0 ? -1 : 0;
}

// Only a process outside of the new namespace may map ids that are not its own.
static int map_from_outside(unsigned first, unsigned count) {
  char map[40];
  snprintf(map, sizeof map, "0 %u %u\n", first, count);
  pid_t self = getpid();
  int ready[2];
  if (pipe2(ready, O_CLOEXEC)) return -1;
  pid_t helper = fork();
  if (helper < 0) {
    close(ready[0]), close(ready[1]);
    return -1;
  }
  if (helper == 0) {
    char byte;
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) _exit(0);
    _exit(write_file(self, "uid_map", map) || write_file(self, "gid_map", map) ? errno : 0);
  }
  close(ready[0]);
  int failure = unshare(CLONE_NEWUSER | CLONE_NEWNS) ? errno : 0;
  if (!failure && write(ready[1], "", 1) != 1) failure = errno;
  close(ready[1]);
  int status = 0;
  while (waitpid(helper, &status, 0) < 0 && errno == EINTR) {}
  if (!failure && status) failure = WIFEXITED(status) ? WEXITSTATUS(status) : ECANCELED;
  errno = failure;
  return failure ? -1 : 0;
}

// Gives up the other groups, then takes these ids.
static int set_ids(unsigned user, unsigned group) {
  // Where other groups are not mapped, they cannot be set either.
  if (setgroups(0, NULL) && errno != EPERM) return -1;
  if (setresgid(group, group, group)) return -1;
  return setresuid(user, user, user);
}

int clinux_enter_user_namespace(unsigned first, unsigned count) {
  unsigned user = geteuid(), group = getegid();
  // Until it takes it, this process has an id that the namespace does not know.
  if (user == 0) return map_from_outside(first, count) || set_ids(0, 0) ? -1 : 0;
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS)) return -1;
  char map[32];
  if (write_file(getpid(), "setgroups", "deny")) return -1;
  snprintf(map, sizeof map, "0 %u 1\n", user);
  if (write_file(getpid(), "uid_map", map)) return -1;
  snprintf(map, sizeof map, "0 %u 1\n", group);
  return write_file(getpid(), "gid_map", map);
}

int clinux_make_mounts_private(void) { return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL); }

int clinux_bind(const char *source, const char *target) {
  return mount(source, target, NULL, MS_BIND | MS_REC, NULL);
}

int clinux_mount_new(const char *type, const char *target, const char *options) {
  unsigned long flags = strcmp(type, "proc") == 0 ? MS_NOSUID | MS_NODEV | MS_NOEXEC : 0;
  return mount(type, target, type, flags, options);
}

// As in linux/mount.h, which cannot be included beside sys/mount.h everywhere.
enum { read_only = 1, no_setuid = 2, no_exec = 8 };

static int set_mount_attributes(const char *path, int recursive, unsigned set, unsigned clear) {
  struct {
    unsigned long long set, clear, propagation, user_namespace;
  } attributes = {.set = set, .clear = clear};
  long number = 442;  // mount_setattr, on all architectures
  return (int)syscall(number, AT_FDCWD, path, recursive ? AT_RECURSIVE : 0, &attributes, sizeof attributes);
}

int clinux_make_read_only(const char *path, int recursive) {
  return set_mount_attributes(path, recursive, read_only | no_setuid, 0);
}

int clinux_set_executable(const char *path, int is_executable) {
  return set_mount_attributes(path, 0, is_executable ? 0 : no_exec, is_executable ? no_exec : 0);
}

int clinux_enter_root(const char *path) {
  // Both roots are at one place then, the old one on top.
  return chdir(path) || syscall(SYS_pivot_root, ".", ".") ? -1 : 0;
}

int clinux_leave_old_root(void) { return umount2(".", MNT_DETACH) || chdir("/") ? -1 : 0; }

int clinux_set_host_name(const char *name) { return sethostname(name, strlen(name)); }

int clinux_child_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &set, NULL)) return -1;
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void clinux_drain_signals(int descriptor) {
  struct signalfd_siginfo signals[16];
  while (read(descriptor, signals, sizeof signals) > 0) {}
}

void clinux_reset_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

void clinux_close_from(int first) { syscall(SYS_close_range, first, ~0U, 0); }

int clinux_open_path(const char *path) { return open(path, O_PATH | O_CLOEXEC); }
