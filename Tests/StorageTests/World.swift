import Dagrun
import Foundation
import Model
import Scheduling
import Storage

/// A folder of its own for a test, removed with it.
final class Folder {
  let path: String

  /// - Parameter inMemory: where there is a file system in memory, for tests that would wait for the disk all day.
  init(inMemory: Bool = false) {
    let memory = "/dev/shm"
    let parent =
      inMemory && FileManager.default.isWritableFile(atPath: memory)
      ? URL(fileURLWithPath: memory) : FileManager.default.temporaryDirectory
    path = parent.appendingPathComponent("dagrun-storage-\(UUID().uuidString)").path
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var database: String { path + "/dagrun.db" }

  func file(_ name: String) -> String { path + "/" + name }
}

func at(_ seconds: Int64) -> Timestamp { Timestamp(microseconds: seconds * 1_000_000 + 7) }

func description(_ dagID: String, tasks: [String], dependsOnPast: Bool = false) -> DAGDescription {
  let here = SourceLocation(file: "\(dagID).swift", line: 1)
  var description = DAGDescription(id: dagID, location: here)
  description.tasks = tasks.map { id in
    var task = TaskDescription(id: id, work: .swift, location: here)
    task.dependsOnPast = dependsOnPast
    return task
  }
  return description
}

func storedVersion(_ description: DAGDescription, _ version: String = "v1") -> StoredVersion {
  StoredVersion(
    version: version, dagID: description.id,
    description: String(decoding: try! JSONEncoder().encode(description), as: UTF8.self),
    libraryPath: "/home/cache/\(version).so", entryName: "entry_\(version)", sourcePath: "/dags/\(description.id).swift"
  )
}

func run(
  _ number: Int64, dagID: String = "etl", state: DAGRunState = .running, logicalDate: Timestamp? = nil,
  version: String = "v1"
) -> DAGRun {
  DAGRun(
    number: number, dagID: dagID, runID: "manual__\(number)", type: .manual, state: state, logicalDate: logicalDate,
    dataInterval: nil, runAfter: at(100), queuedAt: at(100 + number), startDate: state == .queued ? nil : at(200),
    endDate: state.isFinished ? at(300) : nil, conf: "{}", version: version)
}

func task(_ id: String, _ state: TaskState = .none, tryNumber: Int = 0) -> TaskInstance {
  TaskInstance(taskID: id, state: state, tryNumber: tryNumber, maxTries: 0)
}

func key(_ taskID: String, run: Int64 = 1) -> TaskInstanceKey { TaskInstanceKey(run: run, taskID: taskID) }

extension Store {
  /// A DAG of these tasks, known and stored.
  func add(_ dagID: String = "etl", tasks: [String] = ["extract", "load"], dependsOnPast: Bool = false) throws {
    try saveVersions([storedVersion(description(dagID, tasks: tasks, dependsOnPast: dependsOnPast))])
    try commit([.dagStored(DAGRecord(dagID: dagID, version: "v1"))])
  }

  /// none -> running.
  func launch(_ key: TaskInstanceKey, from: TaskState = .none, tryNumber: Int = 1) throws {
    try commit([.taskChanged(launching(key, from: from, tryNumber: tryNumber))])
  }

  func finish(_ key: TaskInstanceKey, as state: TaskState = .success, tryNumber: Int = 1) throws {
    try commit([.taskChanged(finishing(key, as: state, tryNumber: tryNumber))])
  }
}

func launching(_ key: TaskInstanceKey, from: TaskState = .none, tryNumber: Int = 1) -> TaskTransition {
  TaskTransition(
    key: key, from: from, fromTry: tryNumber - 1,
    to: TaskInstance(
      taskID: key.taskID, state: .running, tryNumber: tryNumber, maxTries: 3, startDate: at(Int64(tryNumber) * 1000)))
}

func finishing(_ key: TaskInstanceKey, as state: TaskState = .success, tryNumber: Int = 1) -> TaskTransition {
  let start = at(Int64(tryNumber) * 1000)
  let end = at(Int64(tryNumber) * 1000 + 5)
  return TaskTransition(
    key: key, from: .running, fromTry: tryNumber,
    to: TaskInstance(
      taskID: key.taskID, state: state, tryNumber: tryNumber, maxTries: 3, startDate: start, endDate: end,
      retryAt: state == .upForRetry ? at(Int64(tryNumber) * 1000 + 9) : nil),
    ended: ended(tryNumber, state == .upForRetry ? .failed : state))
}

func ended(_ tryNumber: Int, _ state: TaskState) -> TryRecord {
  TryRecord(
    tryNumber: tryNumber, state: state, startDate: at(Int64(tryNumber) * 1000),
    endDate: at(Int64(tryNumber) * 1000 + 5), reason: state == .failed ? "exit code 7" : nil,
    exitCode: state == .failed ? 7 : 0, signal: nil, usage: Usage(cpuSeconds: 0.25, peakMemoryBytes: 1 << 20))
}
