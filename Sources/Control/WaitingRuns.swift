/// What runs wait for.
package struct WaitingRuns: Codable, Hashable, Sendable {
  /// The first of `count`.
  package var tasks: [WaitingTask]
  package var count: Int
  /// Those that have not ended.
  package var unfinishedRuns: [Int64]
  /// Nothing of them moves, and nothing will before a person does something.
  package var isStuck: Bool

  package init(tasks: [WaitingTask], count: Int, unfinishedRuns: [Int64], isStuck: Bool) {
    self.tasks = tasks
    self.count = count
    self.unfinishedRuns = unfinishedRuns
    self.isStuck = isStuck
  }

  package struct WaitingTask: Codable, Hashable, Sendable {
    package var runID: String
    /// nil: the run as a whole waits.
    package var taskID: String?
    /// As `explain` says it.
    package var words: String
    /// Which reasons they are, whatever the numbers in them.
    package var kind: String
    /// It is at work: a process, or a job.
    package var isActive: Bool
    /// What it waits for cannot come by itself.
    package var isForever: Bool

    package init(
      runID: String, taskID: String?, words: String, kind: String, isActive: Bool, isForever: Bool
    ) {
      self.runID = runID
      self.taskID = taskID
      self.words = words
      self.kind = kind
      self.isActive = isActive
      self.isForever = isForever
    }
  }
}
