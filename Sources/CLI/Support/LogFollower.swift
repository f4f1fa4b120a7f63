import Control
import Foundation
import Model
import Presentation
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
    log.read(isRunning: isRunning, workspace.session.output.log)
  }

  /// What of the try could not be kept, as its record says.
  func tellLoss(ofTry tryNumber: Int) throws {
    let tries = try workspace.existingReader().tries(TaskInstanceKey(run: run.number, taskID: taskID))
    guard let loss = tries.first(where: { $0.tryNumber == tryNumber })?.loss else { return }
    workspace.session.errors.line("dagrun: \(loss)")
  }

  /// Prints what comes, then what comes of the next try, until the task has ended.
  func follow(from tryNumber: Int) async throws -> CommandExit {
    let reader = try workspace.existingReader()
    let key = TaskInstanceKey(run: run.number, taskID: taskID)
    var tryNumber = tryNumber
    var log = log(ofTry: tryNumber)
    var quiet = QuietTask()
    let wakes = LogWakes(database: workspace.home.databasePath)
    while true {
      wakes.watch(log.path)
      if let output = log.workerOutput { wakes.watch(output) }
      // Asked before the log is read, so that the last lines are not missed.
      guard let task = try reader.taskInstance(key)?.instance else { return .success }
      let isRunning = task.tryNumber == tryNumber && task.state.isActive
      if isRunning && log.workerOutput == nil { log.workerOutput = workerOutput(ofTry: tryNumber) }
      var hasPrinted = false
      log.read(isRunning: isRunning) { text in
        hasPrinted = hasPrinted || !text.isEmpty
        workspace.session.output.log(text)
      }
      if quiet.isDue(task, hasPrinted: hasPrinted) { await sayWhatIsWaitedFor() }
      if !isRunning && task.tryNumber >= tryNumber { try tellLoss(ofTry: tryNumber) }
      if task.state.isFinished && task.tryNumber <= tryNumber {
        return task.state == .failed ? .runFailed : .success
      }
      if task.tryNumber > tryNumber {
        tryNumber += 1
        log = self.log(ofTry: tryNumber)
        workspace.session.errors.line("try \(tryNumber):")
      } else {
        try await wakes.wait(atMost: Quiet.seconds)
      }
    }
  }

  /// Nothing has come for some seconds, and the task has not been explained in its state.
  private struct QuietTask {
    private var since = Date()
    private var explained: TaskInstance?

    mutating func isDue(_ task: TaskInstance, hasPrinted: Bool) -> Bool {
      if hasPrinted { since = Date() }
      guard !task.state.isFinished, Date().timeIntervalSince(since) >= Quiet.seconds,
        explained?.state != task.state || explained?.tryNumber != task.tryNumber
      else { return false }
      explained = task
      return true
    }
  }

  private func sayWhatIsWaitedFor() async {
    let request = ControlRequest.explain(dagID: run.dagID, runID: run.runID, taskID: taskID)
    guard case .reasons(_, let reasons) = try? await workspace.ask(request), !reasons.isEmpty else { return }
    workspace.session.errors.line("waiting for \(taskID): \(reasons.joined(separator: "; "))")
  }

  private func log(ofTry tryNumber: Int) -> TryLogTail {
    TryLogTail(path: workspace.home.logPath(of: key(ofTry: tryNumber), dagID: run.dagID, runID: run.runID))
  }

  private func key(ofTry tryNumber: Int) -> TryKey { TryKey(run: run.number, taskID: taskID, number: tryNumber) }

  /// Which worker is at the try, by the workers' journals.
  private func workerOutput(ofTry tryNumber: Int) -> String? {
    let wanted = key(ofTry: tryNumber)
    let workers = (try? FileManager.default.contentsOfDirectory(atPath: workspace.home.workersPath)) ?? []
    let folders = workers.map { workspace.home.workersPath + "/" + $0 }
    return folders.first { WorkerJournal(folder: $0)?.last?.key == wanted }.map(WorkerOutput.path(in:))
  }
}
