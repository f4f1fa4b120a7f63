internal import CLinux
package import Glibc

/// Makes this process the new parent of every descendant that loses its own, so that none gets away.
package func becomeSubreaper() throws(SystemError) {
  if clinux_become_subreaper() != 0 { throw SystemError("become the reaper of orphaned descendants") }
}

/// Whether this process still is what `becomeSubreaper` has made it.
package func isSubreaper() -> Bool { clinux_is_subreaper() != 0 }

/// This process does not outlive the one that started it, however that ends. The thread that starts it has to wait for it.
package func dieWithParent() {
  let parent = getppid()
  // Refused by no kernel; and without it, there is still the time limit of whoever waits.
  _ = clinux_die_with_parent()
  if getppid() != parent { _exit(1) }
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
