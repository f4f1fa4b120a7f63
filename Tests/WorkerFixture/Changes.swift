import Dispatch
import Foundation
import Glibc

/// What tasks do to their process, each by a name. The worker has to notice all of it.
let changes: [String: @Sendable () throws -> Void] = [
  "setenv": { setenv("PATH", "/nonexistent", 1) },
  "setenv_new": { setenv("DAGRUN_TEST_NEW", "1", 1) },
  "unsetenv": { unsetenv("PATH") },
  "putenv": { putenv(strdup("DAGRUN_TEST_PUT=1")) },
  "clearenv": { clearenv() },
  "time_zone": {
    setenv("TZ", "Asia/Tokyo", 1)
    tzset()
  },
  "environ": { environ[0] = strdup("DAGRUN_TEST_ENVIRON=1") },
  "limit": {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &limit)
    limit.rlim_cur = 4 << 20
    setrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &limit)
  },
  "nice": { _ = nice(3) },
  "priority": { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 5) },
  "affinity": {
    var processors: UInt64 = 1
    _ = setAffinity(0, 8, &processors)
  },
  "oom_score": { try Data("500".utf8).write(to: URL(fileURLWithPath: "/proc/self/oom_score_adj")) },
  "ignored_signal": { signal(SIGCHLD, SIG_IGN) },
  "handled_signal": { signal(SIGUSR1) { _ in } },
  "real_time_signal": { signal(40, SIG_IGN) },
  "sigaction": {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = SIG_IGN
    sigaction(SIGPIPE, &action, nil)
  },
  "blocked_signal": {
    var set = sigset_t()
    sigaddset(&set, SIGUSR2)
    pthread_sigmask(SIG_BLOCK, &set, nil)
  },
  "signal_stack": {
    var stack = stack_t()
    stack.ss_sp = malloc(1 << 16)
    stack.ss_size = 1 << 16
    sigaltstack(&stack, nil)
  },
  "interval_timer": {
    var timer = itimerval()
    timer.it_interval.tv_sec = 1000
    timer.it_value.tv_sec = 1000
    setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
  },
  "alarm": { alarm(1000) },
  "locale": { setlocale(LC_ALL, setlocale(LC_ALL, nil).map { String(cString: $0) } == "C.UTF-8" ? "C" : "C.UTF-8") },
  "thread_locale": { uselocale(newlocale(0x1fbf, "C", nil)) },
  "exit_handler": { atexit {} },
  "closed_input": { close(0) },
  "closed_output": { close(1) },
  "closed_errors": { close(2) },
  "closed_all_standard": { for number in 0..<3 { close(Int32(number)) } },
  "closed_stream": { fclose(standardOutput()) },
  "other_input": { dup2(open("/dev/zero", O_RDONLY), 0) },
  "other_output": { dup2(open("/dev/null", O_WRONLY), 1) },
  "other_errors": { dup2(open("/dev/null", O_WRONLY), 2) },
  "reopened_output": { freopen("/dev/null", "w", standardOutput()) },
  "open_file": { _ = open("/dev/null", O_RDONLY) },
  "open_pipe": {
    var ends: [Int32] = [0, 0]
    pipe(&ends)
  },
  "open_socket": { _ = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0) },
  "high_descriptor": { dup2(0, 150) },
  "thread": { Thread.detachNewThread { sleep(1000) } },
  "dispatched": { DispatchQueue.global().async { sleep(1000) } },
  "timed": { DispatchQueue.global().asyncAfter(deadline: .now() + 1000) {} },
  "detached_task": {
    _Concurrency.Task.detached { while true { try await _Concurrency.Task.sleep(for: .seconds(1)) } }
  },
  "busy_detached_task": { _Concurrency.Task.detached { while true {} } },
  "thread_name": { _ = setName(pthread_self(), "mine") },
  "locked_memory": { mlock(malloc(1 << 14), 1 << 14) },
]

/// Those that only root can do.
let rootsChanges: [String: @Sendable () throws -> Void] = [
  "chroot": { chroot("/tmp") },
  "effective_user": { seteuid(65534) },
  "effective_group": { setegid(65534) },
  "groups": {
    var groups: [gid_t] = [12345]
    setgroups(1, &groups)
  },
  "namespace": { _ = unshareNetwork() },
]

// Declared only for _GNU_SOURCE.
@_silgen_name("unshare") private func unshare(_ flags: Int32) -> Int32
@_silgen_name("sched_setaffinity") private func setAffinity(
  _ pid: pid_t, _ size: Int, _ processors: UnsafePointer<UInt64>
) -> Int32
@_silgen_name("pthread_setname_np") private func setName(_ thread: pthread_t, _ name: UnsafePointer<CChar>) -> Int32
private func unshareNetwork() -> Int32 { unshare(0x4000_0000) }

/// What the worker puts back by itself.
let cheapChanges: [String: @Sendable () throws -> Void] = [
  "mask": { umask(0o777) },
  "working_folder": { chdir("/") },
]

/// Swift lets no concurrent code touch the variable.
private func standardOutput() -> UnsafeMutablePointer<FILE> {
  dlsym(nil, "stdout")!.assumingMemoryBound(to: UnsafeMutablePointer<FILE>.self).pointee
}
