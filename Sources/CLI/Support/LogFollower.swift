import Engine
import Foundation
import Scheduling
import Storage
import Workers

/// Prints the log of a task of a run, also while it grows.
struct LogFollower {
  let workspace: Workspace
  let run: DAGRun
  let taskID: String

  /// Everything there is of a try. A task that printed nothing has no file.
  func printLog(ofTry tryNumber: Int, isRunning: Bool) {
    var log = log(ofTry: tryNumber)
    if isRunning { log.workerOutput = workerOutput(ofTry: tryNumber) }
    log.read(isRunning: isRunning, workspace.session.output.write)
  }

  /// Prints what comes, and goes on with the next try, until the task has ended.
  func follow(from tryNumber: Int) async throws -> ExitStatus {
    let reader = try workspace.existingReader()
    let key = TaskInstanceKey(run: run.number, taskID: taskID)
    var tryNumber = tryNumber
    var log = log(ofTry: tryNumber)
    while true {
      // Asked before the log is read, so that the last lines are not missed.
      guard let task = try reader.taskInstance(key)?.instance else { return .success }
      let isRunning = task.tryNumber == tryNumber && task.state.isActive
      if isRunning && log.workerOutput == nil { log.workerOutput = workerOutput(ofTry: tryNumber) }
      log.read(isRunning: isRunning, workspace.session.output.write)
      if task.state.isFinished && task.tryNumber <= tryNumber {
        return task.state == .failed ? .runFailed : .success
      }
      if task.tryNumber > tryNumber {
        tryNumber += 1
        log = self.log(ofTry: tryNumber)
        workspace.session.errors.line("try \(tryNumber):")
      } else {
        try await Task.sleep(for: .milliseconds(100))
      }
    }
  }

  private func log(ofTry tryNumber: Int) -> TryLog {
    TryLog(
      path: workspace.home.logPath(dagID: run.dagID, runID: run.runID, taskID: taskID, tryNumber: tryNumber))
  }

  /// Which worker is at the try, by the workers' journals.
  private func workerOutput(ofTry tryNumber: Int) -> String? {
    let wanted = TryID(run: run.number, taskID: taskID, tryNumber: tryNumber)
    let workers = (try? FileManager.default.contentsOfDirectory(atPath: workspace.home.workersPath)) ?? []
    let folders = workers.map { workspace.home.workersPath + "/" + $0 }
    return folders.first { WorkerJournal(folder: $0)?.last?.id == wanted }.map(WorkerOutput.path(in:))
  }
}
