package import Model
package import Preparation

/// A workload as a worker is given it.
package struct TryAssignment: Hashable, Sendable {
  /// Not of jobs: they need no worker.
  package var workload: TaskWorkload
  /// Between SIGTERM (or the cancellation of a Swift task) and SIGKILL.
  package var graceSeconds: Double
  /// Stopped when whoever gave it to the worker is gone. Otherwise it continues, and the next scheduler finds its end.
  package var endsWithItsGiver: Bool

  package init(_ workload: TaskWorkload, graceSeconds: Double, endsWithItsGiver: Bool = false) {
    self.workload = workload
    self.graceSeconds = graceSeconds
    self.endsWithItsGiver = endsWithItsGiver
  }

  package var key: TryKey { workload.key }
}
