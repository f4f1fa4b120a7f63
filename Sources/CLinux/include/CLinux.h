// Linux calls that Swift cannot import: variadic, macros, or headers outside glibc's module map.
#pragma once
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>

/// A descriptor that becomes readable when the process ends; -1 and errno on failure.
int clinux_pidfd_open(pid_t pid);
/// Sends a signal to exactly the process the descriptor names, never to a successor of its pid.
int clinux_pidfd_send_signal(int pidfd, int signal);
/// Orphaned descendants become children of this process.
int clinux_become_subreaper(void);

static inline int clinux_wifexited(int status) { return WIFEXITED(status); }
static inline int clinux_wexitstatus(int status) { return WEXITSTATUS(status); }
static inline int clinux_wifsignaled(int status) { return WIFSIGNALED(status); }
static inline int clinux_wtermsig(int status) { return WTERMSIG(status); }
