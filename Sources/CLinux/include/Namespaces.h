// Linux namespaces and mounts. Every function returns 0, or -1 and errno, unless it says otherwise.
#pragma once

enum clinux_namespace {
  CLINUX_NAMESPACE_MOUNT = 1,
  CLINUX_NAMESPACE_PID = 2,
  CLINUX_NAMESPACE_IPC = 4,
  CLINUX_NAMESPACE_UTS = 8,
};

/// Puts this process, or for PID its children from now on, into new namespaces.
int clinux_unshare(int namespaces);
struct clinux_spawn_request;
/// As clinux_spawn, for a process that is the first of a new PID namespace and leads a session. The executable is a path,
/// the environment that of the request; this process must have one thread only. 0 or an errno; where the program cannot
/// be executed, the process ends with status 127.
int clinux_spawn_first(const struct clinux_spawn_request *request, int *pid);
/// Becomes root of a new user namespace, and enters a new mount namespace that belongs to it. This process must have one
/// thread only. As root, ids from 0 on are those from `first` on outside, as many as `count`; else only the caller's ids
/// exist, as 0.
int clinux_enter_user_namespace(unsigned first, unsigned count);

/// No privileges by executing, and none of the calls that change or look into the kernel, for this process and all it
/// starts: modules, clocks, keys, other processes' memory, other namespaces.
int clinux_forbid_kernel_changes(void);
/// Before a program of a VM is executed: also no mounts, no new namespaces, and the capabilities of a container's root.
int clinux_confine(void);
/// As clinux_spawn, for a program of a VM: confined. This process must have one thread only. 0 or an errno.
int clinux_spawn_confined(const struct clinux_spawn_request *request, int *pid);

/// What is mounted from now on is seen by no other mount namespace, nor the other way round.
int clinux_make_mounts_private(void);
int clinux_bind(const char *source, const char *target);
int clinux_mount_new(const char *type, const char *target, const char *options);
/// The mount at this path, and with `recursive` all those below it, become read-only.
int clinux_make_read_only(const char *path, int recursive);
/// Whether programs on the mount at this path can be executed.
int clinux_set_executable(const char *path, int is_executable);
/// `path`, which must be a mount, becomes `/`. What was `/` is the working directory.
int clinux_enter_root(const char *path);
/// After clinux_enter_root: what was `/` is reached no more.
int clinux_leave_old_root(void);
/// A descriptor that only stands for the path, closed on exec; -1 and errno.
int clinux_open_path(const char *path);
int clinux_set_host_name(const char *name);

/// A descriptor that becomes readable when a child has ended, instead of the signal; -1 and errno.
int clinux_child_signals(void);
/// Makes the descriptor empty.
void clinux_drain_signals(int descriptor);
/// Blocks no signal, each at its default: for what is executed.
void clinux_reset_signals(void);
/// Closes every descriptor from this one on.
void clinux_close_from(int first);
