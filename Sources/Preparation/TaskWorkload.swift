package import Dagrun
package import Model

/// All that a try needs to run, wherever it runs: its templates are rendered, its inputs are there.
package struct TaskWorkload: Hashable, Sendable {
  package var key: TryKey
  package var work: Work
  /// There are tasks that read its output: one that cannot be kept fails it.
  package var outputIsRead = true
  /// Values stand in its script, which other users must not see in the list of processes.
  package var hidesScript = false
  /// The account it runs under; nil: that of the scheduler.
  package var user: String?
  /// The states of tasks whose outputs it reads and that have none, by their ids.
  package var missingOutputs: [String: String] = [:]

  package enum Work: Hashable, Sendable {
    case bash(script: String, environment: [String: String], workingDirectory: String?)
    /// A script for bash that the task's closure makes of its inputs, which are as those of `swift`.
    case madeScript(
      library: String, entry: String, inputs: [String], environment: [String: String], workingDirectory: String?)
    /// `library` is the compiled DAG file, `entry` the function that is its top-level code. `inputs` are JSON texts.
    case swift(library: String, entry: String, inputs: [String])
    /// Containers on machines of their own: one, or a group. The specs have all values put in.
    case jobs(of: ComputeEngineJobDescription, [JobSpec])
  }

  package init(_ key: TryKey, work: Work) {
    self.key = key
    self.work = work
  }

  /// Of all values that a task is given: a message to a worker counts its bytes in 32 bits.
  package static let inputLimitBytes = 1 << 30
}

extension TaskWorkload.Work {
  /// Of all its texts together.
  package var bytes: Int {
    switch self {
    case .bash(let script, let environment, let workingDirectory):
      script.utf8.count + (workingDirectory?.utf8.count ?? 0) + Self.bytes(environment)
    case .madeScript(let library, let entry, let inputs, let environment, let workingDirectory):
      library.utf8.count + entry.utf8.count + Self.bytes(inputs) + (workingDirectory?.utf8.count ?? 0)
        + Self.bytes(environment)
    case .swift(let library, let entry, let inputs):
      library.utf8.count + entry.utf8.count + Self.bytes(inputs)
    // What a machine's template may hold is checked with the rest of the request.
    case .jobs: 0
    }
  }

  private static func bytes(_ texts: [String]) -> Int { texts.reduce(0) { $0 + $1.utf8.count } }

  private static func bytes(_ texts: [String: String]) -> Int {
    texts.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
  }
}
