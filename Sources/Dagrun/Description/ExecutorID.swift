/// Names what runs a task. What the task does is apart from it: a shell task may run here, or on another machine.
package struct ExecutorID: RawRepresentable, Codable, Hashable, Sendable {
  package var rawValue: String

  package init(rawValue: String) { self.rawValue = rawValue }

  /// Worker processes of this machine.
  package static let local = ExecutorID(rawValue: "local")
  /// A machine of Compute Engine for each job.
  package static let computeEngine = ExecutorID(rawValue: "compute_engine")
}

extension TaskDescription.Work {
  package var defaultExecutor: ExecutorID {
    switch self {
    case .empty, .bash, .madeScript, .swift: .local
    case .computeEngineJob: .computeEngine
    }
  }
}
