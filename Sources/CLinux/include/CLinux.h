// Linux calls that Swift cannot import: variadic, macros, or headers outside glibc's module map.
//
// Includes no header of the system, so that Swift finds their types in one module only. A pid is an `int` on Linux.
#pragma once

#include "Namespaces.h"
#include "ProcessState.h"

/// A descriptor that becomes readable when the process ends; -1 and errno on failure.
int clinux_pidfd_open(int pid);
/// Sends a signal to exactly the process the descriptor names, never to a successor of its pid.
int clinux_pidfd_send_signal(int pidfd, int signal);
/// Orphaned descendants become children of this process.
int clinux_become_subreaper(void);
int clinux_is_subreaper(void);
/// This process is killed when the thread that started it ends.
int clinux_die_with_parent(void);
/// This process gets the signal when the thread that started it ends.
int clinux_signal_with_parent(int signal);
/// As fork, which Swift does not import. This process must have one thread only.
int clinux_fork(void);
/// A file without a name, in memory, closed on exec; -1 and errno.
int clinux_memory_file(void);

enum clinux_limit {
  /// Bytes of address space.
  CLINUX_LIMIT_MEMORY,
  /// Processes and threads of this user; nothing for root.
  CLINUX_LIMIT_PROCESSES,
  CLINUX_LIMIT_FILE_SIZE,
  CLINUX_LIMIT_CORE,
};
/// Lowers a limit of this process for good; one that is lower already stays. 0, or -1 and errno.
int clinux_lower_limit(enum clinux_limit limit, unsigned long long most);

/// As rename, but fails with EEXIST when there is such a file; with EINVAL where the file system cannot do that.
int clinux_rename_to_new(const char *from, const char *to);

/// A pipe whose ends are closed on exec. 0, or -1 and errno.
int clinux_pipe(int ends[2]);
/// The next connection of a listening socket, closed on exec and not blocking; -1 and errno.
int clinux_accept(int socket);

/// Descriptors to wait for, all at once; -1 and errno.
int clinux_epoll_create(void);
/// Waits for the descriptor to become readable and, if asked, writable. 0, or -1 and errno.
int clinux_epoll_add(int epoll, int fd, unsigned long long token);
int clinux_epoll_modify(int epoll, int fd, unsigned long long token, int wants_write);
int clinux_epoll_remove(int epoll, int fd);
/// The tokens of descriptors that are ready; `writable[i]` is 1 when one takes more bytes. How many, or -1 and errno.
int clinux_epoll_wait(int epoll, unsigned long long *tokens, unsigned char *writable, int count, int milliseconds);

/// Standard output is written line by line, also to a file.
void clinux_line_buffer_stdout(void);
/// Writes what streams still hold. -1: all went well; otherwise what has failed of the standard ones since the last call,
/// or 0 where that is not known any more.
int clinux_flush_streams(void);
/// Calls back when this process calls `exit`, with the code it was given.
int clinux_on_exit(void (*callback)(int code));

int clinux_wifexited(int status);
int clinux_wexitstatus(int status);
int clinux_wifsignaled(int status);
int clinux_wtermsig(int status);
/// `KILL` for 9; NULL for an unknown number.
const char *clinux_signal_name(int signal);

enum clinux_group {
  CLINUX_GROUP_INHERITED = 0,
  /// Its own process group, in the session of the caller.
  CLINUX_GROUP_OWN = 1,
  /// Its own session, and so its own process group, without a terminal.
  CLINUX_GROUP_SESSION = 2,
};

struct clinux_spawn_request {
  /// Looked up in PATH when it has no slash.
  const char *executable;
  char *const *arguments;
  char *const *environment;
  /// NULL: that of the caller.
  const char *working_directory;
  /// `target_fds[i]` in the child is `source_fds[i]` of the caller. Sources must not be among the targets' numbers.
  /// Ascending by target. Every other descriptor from 3 on is closed.
  const int *source_fds;
  const int *target_fds;
  int fd_count;
  enum clinux_group group;
};

/// Starts a process with no signal blocked and every handler at its default. Returns 0 or an errno.
int clinux_spawn(const struct clinux_spawn_request *request, int *pid);

/// Makes this process, with all its threads, that of another user, for good. 0, or -1 and errno.
int clinux_become(const char *name, unsigned user, unsigned group);

/// Whether a text fits a POSIX extended regular expression; 0 also where it is none.
int clinux_fits(const char *expression, const char *text);

/// Returns free memory of the heap to the system.
void clinux_trim_heap(void);

/// From now on each of these signals is a byte, its number, in a pipe. The read end, which does not block; -1 and errno.
/// Once in a process.
int clinux_signals_to_pipe(const int *signals, int count);
/// The highest number that a signal can have.
int clinux_last_signal(void);

/// Whether something keeps the machine's clock right (NTP), by the kernel's word.
int clinux_clock_is_synchronized(void);
