#define _GNU_SOURCE
#include "ProcessState.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <locale.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

extern char **environ;

// The text of a state

struct text {
  char *bytes;
  unsigned long size, length;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  unsigned long room = text->length < text->size ? text->size - text->length : 0;
  int count = vsnprintf(text->bytes + (room ? text->length : 0), room, format, arguments);
  va_end(arguments);
  if (count > 0) text->length += (unsigned long)count;
}

/// Files of /proc end after one page, or are cut there.
static void add_file(struct text *text, const char *name, const char *path) {
  char bytes[4096];
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  long count = read(descriptor, bytes, sizeof bytes);
  close(descriptor);
  add(text, "%s: %.*s\n", name, count > 0 ? (int)count : 0, bytes);
}

static void add_limits(struct text *text) {
  for (int kind = 0; kind < (int)RLIM_NLIMITS; kind++) {
    struct rlimit limit = {0};
    if (getrlimit((__rlimit_resource_t)kind, &limit) == 0)
      add(text, "limit %d: %lu %lu\n", kind, (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
  }
}

static void add_scheduling(struct text *text) {
  cpu_set_t processors;
  struct sched_param parameters = {0};
  CPU_ZERO(&processors);
  sched_getaffinity(0, sizeof processors, &processors);
  sched_getparam(0, &parameters);
  errno = 0;
  add(text, "nice: %d\n", getpriority(PRIO_PROCESS, 0));
  add(text, "scheduling: %d %d\n", sched_getscheduler(0), parameters.sched_priority);
  add(text, "io priority: %ld\n", syscall(SYS_ioprio_get, 1, 0));
  add(text, "processors:");
  for (unsigned long i = 0; i < sizeof processors / sizeof(unsigned long); i++)
    add(text, " %lx", ((unsigned long *)&processors)[i]);
  add(text, "\n");
}

static void add_signals(struct text *text) {
  for (int number = 1; number < NSIG; number++) {
    struct sigaction action = {0};
    if (sigaction(number, NULL, &action) == 0)
      add(text, "signal %d: %p %x\n", number, (void *)action.sa_handler, (unsigned)action.sa_flags);
  }
  sigset_t blocked;
  sigemptyset(&blocked);
  pthread_sigmask(SIG_BLOCK, NULL, &blocked);
  add(text, "blocked signals:");
  for (int number = 1; number < NSIG; number++)
    if (sigismember(&blocked, number) == 1) add(text, " %d", number);
  stack_t stack = {0};
  sigaltstack(NULL, &stack);
  add(text, "\nsignal stack: %p %x\n", stack.ss_sp, (unsigned)stack.ss_flags);
}

static void add_timers(struct text *text) {
  for (int kind = 0; kind < 3; kind++) {
    struct itimerval timer = {0};
    getitimer((__itimer_which_t)kind, &timer);
    // What is left of it changes by itself.
    int is_set = timer.it_value.tv_sec || timer.it_value.tv_usec;
    add(text, "timer %d: %d %ld.%06ld\n", kind, is_set, timer.it_interval.tv_sec, timer.it_interval.tv_usec);
  }
  add_file(text, "timers", "/proc/self/timers");
}

static void add_ids(struct text *text) {
  unsigned real = 0, effective = 0, saved = 0;
  getresuid(&real, &effective, &saved);
  add(text, "user: %u %u %u\n", real, effective, saved);
  getresgid(&real, &effective, &saved);
  add(text, "group: %u %u %u\n", real, effective, saved);
  unsigned groups[256];
  int count = getgroups(256, groups);
  add(text, "groups:");
  for (int i = 0; i < count; i++) add(text, " %u", groups[i]);
  add(text, "\nsession: %d %d\n", getsid(0), getpgrp());
}

static void add_attributes(struct text *text) {
  static const int asked[] = {PR_GET_DUMPABLE,    PR_GET_KEEPCAPS,  PR_GET_SECUREBITS,   PR_GET_TIMERSLACK,
                              PR_GET_NO_NEW_PRIVS, PR_GET_THP_DISABLE};
  for (unsigned i = 0; i < sizeof asked / sizeof *asked; i++)
    add(text, "attribute %d: %d\n", asked[i], prctl(asked[i], 0, 0, 0, 0));
  int number = 0;
  prctl(PR_GET_CHILD_SUBREAPER, &number, 0, 0, 0);
  add(text, "subreaper: %d\n", number);
  number = 0;
  prctl(PR_GET_PDEATHSIG, &number, 0, 0, 0);
  add(text, "signal at the parent's death: %d\n", number);
  char name[16] = "";
  prctl(PR_GET_NAME, name, 0, 0, 0);
  add(text, "name: %.16s\n", name);
  add(text, "personality: %ld\n", syscall(SYS_personality, 0xffffffff));
}

/// What only /proc says: locked memory, capabilities, filters of system calls. Also the number of threads.
static void add_status(struct text *text) {
  static const char *const wanted[] = {"VmLck:",  "Threads:", "CapInh:",     "CapPrm:", "CapEff:",
                                       "CapBnd:", "CapAmb:",  "Seccomp:", "Name:",   "Mems_allowed_list:"};
  char bytes[8192];
  int descriptor = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  long count = read(descriptor, bytes, sizeof bytes - 1);
  close(descriptor);
  bytes[count > 0 ? count : 0] = 0;
  char *place = NULL;
  for (char *line = strtok_r(bytes, "\n", &place); line; line = strtok_r(NULL, "\n", &place))
    for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
      if (strncmp(line, wanted[i], strlen(wanted[i])) == 0) add(text, "%s\n", line);
}

static void add_places(struct text *text) {
  static const char *const spaces[] = {"mnt", "net", "uts", "ipc", "user", "pid_for_children", "cgroup", "time"};
  struct stat status;
  if (stat("/", &status) == 0) add(text, "root: %lu %lu\n", (unsigned long)status.st_dev, (unsigned long)status.st_ino);
  for (unsigned i = 0; i < sizeof spaces / sizeof *spaces; i++) {
    char path[64];
    snprintf(path, sizeof path, "/proc/thread-self/ns/%s", spaces[i]);
    if (stat(path, &status) == 0) add(text, "namespace %s: %lu\n", spaces[i], (unsigned long)status.st_ino);
  }
}

static void add_locale(struct text *text) {
  const char *name = setlocale(LC_ALL, NULL);
  add(text, "locale: %s %p\n", name ? name : "", (void *)uselocale((locale_t)0));
}

static void add_environment(struct text *text) {
  for (char **entry = environ; entry && *entry; entry++) add(text, "environment: %s\n", *entry);
}

static void add_descriptors(struct text *text) {
  DIR *folder = opendir("/proc/self/fd");
  if (!folder) return;
  struct dirent *entry;
  while ((entry = readdir(folder))) {
    int number = atoi(entry->d_name);
    struct stat status, other;
    if (entry->d_name[0] == '.' || number == dirfd(folder) || fstat(number, &status) != 0) continue;
    // The worker itself replaces what 1 and 2 point to: both the same file.
    unsigned long inode = number == 1 ? 0 : (unsigned long)status.st_ino;
    if (number == 2) inode = fstat(1, &other) == 0 && other.st_ino == status.st_ino ? 0 : inode;
    add(text, "descriptor %d: %lu %lu %x %x\n", number, (unsigned long)status.st_dev, inode,
        (unsigned)fcntl(number, F_GETFL), (unsigned)fcntl(number, F_GETFD));
  }
  closedir(folder);
}

unsigned long clinux_process_state(char *bytes, unsigned long size, int only_foreign) {
  struct text text = {.bytes = bytes, .size = size, .length = 0};
  add_limits(&text);
  add_scheduling(&text);
  add_file(&text, "oom score", "/proc/self/oom_score_adj");
  add_file(&text, "cgroup", "/proc/self/cgroup");
  if (!only_foreign) {
    add(&text, "own\n");
    add_file(&text, "core dumps", "/proc/self/coredump_filter");
    add_signals(&text);
    add_timers(&text);
    add_ids(&text);
    add_attributes(&text);
    add_status(&text);
    add_places(&text);
    add_locale(&text);
    add_environment(&text);
    add_descriptors(&text);
    add(&text, "lasting: %lu\n", clinux_lasting_changes());
  }
  return text.length;
}

// The quick questions

static char **known_environment;
static char **known_entries;
static unsigned long known_count;

void clinux_remember_environment(void) {
  unsigned long count = 0;
  while (environ && environ[count]) count++;
  free(known_entries);
  known_entries = malloc((count + 1) * sizeof *known_entries);
  if (known_entries) memcpy(known_entries, environ, count * sizeof *known_entries);
  known_count = known_entries ? count : 0;
  known_environment = environ;
}

int clinux_environment_is_unchanged(void) {
  return environ == known_environment && environ && memcmp(environ, known_entries, known_count * sizeof *environ) == 0 &&
         !environ[known_count];
}

enum { LOOKED_AT = 16 };
static unsigned open_descriptors;

/// One bit for each of the first descriptors.
static unsigned look_at_descriptors(void) {
  struct pollfd entries[LOOKED_AT];
  for (int i = 0; i < LOOKED_AT; i++) entries[i] = (struct pollfd){.fd = i};
  if (poll(entries, LOOKED_AT, 0) < 0) return 0;
  unsigned found = 0;
  for (int i = 0; i < LOOKED_AT; i++)
    if (!(entries[i].revents & POLLNVAL)) found |= 1u << i;
  return found;
}

void clinux_remember_descriptors(void) { open_descriptors = look_at_descriptors(); }
int clinux_descriptors_are_unchanged(void) { return look_at_descriptors() == open_descriptors; }

// Root and ids

static int root = -1;
static unsigned known_ids[6];

void clinux_remember_root(void) {
  root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  getresuid(&known_ids[0], &known_ids[1], &known_ids[2]);
  getresgid(&known_ids[3], &known_ids[4], &known_ids[5]);
}

void clinux_put_back_root_and_ids(void) {
  // First the user, who may do the rest.
  int failed = setresuid(known_ids[0], known_ids[1], known_ids[2]);
  failed |= setresgid(known_ids[3], known_ids[4], known_ids[5]);
  struct stat now, then;
  if (root >= 0 && stat("/", &now) == 0 && fstat(root, &then) == 0 &&
      (now.st_ino != then.st_ino || now.st_dev != then.st_dev))
    failed |= fchdir(root) != 0 || chroot(".") != 0;
  (void)failed;
}
