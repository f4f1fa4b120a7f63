import Engine
import Foundation
import Processes
import Scheduling
import Storage
import Workers

/// Prints the log of a task, also while it grows.
struct LogFollower {
  let workspace: Workspace
  let run: DAGRun
  let taskID: String

  /// Everything there is of a try. A task that printed nothing has no file.
  func printLog(ofTry tryNumber: Int, isRunning: Bool) throws {
    var position = Position(tryNumber: tryNumber)
    try copy(from: &position, isRunning: isRunning)
  }

  /// Prints what comes, and goes on with the next try, until the task has ended.
  func follow(from tryNumber: Int) async throws -> ExitStatus {
    let reader = try workspace.existingReader()
    let key = TaskInstanceKey(run: run.number, taskID: taskID)
    var position = Position(tryNumber: tryNumber)
    while true {
      // Asked before the log is read, so that the last lines are not missed.
      guard let task = try reader.taskInstance(key) else { return .success }
      let current = task.instance.tryNumber
      let isOver = current > position.tryNumber || (task.instance.state.isFinished && current == position.tryNumber)
      try copy(from: &position, isRunning: current == position.tryNumber && task.instance.state.isActive)
      if task.instance.state.isFinished && current <= position.tryNumber {
        return task.instance.state == .failed ? .runFailed : .success
      }
      if isOver {
        position = Position(tryNumber: position.tryNumber + 1)
        workspace.session.errors.line("try \(position.tryNumber):")
        continue
      }
      try await Task.sleep(for: .milliseconds(100))
    }
  }

  private struct Position {
    var tryNumber: Int
    var printedBytes = 0
  }

  /// The log, and for a Swift task that still runs the output of its worker, which becomes the log when it ends: the
  /// bytes are the same, so one position serves both.
  private func copy(from position: inout Position, isRunning: Bool) throws {
    let path = workspace.home.logPath(
      dagID: run.dagID, runID: run.runID, taskID: taskID, tryNumber: position.tryNumber)
    var bytes = readWholeFile(path)
    if bytes == nil && isRunning { bytes = workerOutput(ofTry: position.tryNumber) }
    guard let bytes, bytes.count > position.printedBytes else { return }
    // Half a character at the end waits for its other half; a log that is no text is shown as well as it can be.
    var end = bytes.count
    if isRunning { while end > position.printedBytes && end > bytes.count - 4 && bytes[end - 1] >= 0x80 { end -= 1 } }
    workspace.session.output.write(String(decoding: bytes[position.printedBytes..<end], as: UTF8.self))
    position.printedBytes = end
  }

  private func workerOutput(ofTry tryNumber: Int) -> [UInt8]? {
    let wanted = TryID(run: run.number, taskID: taskID, tryNumber: tryNumber)
    let workers = (try? FileManager.default.contentsOfDirectory(atPath: workspace.home.workersPath)) ?? []
    for name in workers {
      let folder = workspace.home.workersPath + "/" + name
      guard let entry = WorkerJournal(folder: folder)?.last, entry.id == wanted else { continue }
      return readWholeFile(WorkerOutput.path(in: folder))
    }
    return nil
  }
}
