internal import Dagrun
internal import Glibc
internal import Model

/// The variables of a shell task: those of the scheduler, then those of its workload.
package enum TaskEnvironment {
  /// Marks every process that a worker's tasks have started, so that none survives a worker that is killed.
  package static let marker = "DAGRUN_WORKER"
  /// How the Swift runtime reports a crash of a Swift task: into the log.
  package static let backtrace = "SWIFT_BACKTRACE"
  /// What the scheduler itself had in `backtrace`; the worker's shell tasks get that back.
  package static let inheritedBacktrace = "DAGRUN_INHERITED_SWIFT_BACKTRACE"

  static func inherited() -> [String: String] {
    var all = currentEnvironment()
    all[backtrace] = all.removeValue(forKey: inheritedBacktrace)
    return all
  }

  static func merge(
    _ inherited: [String: String], outputPath: String, _ own: [String: String]
  ) -> [String: String] {
    var all = inherited
    all["DAGRUN_OUTPUT"] = outputPath
    for (name, value) in own { all[name] = value }
    return all
  }

  package static func currentEnvironment() -> [String: String] {
    var all: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
      let text = String(cString: entry)
      if let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) {
        all[String(text[..<equals])] = String(text[text.utf8.index(after: equals)...])
      }
      next += 1
    }
    return all
  }
}
