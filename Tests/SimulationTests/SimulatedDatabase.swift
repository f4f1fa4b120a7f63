import Dagrun
import Foundation
import Model
import ModelDatabase
import Scheduling
import Storage

/// The real database, with the model beside it: both are told the same, and must say the same.
final class SimulatedDatabase {
  struct Difference: Error, CustomStringConvertible {
    let description: String
  }

  private let folder: URL
  private(set) var store: Store
  private(set) var model = ModelDatabase()

  init() throws {
    // In memory where that is possible: thousands of commits would wait for the disk for nothing.
    let memory = URL(fileURLWithPath: "/dev/shm")
    let parent =
      FileManager.default.isWritableFile(atPath: memory.path) ? memory : FileManager.default.temporaryDirectory
    folder = parent.appendingPathComponent("dagrun-simulation-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    store = try Store(path: folder.path + "/dagrun.db")
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func commit(_ changes: [Change]) throws {
    try store.commit(changes)
    try model.commit(changes)
  }

  /// Through a new connection, as another process does.
  func reopen() throws {
    try? store.close()
    store = try Store(path: folder.path + "/dagrun.db")
  }

  func runs(dagID: String) throws -> [RunSnapshot] {
    let runs = try store.runSnapshots(dagID: dagID).sorted { $0.run.number < $1.run.number }
    if runs != model.runs(dagID: dagID) { throw Difference(description: "runs of \(dagID): \(runs)") }
    return runs
  }

  /// What a scheduler does not read back: outputs, and what is kept of each try.
  func verify() throws {
    for dag in try store.dags() {
      for snapshot in try runs(dagID: dag.record.dagID) {
        for task in snapshot.tasks {
          try verify(task, TaskInstanceKey(run: snapshot.run.number, taskID: task.taskID, mapIndex: task.mapIndex))
        }
      }
    }
    let problems = try store.check()
    if !problems.isEmpty { throw Difference(description: "\(problems)") }
  }

  private func verify(_ task: TaskInstance, _ key: TaskInstanceKey) throws {
    let output = try store.output(key)
    if output != model.outputs[key] { throw Difference(description: "output of \(key): \(output ?? "none")") }
    let tries = try store.tries(key)
    if tries.map(\.tryNumber) != tries.map(\.tryNumber).sorted() { throw Difference(description: "\(key): \(tries)") }
    for (number, ended) in model.tries[key, default: [:]] {
      guard let kept = tries.first(where: { $0.tryNumber == number }) else {
        throw Difference(description: "\(key): try \(number) is lost")
      }
      let isSame =
        kept.state == ended.state && kept.startDate == ended.startDate && kept.endDate == ended.endDate
        && kept.exitCode == ended.exitCode && kept.signal == ended.signal && kept.usage == ended.usage
      if !isSame { throw Difference(description: "\(key): try \(number) was \(ended), and is kept as \(kept)") }
    }
  }
}
