// How fast runs and tasks are stored. One JSON line a figure; the bound is measured in the same run, on the same disk.
//
//     swift run -c release StorageBenchmark [FOLDER]

import Dagrun
import Foundation
import GRDB
import Model
import Scheduling
import Storage

let parent = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : FileManager.default.currentDirectoryPath
let folder = parent + "/storage-benchmark-\(getpid())"
try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(atPath: folder) }

/// - Returns: seconds.
func measure(_ body: () throws -> Void) rethrows -> Double {
  let clock = ContinuousClock()
  let duration = try clock.measure(body)
  return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
}

func report(_ figure: String, _ value: Double, _ unit: String, _ more: KeyValuePairs<String, Double> = [:]) {
  func number(_ value: Double) -> String { String(format: value < 100 ? "%.3g" : "%.0f", value) }
  let rest = more.map { ",\"\($0.key)\":\(number($0.value))" }.joined()
  print("{\"figure\":\"storage.\(figure)\",\"value\":\(number(value)),\"unit\":\"\(unit)\"\(rest)}")
}

// MARK: The bound: a plain table, one row a transaction, each waited for.

final class Bound {
  private let queue: DatabaseQueue

  init() throws {
    queue = try DatabaseQueue(path: folder + "/bound.db")
    try queue.writeWithoutTransaction { database in
      try database.execute(
        sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")
    }
  }

  /// - Returns: seconds for one commit. Other programs use the disk too, so it is asked before and after a figure.
  func secondsPerCommit() throws -> Double {
    let count = 2000
    return try queue.writeWithoutTransaction { database in
      let insert = try database.makeStatement(sql: "INSERT INTO t VALUES (NULL, 'one row of some length')")
      return try measure { for _ in 0..<count { try insert.execute() } } / Double(count)
    }
  }
}

/// - Returns: seconds of processor time that this process has used.
func processorSeconds() -> Double {
  var usage = rusage()
  getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
  return [usage.ru_utime, usage.ru_stime].map { Double($0.tv_sec) + Double($0.tv_usec) / 1e6 }.reduce(0, +)
}

// MARK: A DAG, its run, and tasks that start and finish.

func describe(_ dagID: String, tasks count: Int) -> DAGDescription {
  let here = SourceLocation(file: "bench.swift", line: 1)
  var description = DAGDescription(id: dagID, location: here)
  description.tasks = (0..<count).map { TaskDescription(id: "task_\($0)", work: .swift, location: here) }
  return description
}

func add(_ description: DAGDescription, to store: Store) throws {
  let json = String(decoding: try JSONEncoder().encode(description), as: UTF8.self)
  try store.saveVersions([
    StoredVersion(
      version: "v1", dagID: description.id, description: json, libraryPath: "", entryName: "", sourcePath: "")
  ])
  try store.commit([.dagStored(DAGRecord(dagID: description.id, version: "v1"))])
}

func newRun(_ number: Int64, of description: DAGDescription, daysAgo: Int64? = nil) -> RunSnapshot {
  let now = Timestamp(Date())
  let run = DAGRun(
    number: number, dagID: description.id, runID: "bench__\(number)", type: .manual, state: .running,
    logicalDate: daysAgo.map { now.adding(seconds: Double(-86400 * $0)) }, dataInterval: nil, runAfter: now,
    queuedAt: now, startDate: now, conf: "{}", version: "v1")
  return RunSnapshot(run: run, tasks: description.tasks.map { TaskInstance(taskID: $0.id, maxTries: 0) })
}

func launch(_ taskID: String, run: Int64) -> Change {
  let key = TaskInstanceKey(run: run, taskID: taskID)
  let task = TaskInstance(taskID: taskID, state: .running, tryNumber: 1, maxTries: 0, startDate: Timestamp(Date()))
  return .taskChanged(TaskTransition(key: key, from: .none, fromTry: 0, to: task))
}

func finish(_ taskID: String, run: Int64) -> Change {
  let key = TaskInstanceKey(run: run, taskID: taskID)
  let now = Timestamp(Date())
  let task = TaskInstance(
    taskID: taskID, state: .success, tryNumber: 1, maxTries: 0, startDate: now, endDate: now)
  let ended = TryRecord(
    tryNumber: 1, state: .success, startDate: now, endDate: now, exitCode: 0,
    usage: Usage(cpuSeconds: 0.01, peakMemoryBytes: 10 << 20))
  return .taskChanged(TaskTransition(key: key, from: .running, fromTry: 1, to: task, ended: ended))
}

/// Each task's end and the start of another, in batches of `size` such pairs.
func taskBatches(_ run: Int64, tasks: [TaskDescription], size: Int) -> [[Change]] {
  stride(from: 0, through: tasks.count - 2 * size, by: size).map { start in
    (start..<start + size).map { position -> [Change] in
      [finish(tasks[position].id, run: run), launch(tasks[position + size].id, run: run)]
    }.flatMap(\.self)
  }
}

let bound = try Bound()
report("one_row_commits", 1 / (try bound.secondsPerCommit()), "1/s")

do {
  let store = try Store(path: folder + "/tasks.db")
  let wide = describe("wide", tasks: 20_000)
  try add(wide, to: store)
  for (number, size) in [1, 16, 64].enumerated() {
    let run = Int64(number + 1)
    let tasks = Array(wide.tasks.prefix(size == 1 ? 5_000 : 20_000))
    try store.commit([.runCreated(newRun(run, of: wide))])
    try store.commit(tasks.prefix(size).map { launch($0.id, run: run) })
    let batches = taskBatches(run, tasks: tasks, size: size)
    let before = try bound.secondsPerCommit()
    let processor = processorSeconds()
    let seconds = try measure { for batch in batches { try store.commit(batch) } }
    let used = processorSeconds() - processor
    let commit = (before + (try bound.secondsPerCommit())) / 2
    let count = Double(batches.count * size)
    report(
      "tasks_in_batches_of_\(size)", count / seconds, "tasks/s",
      [
        "one_row_commits": 1 / commit, "ratio": count / seconds * commit,
        "microseconds_a_task_beyond_the_commit": (seconds - Double(batches.count) * commit) / count * 1e6,
        "processor_microseconds_a_task": used / count * 1e6,
      ])
  }

  // The same statements without waiting for the disk: what a task costs the processor.
  try store.commit([.runCreated(newRun(9, of: wide))])
  try store.commit(wide.tasks.prefix(10_000).map { launch($0.id, run: 9) })
  let batches = taskBatches(9, tasks: wide.tasks, size: 10_000)
  let seconds = try measure { for batch in batches { try store.commit(batch) } }
  report("task_in_one_large_batch", seconds / 10_000 * 1e6, "microseconds")

  // What the engine asks before it launches a task with inputs.
  try store.commit(wide.tasks.prefix(1000).map { .outputStored(TaskInstanceKey(run: 9, taskID: $0.id), json: "12345") })
  let questions = 20_000
  let outputs = try measure {
    for number in 0..<questions { _ = try store.outputs(run: 9, [wide.tasks[number % 1000].id]) }
  }
  report("output_of_a_task", outputs / Double(questions) * 1e6, "microseconds")
  try store.setVariable(Variable(key: "a", value: "1"))
  let variables = try measure { for _ in 0..<questions { _ = try store.variableValues() } }
  report("variables", variables / Double(questions) * 1e6, "microseconds")
  try store.close()
}

do {
  let path = folder + "/large.db"
  let store = try Store(path: path)
  let large = describe("large", tasks: 100_000)
  try add(large, to: store)
  let run = newRun(1, of: large)
  report("insert_100000_tasks", try measure { try store.commit([.runCreated(run)]) }, "s")
  var snapshot = Snapshot()
  report("snapshot_100000_tasks_plan_to_decode", try measure { snapshot = try store.snapshot() }, "s")
  report("snapshot_100000_tasks_plan_known", try measure { _ = try store.snapshot(plans: snapshot.plans) }, "s")

  let chain = describe("chain", tasks: 3)
  try add(chain, to: store)
  let year = (0..<365).map { Change.runCreated(newRun(Int64($0 + 2), of: chain, daysAgo: Int64($0))) }
  report("insert_365_runs_of_3_tasks", try measure { try store.commit(year) } * 1e3, "ms")
  report("delete_100000_tasks", try measure { try store.commit([.dagDeleted(dagID: "large")]) }, "s")
  try store.close()
  report("open", try measure { _ = try Store(path: path) } * 1e3, "ms")
}
