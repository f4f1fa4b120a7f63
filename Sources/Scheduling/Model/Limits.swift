/// What holds for all DAGs together.
package struct Limits: Hashable, Sendable {
  /// Task instances that are active at once. 0 is for a scheduler that only answers requests, in a command that runs
  /// where no engine does: it starts no run and no task, and makes no scheduled run.
  package var parallelism: Int

  package init(parallelism: Int = 32) { self.parallelism = parallelism }

  package static let offline = Limits(parallelism: 0)

  package var isOffline: Bool { parallelism <= 0 }
}
