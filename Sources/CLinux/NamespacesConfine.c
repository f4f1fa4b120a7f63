// What a program in a VM of the emulator may not ask of the kernel. By hand, for libseccomp would be one more thing to
// install: a list of numbers is all there is to it.
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "no list of system calls for this architecture"
#endif

// Numbers from 424 on are the same everywhere, and newer than some headers.
enum {
  call_io_uring_setup = 425, call_io_uring_enter = 426, call_io_uring_register = 427, call_open_tree = 428,
  call_move_mount = 429, call_fsopen = 430, call_fsconfig = 431, call_fsmount = 432, call_fspick = 433,
  call_clone3 = 435, call_pidfd_getfd = 438, call_mount_setattr = 442, call_quotactl_fd = 443, call_statmount = 457,
  call_listmount = 458, call_open_tree_attr = 467,
};

// Nothing in a VM needs these, its first process included.
static const int never[] = {
#ifdef __x86_64__
  SYS_iopl, SYS_ioperm, SYS_create_module, SYS_get_kernel_syms, SYS_query_module, SYS_uselib, SYS_ustat, SYS_sysfs,
  SYS__sysctl, SYS_modify_ldt,
#endif
  SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, call_pidfd_getfd,
  SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_kexec_file_load, SYS_reboot,
  SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_lookup_dcookie, SYS_fanotify_init,
  SYS_add_key, SYS_request_key, SYS_keyctl,
  SYS_setns, SYS_open_by_handle_at, SYS_name_to_handle_at,
  SYS_swapon, SYS_swapoff, SYS_acct, SYS_quotactl, call_quotactl_fd, SYS_nfsservctl, SYS_syslog, SYS_vhangup,
  SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex, SYS_personality,
  SYS_move_pages, SYS_migrate_pages,
  call_io_uring_setup, call_io_uring_enter, call_io_uring_register, call_statmount, call_listmount,
};

// The VM's first process, and that of a container before it executes its command, make roots by these.
static const int not_by_programs[] = {
  SYS_mount, SYS_umount2, SYS_pivot_root, call_open_tree, call_move_mount, call_fsopen, call_fsconfig, call_fsmount,
  call_fspick, call_mount_setattr, call_open_tree_attr,
};

enum { new_time = 0x80, limit = 512 };
static const unsigned new_namespaces =
  CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;

struct program {
  struct sock_filter steps[limit];
  unsigned short count;
};

static void add(struct program *program, unsigned short code, unsigned value, unsigned char yes, unsigned char no) {
  program->steps[program->count++] = (struct sock_filter){code, yes, no, value};
}

static void load(struct program *program, unsigned offset) { add(program, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0); }
static void refuse(struct program *program, int code) {
  add(program, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (code & SECCOMP_RET_DATA), 0, 0);
}

