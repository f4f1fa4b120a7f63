import Control
import Dagrun
import Executors
import Foundation
import Logging
import Model
import Processes
import Scheduling
import Storage
import Testing
import WaitSupport
import Workers

@testable import Engine

/// A home with DAG files, and engines in this process that run them with real workers.
final class EngineHarness {
  let folder: String
  let home: Home

  /// One for all tests: what the compiler makes of the system's headers takes it seconds.
  private static let moduleCache: String = {
    let path = NSTemporaryDirectory() + "dagrun-engine-tests"
    try? makeFolders(path)
    return path
  }()

  init(_ files: [String: String]) throws {
    folder = NSTemporaryDirectory() + "dagrun-engine-\(UUID().uuidString)"
    home = Home(path: folder + "/home")
    try makeFolders(folder + "/dags")
    try makeFolders(home.path)
    for (name, text) in files { try write(name, text) }
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func write(_ name: String, _ text: String) throws {
    try text.write(toFile: folder + "/dags/" + name, atomically: true, encoding: .utf8)
  }

  /// The dagrun that was built with these tests.
  private static let executable: String = {
    let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("dagrun").path
  }()

  /// The way to Compute Engine, for engines that are started from now on.
  var jobAccess: (@Sendable () throws -> JobAccess)?

  /// Of all its engines.
  let logMessages = WatchedState<[String]>([])

  /// `Engine.Options.onQueueTime`, likewise.
  var onQueueTime: (@Sendable (ControlRequest, Double) -> Void)?

  func start(_ mode: Engine.Mode = .scheduler, graceSeconds: Double = 10) async throws -> Engine {
    var options = Engine.Options(
      home: home, dagsFolder: folder + "/dags", executable: Self.executable,
      workerProgram: WorkerProgram(executable: Self.executable))
    options.mode = mode
    options.moduleCacheFolder = Self.moduleCache
    options.graceSeconds = graceSeconds
    options.jobAccess = jobAccess
    options.onQueueTime = onQueueTime
    let log = RecordedLog(messages: logMessages)
    return try await Engine.start(options, logger: Logger(label: "test") { _ in log })
  }

  /// Runs a DAG to its end in an engine of its own.
  func run(_ dagID: String, conf: String = "{}") async throws -> Ran {
    let engine = try await start()
    let control = EngineControl(engine)
    let run = try await trigger(dagID, conf: conf, control)
    let last = try await control.end(of: run.number)
    await engine.stop()
    return try ran(last)
  }

  func trigger(_ dagID: String, conf: String = "{}", _ control: any Control) async throws -> RunSummary {
    let reply = try await control.send(.trigger(dagID: dagID, runID: nil, logicalDate: nil, conf: conf))
    guard case .run(let run, created: true) = reply else { throw UnexpectedReply(reply: reply) }
    return run
  }

  struct UnexpectedReply: Error { var reply: ControlReply }

  struct Ran {
    var run: RunSummary
    var tasks: [String: TaskRecord]
    var outputs: [String: String]
    var logs: [String: String]

    var states: [String: TaskState] { tasks.mapValues(\.instance.state) }
  }

  func ran(_ run: RunSummary) throws -> Ran {
    let reader = try StoreReader(path: home.databasePath)
    let tasks = try reader.taskInstances(run: run.number)
    var logs: [String: String] = [:]
    for task in tasks {
      let key = TryKey(task.key, task.instance.tryNumber)
      let path = home.logPath(of: key, dagID: run.dagID, runID: run.runID)
      logs[task.instance.taskID] = try? String(contentsOfFile: path, encoding: .utf8)
    }
    return Ran(
      run: run, tasks: Dictionary(uniqueKeysWithValues: tasks.map { ($0.instance.taskID, $0) }),
      outputs: try reader.outputs(run: run.number, tasks.map(\.instance.taskID)), logs: logs)
  }

  /// Waits until the file is there, and not empty.
  func waitFor(_ file: String) -> String {
    let path = folder + "/" + file
    guard waitForContents(of: path) else {
      Issue.record("\(file) has not come")
      return ""
    }
    return readWholeFile(path).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// Waits until the folder is empty; false when that takes too long.
  func waitForNothing(in folder: String, seconds: Double = 30) -> Bool {
    wait(forChangesIn: folder, seconds: seconds) {
      (try? FileManager.default.contentsOfDirectory(atPath: folder))?.isEmpty == true
    }
  }

  func text(_ file: String) -> String {
    (try? String(contentsOfFile: folder + "/" + file, encoding: .utf8)) ?? ""
  }
}

extension Control {
  /// Follows a run to its end.
  func end(of run: Int64) async throws -> RunSummary {
    var last: RunSummary?
    for try await progress in follow(run: run) { last = progress.run }
    return try #require(last)
  }
}
