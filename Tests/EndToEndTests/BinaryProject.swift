import Foundation
import Processes
import Testing

/// A temporary folder with a `dags/` folder, and the binary that was just built, used by its commands as a person
/// would.
struct BinaryProject {
  let folder: String
  let binary: String

  /// - Parameter name: of the folder, which may hold anything a folder's name may.
  init(_ name: String = "project") throws {
    let parent = FileManager.default.temporaryDirectory.appendingPathComponent("dagrun-\(UUID().uuidString)")
    folder = parent.appendingPathComponent(name).path
    binary = Self.builtBinary
    try FileManager.default.createDirectory(atPath: folder + "/dags", withIntermediateDirectories: true)
  }

  func remove() {
    try? FileManager.default.removeItem(atPath: (folder as NSString).deletingLastPathComponent)
  }

  /// Beside the test bundle, where the package manager puts all products.
  static let builtBinary: String = {
    let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("dagrun").path
  }()

  func write(_ file: String, _ text: String) throws {
    let path = folder + "/" + file
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try text.write(toFile: path, atomically: true, encoding: .utf8)
  }

  func spawn(_ arguments: [String], environment: [String: String] = [:]) -> Spawn {
    var inherited = ProcessInfo.processInfo.environment
    for name in inherited.keys where name.hasPrefix("DAGRUN_") && name != "DAGRUN_LIBRARY_PATH" {
      inherited[name] = nil
    }
    inherited["DAGRUN_MODULE_CACHE"] = Project.moduleCache
    return Spawn(
      binary, arguments, environment: inherited.merging(environment) { $1 }, workingDirectory: folder)
  }

  /// Runs a command to its end.
  func run(
    _ arguments: [String], environment: [String: String] = [:], timeout: Double = 60
  ) throws -> CapturedProcess {
    let process = try spawn(arguments, environment: environment).run(timeout: timeout)
    #expect(!process.hasTimedOut, "dagrun \(arguments.joined(separator: " ")) took over \(timeout) s")
    return process
  }

  /// Starts a command and kills it. False when it ended by itself before.
  func kill(_ arguments: [String], afterSeconds seconds: Double) throws -> Bool {
    var spawn = spawn(arguments)
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(null) }
    spawn.descriptors = [0: null, 1: null, 2: null]
    let pid = try spawn.start()
    let process = try ProcessDescriptor(pid: pid)
    let hasEnded = process.hasEnded(within: Int32(seconds * 1_000))
    process.signal(SIGKILL)
    _ = waitForChild(pid)
    return !hasEnded
  }

  /// What a command prints with `-o json`.
  func json(_ arguments: [String]) throws -> Any {
    let process = try run(arguments + ["-o", "json"])
    return try JSONSerialization.jsonObject(with: Data(process.captured[1] ?? []))
  }

  func runState(_ dag: String, _ run: String) throws -> String? {
    let runs = try json(["dags", "list-runs", dag]) as? [[String: Any]] ?? []
    return runs.first { $0["dag_run_id"] as? String == run }?["state"] as? String
  }

  func hasRun(_ dag: String, _ run: String) throws -> Bool { try runState(dag, run) != nil }

  struct TaskState {
    var taskID: String
    var state: String?
    var tryNumber: Int

    init(_ record: [String: Any]) {
      taskID = record["task_id"] as? String ?? ""
      state = record["state"] as? String
      tryNumber = record["try_number"] as? Int ?? 0
    }
  }

  func taskStates(_ dag: String, _ run: String) throws -> [TaskState] {
    let tasks = try json(["tasks", "states-for-dag-run", dag, run]) as? [[String: Any]] ?? []
    return tasks.map(TaskState.init)
  }
}
