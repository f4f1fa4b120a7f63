/// What holds for all DAGs together.
package struct Limits: Hashable, Sendable {
  /// Task instances that are active on this machine at once; jobs, which have machines of their own, do not count. 0 is
  /// for a scheduler that only answers requests, in a command that runs where no engine does: it starts no run and no
  /// task, and makes no scheduled run.
  package var parallelism: Int
  /// False for a command that is its own scheduler until its run has ended: nobody asked it for the runs that are due.
  package var makesScheduledRuns: Bool
  /// About how many runs a step makes, starts or ends, and how many task instances it makes or moves, by itself. What
  /// would be more is left to the next step, so that nothing else waits for it.
  package var stepRuns = 1000
  package var stepTasks = 100_000

  package init(parallelism: Int = 32, makesScheduledRuns: Bool = true) {
    self.parallelism = parallelism
    self.makesScheduledRuns = makesScheduledRuns && parallelism > 0
  }

  package static let offline = Limits(parallelism: 0)

  package var isOffline: Bool { parallelism <= 0 }
}
