package import Control
package import Scheduling

extension WaitingRuns {
  package init(_ waiting: Waiting) {
    let tasks = waiting.tasks.map { task in
      WaitingTask(
        runID: task.runID, taskID: task.taskID, words: task.reasons.map(\.description).joined(separator: "; "),
        kind: task.reasons.map(\.kind.rawValue).joined(separator: " "),
        isActive: task.reasons.contains { $0.kind == .active || $0.kind == .waitsForMachine },
        isForever: task.isForever)
    }
    self.init(
      tasks: tasks, count: waiting.count, unfinishedRuns: waiting.unfinishedRuns, isStuck: waiting.isStuck)
  }
}
