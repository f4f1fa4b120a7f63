import Foundation
import Processes
import Testing
import WaitSupport

/// A project in a temporary folder, whose path has a blank and letters beyond ASCII, and the built `dagrun` to run in
/// it.
final class Project {
  let path: String
  var environment: [String: String]

  /// What a command did.
  struct Ended {
    var status: Processes.ExitStatus
    var output: String
    var errors: String

    var code: Int {
      switch status {
      case .exited(let code): Int(code)
      case .signaled(let number): 128 + Int(number)
      }
    }
  }

  init(_ files: [String: String] = [:]) throws {
    path = FileManager.default.temporaryDirectory.path + "/dagrun prüfung \(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: path + "/dags", withIntermediateDirectories: true)
    environment = ProcessInfo.processInfo.environment.filter { ["PATH", "HOME", "LD_LIBRARY_PATH"].contains($0.key) }
    environment["DAGRUN_MODULE_CACHE"] = Self.moduleCache
    for (name, text) in files { try write(name, text) }
  }

  /// One for all homes of the tests.
  static let moduleCache = FileManager.default.temporaryDirectory.path + "/dagrun-module-cache"

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// - Parameter name: without `.swift`, in the dags folder.
  func write(_ name: String, _ text: String) throws {
    try text.write(toFile: "\(path)/dags/\(name).swift", atomically: true, encoding: .utf8)
  }

  var home: String { path + "/.dagrun" }

  /// The binary that was built with these tests, or the one that DAGRUN_BINARY names.
  static let binary: String = {
    if let path = ProcessInfo.processInfo.environment["DAGRUN_BINARY"] { return path }
    return URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/dagrun"
  }()

  @discardableResult
  func run(_ arguments: String..., timeout: Double = 60) throws -> Ended {
    try run(arguments, timeout: timeout)
  }

  /// Another binary than the one that was built.
  func run(binary: String, _ arguments: String...) throws -> Ended { try spawn(binary, arguments, timeout: 60) }

  func run(program: String, _ arguments: String...) throws -> Ended { try spawn(program, arguments, timeout: 60) }

  @discardableResult
  func run(_ arguments: [String], timeout: Double = 60) throws -> Ended {
    try spawn(Project.binary, arguments, timeout: timeout)
  }

  /// The command in a mount namespace of its own, after a file system was mounted over the home.
  ///
  /// - Returns: nil where this user may not mount. Permissions would not do instead: root passes them all.
  func run(mounting options: String, _ arguments: String..., seed: String = ":") throws -> Ended? {
    try run(mounting: options, arguments, seed: seed)
  }

  func run(mounting options: String, _ arguments: [String], seed: String) throws -> Ended? {
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    let script = "mount -t tmpfs -o \(options) tmpfs \"$1\" || exit 99; { \(seed) ; } >&2; shift; exec \"$@\""
    let ended = try spawn(
      "unshare", ["--map-root-user", "--mount", "sh", "-c", script, "sh", home, Project.binary] + arguments, timeout: 60
    )
    return ended.code == 99 || ended.errors.contains("unshare") ? nil : ended
  }

  /// A command that runs beside the test.
  func start(_ arguments: String...) throws -> Started { try start(arguments) }

  func start(_ arguments: [String]) throws -> Started {
    try start(program: [Project.binary] + arguments)
  }

  /// A command whose files, and those of its children, cannot grow beyond a size: to it that is a full disk.
  func start(limitingFilesTo bytes: Int, _ arguments: String...) throws -> Started {
    let limit = ["prlimit", "--fsize=\(bytes):unlimited"]
    return try start(program: limit + [Project.binary] + arguments)
  }

  /// Makes room on the disk of such a command. Its children keep their limit.
  func liftLimit(of process: Started) throws {
    #expect(try run(program: "prlimit", "--pid", "\(process.pid)", "--fsize=unlimited").code == 0)
  }

