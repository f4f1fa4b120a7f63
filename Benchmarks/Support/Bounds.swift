package import Foundation
internal import GRDB
internal import Processes

/// What the machine can do at best, measured in the same run as the figures that are compared with it.
package enum Bounds {
  /// Transactions per second that insert one row each, in the durability the engine uses (WAL, FULL), on the disk of
  /// `folder`. Plain SQLite calls: the bound must not pay for a library.
  package static func oneRowCommitsPerSecond(in folder: URL) throws -> Double {
    let path = folder.appendingPathComponent("bound.db").path
    var configuration = Configuration()
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    }
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try queue.writeWithoutTransaction { database in
      try database.execute(sql: "CREATE TABLE entry (number INTEGER PRIMARY KEY, text TEXT NOT NULL)")
      let statement = try database.makeStatement(sql: "INSERT INTO entry (text) VALUES ('success')")
      let count = 3_000
      let started = DispatchTime.now()
      for _ in 0..<count { try statement.execute() }
      return Double(count) / (Double(DispatchTime.now().uptimeNanoseconds - started.uptimeNanoseconds) / 1e9)
    }
  }

  /// Wall-clock seconds of a command that is given a file of lines to run.
  package static func seconds(_ executable: String, _ arguments: [String], in folder: URL, input: URL? = nil) throws
    -> Double
  {
    var spawn = Spawn(executable, arguments, workingDirectory: folder.path)
    let file = try input.map { try FileHandle(forReadingFrom: $0) }
    let started = DispatchTime.now()
    let status = try Child(&spawn, input: file?.fileDescriptor).wait()
    guard status.isSuccess else { throw BenchmarkFailure("\(executable) ended with \(status)") }
    return Double(DispatchTime.now().uptimeNanoseconds - started.uptimeNanoseconds) / 1e9
  }
}
