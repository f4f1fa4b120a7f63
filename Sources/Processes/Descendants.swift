internal import CLinux
package import Glibc

/// Makes this process the new parent of every descendant that loses its own, so that none gets away.
package func becomeSubreaper() throws(SystemError) {
  if clinux_become_subreaper() != 0 { throw SystemError("become the reaper of orphaned descendants") }
}

/// Whether this process still is what `becomeSubreaper` has made it.
package func isSubreaper() -> Bool { clinux_is_subreaper() != 0 }

/// This process does not outlive the one that started it, however that ends. The thread that starts it has to wait for
/// it.
package func dieWithParent() {
  let parent = getppid()
  // Refused by no kernel; and without it, there is still the time limit of whoever waits.
  _ = clinux_die_with_parent()
  if getppid() != parent { _exit(1) }
}

/// Lets another process do something, and outlives whatever that does: every process that it has started and left is
/// killed when it has ended, also one in a session of its own. This process, which must have one thread only, ends as
/// the other one does; with SIGALRM when the time is up, and with SIGTERM when the one that started it has ended.
package func supervise(seconds: Double, _ body: () -> Never) -> Never {
  let parent = getppid()
  _ = clinux_signal_with_parent(SIGTERM)
  if getppid() != parent { _exit(1) }
  _ = clinux_become_subreaper()
  _ = clinux_lower_limit(CLINUX_LIMIT_CORE, 0)
  var awaited = sigset_t()
  var before = sigset_t()
  sigemptyset(&awaited)
  for number in [SIGCHLD, SIGTERM] { sigaddset(&awaited, number) }
  sigprocmask(SIG_BLOCK, &awaited, &before)
  let child = clinux_fork()
  guard child >= 0 else { endAs(.signaled(SIGTERM)) }
  if child == 0 {
    sigprocmask(SIG_SETMASK, &before, nil)
    dieWithParent()
    body()
  }
  let deadline = monotonicSeconds() + seconds
  while true {
    if let ended = waitForChild(child, blocking: false) {
      endAllDescendants()
      endAs(ended.status)
    }
    let left = deadline - monotonicSeconds()
    var time = timespec(tv_sec: Int(min(max(0, left), 1e6)), tv_nsec: 10_000_000)
    let number = left > 0 ? sigtimedwait(&awaited, nil, &time) : 0
    if left <= 0 || number == SIGTERM {
      kill(child, SIGKILL)
      endAllDescendants()
      endAs(.signaled(left <= 0 ? SIGALRM : SIGTERM))
    }
  }
}

private func endAs(_ status: ExitStatus) -> Never {
  switch status {
  case .exited(let code): _exit(code)
  case .signaled(let number):
    // Not the handler that writes a report of a crash.
    signal(number, SIG_DFL)
    var mask = sigset_t()
    sigemptyset(&mask)
    sigprocmask(SIG_SETMASK, &mask, nil)
    kill(getpid(), number)
    _exit(128 + number)
  }
}

/// What code may use that only says something: 4 GiB of address space, some hundred processes, files of 1 GiB.
/// (Processes are counted by user, so those that run now are added; root has no such limit.)
package func limitToDescribing() {
  _ = clinux_lower_limit(CLINUX_LIMIT_MEMORY, 4 << 30)
  _ = clinux_lower_limit(CLINUX_LIMIT_FILE_SIZE, 1 << 30)
  // "0.20 0.18 0.12 1/80 11206": the number after the slash is that of all threads.
  let load = String(decoding: readWholeFile("/proc/loadavg") ?? [], as: UTF8.self)
  let fields = load.split(separator: " ")
  if fields.count > 3, let threads = fields[3].split(separator: "/").last.flatMap({ UInt64($0) }), threads < 1 << 40 {
    _ = clinux_lower_limit(CLINUX_LIMIT_PROCESSES, threads + 256)
  }
}

/// Signals every process of the group. False when the group has none.
@discardableResult
package func signalGroup(_ group: pid_t, _ number: Int32) -> Bool {
  precondition(group > 1, "process group \(group) is not one task's")
  return kill(-group, number) == 0
}

/// Asks every process of the group to end, also those that are stopped: they would not hear it.
package func terminateGroup(_ group: pid_t) {
  signalGroup(group, SIGTERM)
  signalGroup(group, SIGCONT)
}

/// The direct children of a process, also those that wait to be reaped.
package func children(of pid: pid_t) -> [pid_t] {
  let folder = "/proc/\(pid)/task"
  guard let directory = opendir(folder) else { return [] }
  defer { closedir(directory) }
  var found: [pid_t] = []
  while let entry = readdir(directory) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    guard name.utf8.first != UInt8(ascii: "."), let bytes = readWholeFile("\(folder)/\(name)/children") else {
      continue
    }
    for field in bytes.split(separator: UInt8(ascii: " ")) {
      if let child = pid_t(String(decoding: field, as: UTF8.self)) { found.append(child) }
    }
  }
  return found
}

/// All descendants of a process, parents before their children.
package func descendants(of pid: pid_t) -> [pid_t] {
  var found = children(of: pid)
  var next = 0
  while next < found.count {
    found += children(of: found[next])
    next += 1
  }
  return found
}

/// Kills and reaps every descendant of this process, which must be a subreaper and have no children of other business.
///
/// - Returns: how many were still running.
@discardableResult
package func endAllDescendants() -> Int {
  var killed = 0
  while true {
    // Reaps those that have ended by themselves, so that only running ones are counted.
    while true {
      let ended = retrying { waitpid(-1, nil, WNOHANG) }
      if ended == 0 { break }
      if ended < 0 { return killed }
    }
    for descendant in descendants(of: getpid()) where ProcessIdentity(of: descendant) != nil {
      if kill(descendant, SIGKILL) == 0 { killed += 1 }
    }
    // Each killed child hands its own children to this process: at least one ends, then the rest is looked at again.
    _ = retrying { waitpid(-1, nil, 0) }
  }
}
