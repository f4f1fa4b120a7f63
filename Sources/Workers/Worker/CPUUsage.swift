internal import Glibc
internal import Processes

/// What this process had used at some moment, with its children that have ended.
struct CPUUsage: Sendable {
  private let seconds: Double

  init() { seconds = Self.ofThisProcess().cpuSeconds }

  /// Peak memory is that of the process so far: the engine replaces a worker that has grown large.
  func untilNow() -> ResourceUsage {
    var usage = Self.ofThisProcess()
    usage.cpuSeconds = max(0, usage.cpuSeconds - seconds)
    return usage
  }

  static func ofThisProcess() -> ResourceUsage {
    var own = rusage()
    var children = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &own)
    getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &children)
    let (first, second) = (ResourceUsage(own), ResourceUsage(children))
    return ResourceUsage(
      cpuSeconds: first.cpuSeconds + second.cpuSeconds,
      peakMemoryBytes: max(first.peakMemoryBytes, second.peakMemoryBytes))
  }
}