  /// As the database has them.
  func taskStates(_ dag: String, _ run: String) throws -> [BinaryProject.TaskState] {
    let ended = try self.run("tasks", "states-for-dag-run", dag, run, "-o", "json")
    let tasks = try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [[String: Any]] ?? []
    return tasks.map(BinaryProject.TaskState.init)
  }

  private func start(program: [String]) throws -> Started {
    let output = path + "/\(UUID().uuidString).txt"
    _ = FileManager.default.createFile(atPath: output, contents: nil)
    let descriptor = open(output, O_WRONLY | O_APPEND | O_CLOEXEC)
    defer { close(descriptor) }
    var spawn = Spawn(program[0], Array(program.dropFirst()), environment: environment, workingDirectory: path)
    spawn.descriptors = [1: descriptor, 2: descriptor]
    spawn.group = .own
    return Started(pid: try spawn.start(), outputPath: output)
  }

  /// What runs of the workers of this home, and of what their tasks have started.
  var survivors: [pid_t] {
    let marker = Array("DAGRUN_WORKER=\(home)/workers/".utf8)
    return processes.filter { pid in
      (readWholeFile("/proc/\(pid)/environ") ?? []).split(separator: 0).contains { $0.starts(with: marker) }
    }
  }

  /// The worker processes themselves.
  var workers: [pid_t] {
    let folder = Array("\(home)/workers/".utf8)
    return processes.filter { pid in
      let words = (readWholeFile("/proc/\(pid)/cmdline") ?? []).split(separator: 0)
      return words.count > 2 && words[1].elementsEqual("worker".utf8) && words[2].starts(with: folder)
    }
  }

  private var processes: [pid_t] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }
  }

  /// Waits until nothing is left of the workers of this home; false when that takes too long.
  func waitForNoSurvivors(seconds: Double = 30) -> Bool {
    let end = monotonicSeconds() + seconds
    while let first = survivors.first {
      let left = end - monotonicSeconds()
      guard left > 0 else { return false }
      // A zombie has no environment, so that this one runs.
      _ = try? ProcessDescriptor(pid: first).hasEnded(within: Int32(left * 1000))
    }
    return true
  }

  private func spawn(_ executable: String, _ arguments: [String], timeout: Double) throws -> Ended {
    let ended = try Spawn(executable, arguments, environment: environment, workingDirectory: path)
      .run(capturing: [1, 2], timeout: timeout)
    #expect(!ended.hasTimedOut, "\(arguments) did not end: \(ended.text(1))\(ended.text(2))")
    let result = Ended(status: ended.status, output: ended.text(1), errors: ended.text(2))
    #expect(
      !result.errors.contains("Fatal error") && !result.errors.contains("*** Program crashed"), "\(result.errors)")
    return result
  }
}

/// A command that runs; killed when nobody holds it any more.
final class Started {
  let pid: pid_t
  private let outputPath: String
  private var ended: EndedProcess?

  init(pid: pid_t, outputPath: String) {
    self.pid = pid
    self.outputPath = outputPath
  }

  deinit {
    guard ended == nil else { return }
    kill(pid, SIGKILL)
    _ = waitForChild(pid)
  }

  /// Standard output and standard error.
  var text: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }

  func signal(_ number: Int32) { kill(pid, number) }

  /// Waits until the text holds for a condition; false after `seconds`.
  func wait(seconds: Double = 30, until condition: (String) -> Bool) -> Bool {
    WaitSupport.wait(forChangesIn: (outputPath as NSString).deletingLastPathComponent, seconds: seconds) {
      condition(text)
    }
  }

  func waitForEnd(seconds: Double = 30) throws -> Int {
    let descriptor = try ProcessDescriptor(pid: pid)
    try #require(descriptor.hasEnded(within: Int32(seconds * 1000)), "it still runs: \(text)")
    let process = try #require(waitForChild(pid))
    ended = process
    switch process.status {
    case .exited(let code): return Int(code)
    case .signaled(let number): return 128 + Int(number)
    }
  }
}