static void refuse_call(struct program *program, int number, int code) {
  add(program, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
  refuse(program, code);
}

// Where the low half of an argument fits: `test` is BPF_JSET for any of the bits, BPF_JEQ for the value.
static void refuse_argument(struct program *program, int number, int argument, unsigned short test, unsigned value) {
  add(program, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4);
  // The low half comes first on both architectures.
  load(program, offsetof(struct seccomp_data, args) + 8 * argument);
  add(program, BPF_JMP | test | BPF_K, value, 0, 1);
  refuse(program, EPERM);
  load(program, offsetof(struct seccomp_data, nr));
}

static int install(int is_program) {
  struct program program = {.count = 0};
  load(&program, offsetof(struct seccomp_data, arch));
  add(&program, BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0);
  refuse(&program, EPERM);
  load(&program, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
  // The same calls by other numbers.
  add(&program, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
  refuse(&program, EPERM);
#endif
  for (size_t i = 0; i < sizeof never / sizeof *never; i++) refuse_call(&program, never[i], EPERM);
  // Types that into a terminal which somebody else reads.
  refuse_argument(&program, SYS_ioctl, 1, BPF_JEQ, 0x5412);
  refuse_argument(&program, SYS_ioctl, 1, BPF_JEQ, 0x541C);
  // AF_VSOCK leads to what this machine itself runs on.
  refuse_argument(&program, SYS_socket, 0, BPF_JEQ, 40);
  if (is_program) {
    for (size_t i = 0; i < sizeof not_by_programs / sizeof *not_by_programs; i++)
      refuse_call(&program, not_by_programs[i], EPERM);
    refuse_argument(&program, SYS_unshare, 0, BPF_JSET, new_namespaces | new_time);
    refuse_argument(&program, SYS_clone, 0, BPF_JSET, new_namespaces);
    // Its flags are in memory, where a filter cannot look; the C library takes clone then.
    refuse_call(&program, call_clone3, ENOSYS);
  }
  add(&program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
  struct sock_fprog whole = {.len = program.count, .filter = program.steps};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole, 0, 0);
}

int clinux_forbid_kernel_changes(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || install(0) ? -1 : 0; }

// What docker leaves to the root of a container.
static const unsigned kept_capabilities =
  1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER | 1u << CAP_FSETID | 1u << CAP_KILL | 1u << CAP_SETGID
  | 1u << CAP_SETUID | 1u << CAP_SETPCAP | 1u << CAP_NET_BIND_SERVICE | 1u << CAP_NET_RAW | 1u << CAP_SYS_CHROOT
  | 1u << CAP_MKNOD | 1u << CAP_AUDIT_WRITE | 1u << CAP_SETFCAP;

int clinux_confine(void) {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
    if (capability < 32 && kept_capabilities >> capability & 1) continue;
    // Whoever is not root has none to lose.
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) && errno != EPERM) return -1;
  }
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data)) return -1;
  data[0].permitted &= kept_capabilities;
  data[0].effective &= kept_capabilities;
  data[1].permitted = data[1].effective = data[0].inheritable = data[1].inheritable = 0;
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) && errno != EINVAL) return -1;
  if (syscall(SYS_capset, &header, data)) return -1;
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || install(1) ? -1 : 0;
}

static int is_target(const struct clinux_spawn_request *request, int descriptor) {
  for (int i = 0; i < request->fd_count; i++)
    if (request->target_fds[i] == descriptor) return 1;
  return 0;
}

_Noreturn static void become(const struct clinux_spawn_request *request, int report) {
  int next = 3;
  for (int i = 0; i < request->fd_count; i++)
    if (request->target_fds[i] >= next) next = request->target_fds[i] + 1;
  for (int i = 0; i < request->fd_count; i++)
    if (request->source_fds[i] >= next) next = request->source_fds[i] + 1;
  // Above everything that is named, and the last that stays open.
  report = fcntl(report, F_DUPFD_CLOEXEC, next);
  int failed = report < 0;
  if (request->group == CLINUX_GROUP_SESSION) failed |= setsid() < 0;
  if (request->group == CLINUX_GROUP_OWN) failed |= setpgid(0, 0);
  for (int i = 0; !failed && i < request->fd_count; i++)
    failed = dup2(request->source_fds[i], request->target_fds[i]) < 0;
  for (int descriptor = 3; descriptor < report; descriptor++)
    if (!is_target(request, descriptor)) close(descriptor);
  clinux_close_from(report + 1);
  if (!failed && request->working_directory) failed = chdir(request->working_directory);
  clinux_reset_signals();
  if (!failed) failed = clinux_confine();
  if (!failed) execvpe(request->executable, request->arguments, request->environment);
  int code = errno;
  if (write(report, &code, sizeof code) < 0) _exit(126);
  _exit(127);
}

int clinux_spawn_confined(const struct clinux_spawn_request *request, int *pid) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC)) return errno;
  long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  int code = errno;
  if (child == 0) become(request, ends[1]);
  close(ends[1]);
  if (child > 0) {
    ssize_t count;
    while ((count = read(ends[0], &code, sizeof code)) < 0 && errno == EINTR) {}
    if (count != sizeof code) code = 0;
    if (code)
      while (waitpid((pid_t)child, NULL, 0) < 0 && errno == EINTR) {}
    *pid = (int)child;
  }
  close(ends[0]);
  return code;
}
