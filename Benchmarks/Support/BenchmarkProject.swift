package import Foundation
package import GRDB
package import Processes

/// A temporary folder with a `dags/` folder, a home, and the binary under test, used the way a person uses it: by its
/// commands. What happened is read from the database.
package struct BenchmarkProject {
  package let folder: URL
  package let binary: String
  package let environment: [String: String]

  package init(binary: String, name: String, parallelism: Int? = nil, variables: [String: String] = [:]) throws {
    self.binary = binary
    // Beside the working directory rather than in the system's temporary folder, which may be in memory: a commit has
    // to reach a disk.
    folder = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
      .appendingPathComponent(".build-bench/\(name)-\(ProcessInfo.processInfo.processIdentifier)")
    try? FileManager.default.removeItem(at: folder)
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("dags"), withIntermediateDirectories: true)
    var environment = ProcessInfo.processInfo.environment
    environment["DAGRUN_HOME"] = nil
    environment["DAGRUN_DAGS_FOLDER"] = nil
    if let parallelism { environment["DAGRUN_PARALLELISM"] = "\(parallelism)" }
    self.environment = environment.merging(variables) { $1 }
  }

  package func remove() { try? FileManager.default.removeItem(at: folder) }

  package func write(_ file: String, _ source: String) throws {
    try source.write(to: folder.appendingPathComponent("dags/\(file)"), atomically: true, encoding: .utf8)
  }

  /// Starts a command of the binary without waiting for it.
  package func start(_ arguments: [String]) throws -> Child {
    var spawn = Spawn(binary, arguments, environment: environment, workingDirectory: folder.path)
    return try Child(&spawn)
  }

  /// Runs a command to its end. Returns its wall-clock time in seconds.
  @discardableResult
  package func run(_ arguments: [String], expecting code: Int32 = 0) throws -> Double {
    let started = DispatchTime.now()
    let status = try start(arguments).wait()
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - started.uptimeNanoseconds) / 1e9
    guard status == .exited(code) else {
      throw BenchmarkFailure("dagrun \(arguments.joined(separator: " ")) ended with \(status)")
    }
    return seconds
  }

  /// Asks the database, which the binary may be writing at the same time.
  package func query<T>(_ read: (Database) throws -> T) throws -> T {
    var configuration = Configuration()
    configuration.readonly = true
    let path = folder.appendingPathComponent(".dagrun/dagrun.db").path
    return try DatabaseQueue(path: path, configuration: configuration).read(read)
  }

  /// The first answer that is not nil, asked for as soon as the database file changes.
  package func wait<T>(seconds: Double = 60, until ask: (Database) throws -> T?) throws -> T {
    let deadline = Date().addingTimeInterval(seconds)
    while Date() < deadline {
      if let answer = try? query(ask) { return answer }
      usleep(2_000)
    }
    throw BenchmarkFailure("nothing happened within \(seconds) s")
  }

  /// Until the scheduler takes requests.
  package func waitForSocket() throws {
    let path = folder.appendingPathComponent(".dagrun/scheduler.sock").path
    let deadline = Date().addingTimeInterval(30)
    while !FileManager.default.fileExists(atPath: path) {
      guard Date() < deadline else { throw BenchmarkFailure("the scheduler did not start within 30 s") }
      usleep(1_000)
    }
  }

  /// With a scheduler that takes requests.
  package func withScheduler(_ body: (Child) throws -> Void) throws {
    let scheduler = try start(["scheduler"])
    defer {
      scheduler.terminate()
      scheduler.wait()
    }
    try waitForSocket()
    try body(scheduler)
  }

  package struct Span {
    package var taskID: String
    package var start: Double
    package var end: Double
  }

  /// Start and end of every task of the newest run, in seconds since 1970, in order of their start.
  package func spans() throws -> [Span] {
    try query { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT task_id, start_date, end_date FROM task_instance
          WHERE run = (SELECT max(id) FROM dag_run) AND end_date IS NOT NULL ORDER BY start_date, end_date
          """
      ).map { Span(taskID: $0[0], start: Double($0[1] as Int64) / 1e6, end: Double($0[2] as Int64) / 1e6) }
    }
  }

  /// Seconds between the start and the end of the newest run.
  package func runSeconds() throws -> Double {
    try query { database in
      let row = try Row.fetchOne(
        database, sql: "SELECT start_date, end_date, state FROM dag_run ORDER BY id DESC LIMIT 1")
      guard let row, (row[2] as String) == "success" else { throw BenchmarkFailure("the run did not succeed") }
      return Double((row[1] as Int64) - (row[0] as Int64)) / 1e6
    }
  }
}

/// A process whose output nobody reads.
package struct Child {
  package let pid: pid_t

  package init(_ spawn: inout Spawn, input: Int32? = nil) throws {
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(null) }
    spawn.descriptors = [0: input ?? null, 1: null, 2: null]
    pid = try spawn.start()
  }

  package func terminate() { kill(pid, SIGTERM) }

  @discardableResult
  package func wait() -> ExitStatus { waitForChild(pid)?.status ?? .exited(-1) }
}

package struct BenchmarkFailure: Error, CustomStringConvertible {
  package var description: String

  package init(_ description: String) { self.description = description }
}
