internal import Foundation
internal import Processes
internal import Workers

/// What a worker process leaves behind.
enum WorkerFolder {
  static func remove(_ folder: String) { try? FileManager.default.removeItem(atPath: folder) }

  /// Kills what the task of a worker that died has started.
  ///
  /// - Returns: how many there were.
  @discardableResult
  static func killSurvivors(_ folder: String, _ journal: WorkerJournal?) -> Int {
    let leaders = [journal?.worker, journal?.last?.process].compactMap { $0 }
    return Processes.killSurvivors(markedBy: TaskEnvironment.marker, folder, leaders: leaders)
  }

  /// After a worker that died under its task: kills what the task has started, and saves what it printed.
  ///
  /// - Parameter note: added to the task's log.
  static func cleanUp(_ folder: String, journal: WorkerJournal?, logPath: String, note: String?) {
    let killed = killSurvivors(folder, journal)
    do throws(SystemError) {
      try WorkerOutput.move(from: folder, to: logPath)
    } catch {
      WorkerOutput.note("what the task printed is still in \(WorkerOutput.path(in: folder)): \(error)", inLog: logPath)
    }
    if let note { WorkerOutput.note(note, inLog: logPath) }
    if killed > 0 {
      WorkerOutput.note(
        "killed \(killed) \(killed == 1 ? "process" : "processes") that the task had left behind", inLog: logPath)
    }
  }
}
