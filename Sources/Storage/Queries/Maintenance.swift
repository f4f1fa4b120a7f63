import Foundation
import GRDB

extension StoreConnection {
  /// Looks at every page and every reference.
  ///
  /// - Returns: what is wrong, in words; empty when nothing is.
  package func check() throws(StoreError) -> [String] {
    try read { database in
      var problems = try String.fetchAll(database, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
      problems += try Row.fetchAll(database, sql: "PRAGMA foreign_key_check").map { row in
        let table: String = row["table"]
        let parent: String = row["parent"]
        return "a row of \(table) refers to a row of \(parent) that is not there"
      }
      return problems
    }
  }

  package func info() throws(StoreError) -> DatabaseInfo {
    try read { database in
      func count(_ what: String) throws -> Int { try Int.fetchOne(database, sql: "SELECT count(*) FROM \(what)") ?? 0 }
      return DatabaseInfo(
        path: path, sizeBytes: ["", "-wal"].map { DiskFile.size(path + $0) }.reduce(0, +),
        schemaVersion: try Schema.migrations.applied(in: database).last ?? "",
        sqliteVersion: try String.fetchOne(database, sql: "SELECT sqlite_version()") ?? "",
        counts: DatabaseInfo.Counts(
          dags: try count("dag"), versions: try count("dag_version"), runs: try count("dag_run"),
          unfinishedRuns: try count("dag_run WHERE state IN ('queued', 'running')"),
          taskInstances: try count("task_instance"), pastTries: try count("task_try"), outputs: try count("xcom")))
    }
  }

  /// Writes a copy, as of one moment, while a scheduler may write on. The copy is whole or not there at all.
  ///
  /// - Throws: `.invalidArgument` when there is a file at `target` already.
  package func backup(to target: String) throws(StoreError) {
    let partial = "\(target).\(getpid()).partial"
    guard !FileManager.default.fileExists(atPath: target) else {
      throw StoreError(
        code: .invalidArgument, operation: "back up", path: path, problem: "\(target) exists already",
        hint: "Name a file that does not exist.")
    }
    defer { unlink(partial) }
    do {
      try perform("back up") { try $0.execute(sql: "VACUUM INTO ?", arguments: [partial]) }
    } catch {
      var error = error
      error.problem = "cannot write \(target): \(error.problem)"
      throw error
    }
    // VACUUM INTO does not wait for the disk; the name is given only to what has reached it.
    guard DiskFile.flush(partial), rename(partial, target) == 0, DiskFile.flush(DiskFile.folder(of: target)) else {
      throw StoreError(
        code: .inputOutput, operation: "back up", path: path,
        problem: "cannot write \(target): \(String(cString: strerror(errno)))", hint: "")
    }
  }
}

/// What SQLite does not do for the files it writes.
private enum DiskFile {
  static func folder(of file: String) -> String {
    let folder = (file as NSString).deletingLastPathComponent
    return folder.isEmpty ? "." : folder
  }

  /// - Returns: false when that failed; `errno` says why.
  static func flush(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return fsync(descriptor) == 0
  }

  /// 0 when there is none.
  static func size(_ path: String) -> Int64 {
    var status = stat()
    return stat(path, &status) == 0 ? Int64(status.st_size) : 0
  }
}
