internal import Glibc

/// Kills what is left of a process that died without ending its descendants: all processes that have `variable` set to
/// `value` in the environment they were started with, and all in the sessions given.
///
/// - Returns: how many there were.
@discardableResult
package func killSurvivors(markedBy variable: String, _ value: String, leaders: [ProcessIdentity]) -> Int {
  // A session keeps the number of its leader from being used again. When another process has the number, the session
  // was empty, and what has its number now is somebody else's.
  let sessions = Set(
    leaders.filter { leader in ProcessStatus(of: leader.pid).map { $0.startTime == leader.startTime } ?? true }.map(
      \.pid))
  let marker = Array("\(variable)=\(value)".utf8)
  var killed: Set<pid_t> = []
  // What is started while the list is read is found the next time. What was killed starts nothing more; it may take its
  // time to end, when it waits for a disk, and is not waited for.
  while true {
    var found = 0
    for pid in allProcesses() where pid != getpid() {
      guard let status = ProcessStatus(of: pid), !status.hasEnded else { continue }
      guard sessions.contains(status.session) || environment(of: pid).contains(where: { $0.elementsEqual(marker) })
      else { continue }
      if kill(pid, SIGKILL) == 0, killed.insert(pid).inserted { found += 1 }
    }
    if found == 0 { return killed.count }
    sched_yield()
  }
}

private func allProcesses() -> [pid_t] {
  guard let directory = opendir("/proc") else { return [] }
  defer { closedir(directory) }
  var found: [pid_t] = []
  while let entry = readdir(directory) {
    let pid = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { pid_t(String(cString: $0)) }
    }
    if let pid { found.append(pid) }
  }
  return found
}

private func environment(of pid: pid_t) -> [ArraySlice<UInt8>] {
  (readWholeFile("/proc/\(pid)/environ") ?? []).split(separator: 0)
}
