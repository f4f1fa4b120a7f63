// The functions that change the state of a process, counted on their way to the C library. See ProcessState.h.
//
// The dynamic linker prefers a definition of the executable to one of a library, for everything that it loads: the
// executable exports these names (scripts/exported-symbols).
//
// Includes no header that declares one of them: their parameters are integers and pointers, which travel in the same
// registers whatever their types are.
#define _GNU_SOURCE
#include "ProcessState.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <sys/syscall.h>

extern void *stdin, *stdout, *stderr;
extern int getpid(void);

static atomic_ulong changes;
static atomic_ulong lasting;

unsigned long clinux_changes(void) { return atomic_load_explicit(&changes, memory_order_relaxed); }
unsigned long clinux_lasting_changes(void) { return atomic_load_explicit(&lasting, memory_order_relaxed); }

static void count(void) { atomic_fetch_add_explicit(&changes, 1, memory_order_relaxed); }

static void count_lasting(void) {
  atomic_fetch_add_explicit(&lasting, 1, memory_order_relaxed);
  count();
}

typedef unsigned long word;
typedef word (*function)(word, word, word, word, word, word);

/// `real`: the next definition of the name, which is that of the C library.
#define FIND_REAL(name)                                                                  \
  static _Atomic(void *) found;                                                          \
  void *address = atomic_load_explicit(&found, memory_order_relaxed);                    \
  if (!address) {                                                                        \
    address = dlsym(RTLD_NEXT, #name);                                                   \
    atomic_store_explicit(&found, address, memory_order_relaxed);                        \
  }                                                                                      \
  function real = (function)address;

#define COUNTED_WHEN(name, condition)                                                    \
  word name(word a, word b, word c, word d, word e, word f) {                            \
    FIND_REAL(name)                                                                      \
    if (condition) count();                                                              \
    return real(a, b, c, d, e, f);                                                       \
  }
#define COUNTED(name) COUNTED_WHEN(name, 1)
/// What nothing can be asked about afterwards.
#define COUNTED_AS_LASTING(name, condition)                                              \
  word name(word a, word b, word c, word d, word e, word f) {                            \
    FIND_REAL(name)                                                                      \
    if (condition) count_lasting();                                                      \
    return real(a, b, c, d, e, f);                                                       \
  }

// Signals. Who only asks for the state gives no new one.
COUNTED(signal)
COUNTED(sysv_signal)
COUNTED(__sysv_signal)
COUNTED(ssignal)
COUNTED(sigset)
COUNTED(sigignore)
COUNTED(sighold)
COUNTED(sigrelse)
COUNTED(siginterrupt)
COUNTED_WHEN(sigaction, b != 0)
COUNTED_WHEN(sigprocmask, b != 0)
COUNTED_WHEN(pthread_sigmask, b != 0)
COUNTED_WHEN(sigaltstack, a != 0)

// Timers
COUNTED(setitimer)
COUNTED(alarm)
COUNTED(ualarm)
COUNTED_AS_LASTING(timer_create, 1)

// Limits and scheduling
COUNTED(setrlimit)
COUNTED(setrlimit64)
COUNTED_WHEN(prlimit, c != 0)
COUNTED_WHEN(prlimit64, c != 0)
COUNTED(nice)
COUNTED(setpriority)
COUNTED(sched_setscheduler)
COUNTED(sched_setparam)
COUNTED(sched_setaffinity)
COUNTED(pthread_setaffinity_np)
COUNTED(pthread_setschedparam)
COUNTED(pthread_setschedprio)
COUNTED(mlock)
COUNTED(mlockall)

// Identity and place
COUNTED(setsid)
COUNTED(setpgid)
COUNTED(setpgrp)
COUNTED(prctl)
COUNTED(pthread_setname_np)
COUNTED(personality)
COUNTED(chroot)
COUNTED(unshare)
COUNTED(setns)
COUNTED(capset)
COUNTED(setuid)
COUNTED(seteuid)
COUNTED(setreuid)
COUNTED(setresuid)
COUNTED(setfsuid)
COUNTED(setgid)
COUNTED(setegid)
COUNTED(setregid)
COUNTED(setresgid)
COUNTED(setfsgid)
COUNTED(setgroups)
COUNTED(initgroups)

// The C library's own state
COUNTED(setenv)
COUNTED(putenv)
COUNTED(unsetenv)
COUNTED(clearenv)
COUNTED_WHEN(setlocale, b != 0)
COUNTED_WHEN(uselocale, a != 0)
// What `atexit` registers has no object; destructors of C++ have one, and are registered at any time.
COUNTED_AS_LASTING(__cxa_atexit, b == 0)
COUNTED_AS_LASTING(on_exit, 1)
COUNTED_AS_LASTING(__cxa_at_quick_exit, 1)

static int is_standard(word stream) {
  return stream == (word)stdin || stream == (word)stdout || stream == (word)stderr;
}
COUNTED_AS_LASTING(fclose, is_standard(a))
COUNTED_AS_LASTING(freopen, is_standard(c))
COUNTED_AS_LASTING(freopen64, is_standard(c))
COUNTED_AS_LASTING(setvbuf, is_standard(a))
COUNTED_AS_LASTING(setbuf, is_standard(a))

// Threads
COUNTED(pthread_create)

word syscall(word number, word a, word b, word c, word d, word e, word f) {
  static _Atomic(void *) found;
  void *address = atomic_load_explicit(&found, memory_order_relaxed);
  if (!address) {
    address = dlsym(RTLD_NEXT, "syscall");
    atomic_store_explicit(&found, address, memory_order_relaxed);
  }
  if (number != SYS_futex && number != SYS_gettid && number != SYS_getrandom) count();
  return ((word(*)(word, word, word, word, word, word, word))address)(number, a, b, c, d, e, f);
}

// Descriptors. Those that are guarded belong to the worker: it is told before one is closed.

enum { MAXIMUM_GUARDED = 16 };
static int guarded[MAXIMUM_GUARDED];
static atomic_int guarded_count;
static int guarding_process;
static void (*_Atomic guarded_close)(int);

void clinux_guard_descriptor(int descriptor) {
  int index = atomic_load(&guarded_count);
  if (index == MAXIMUM_GUARDED) return;
  guarded[index] = descriptor;
  guarding_process = getpid();
  atomic_store(&guarded_count, index + 1);
}

void clinux_on_guarded_close(void (*callback)(int)) { atomic_store(&guarded_close, callback); }

static void will_close(word first, word last) {
  if (first <= 2) count();
  int number = atomic_load_explicit(&guarded_count, memory_order_acquire);
  for (int i = 0; i < number; i++) {
    if ((word)guarded[i] < first || (word)guarded[i] > last) continue;
    void (*callback)(int) = atomic_load(&guarded_close);
    // A child that was forked may close what it likes.
    if (callback && guarding_process == getpid()) callback(guarded[i]);
  }
}

#define CLOSING(name, first, last)                                                       \
  word name(word a, word b, word c, word d, word e, word f) {                            \
    FIND_REAL(name)                                                                      \
    will_close((unsigned)(first), (unsigned)(last));                                     \
    return real(a, b, c, d, e, f);                                                       \
  }
CLOSING(close, a, a)
CLOSING(dup2, b, a == b ? 0 : b)
CLOSING(dup3, b, a == b ? 0 : b)
CLOSING(closefrom, a, ~0u)
// With CLOSE_RANGE_CLOEXEC (4) nothing is closed yet.
CLOSING(close_range, a, c & 4 ? 0 : b)
