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

  /// After a task of another account, whose worker could not open the log itself.
  ///
  /// - Returns: what of the log was lost, in words.
  static func takeLog(_ folder: String, logPath: String) -> String? {
    do throws(SystemError) {
      try WorkerOutput.move(from: folder, to: logPath)
      return nil
    } catch {
      return "the log lacks what the task printed: \(error)"
    }
  }

  /// After a worker that died under its task: kills what the task has started, and saves what it printed.
  ///
  /// - Parameter note: added to the task's log.
  /// - Returns: what of the log was lost, in words.
  static func cleanUp(_ folder: String, journal: WorkerJournal?, logPath: String, note: String?) -> String? {
    var losses: [String] = []
    func add(_ line: String) {
      if let lost = WorkerOutput.note(line, inLog: logPath) { losses.append("the log lacks \(lost)") }
    }
    let killed = killSurvivors(folder, journal)
    do throws(SystemError) {
      try WorkerOutput.move(from: folder, to: logPath)
    } catch {
      losses.append("the log lacks what the task printed: \(error)")
      add("what the task printed is lost: \(error)")
    }
    if let note { add(note) }
    if killed > 0 { add("killed \(killed) \(killed == 1 ? "process" : "processes") that the task had left behind") }
    return losses.isEmpty ? nil : losses.joined(separator: "; ")
  }
}
