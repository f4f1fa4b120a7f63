import Foundation
import GRDB

/// Finds out what lies at a path before anything opens it for writing, and opens it.
///
/// The order matters: a database of a newer dagrun must not be touched, and merely opening one for writing may move its
/// write-ahead log into it. So the look is taken with a connection that can only read.
enum DatabaseFile {
  enum Content: Equatable {
    /// No file, or one without tables.
    case nothing
    /// A database of dagrun that lacks some migrations.
    case older(migrations: Int)
    case current
  }

  static func inspect(_ path: String) throws(StoreError) -> Content {
    guard try exists(path) else { return .nothing }
    do {
      return try reading(path) { try content(path, $0) }
    } catch {
      throw StoreError(error, operation: "open", path: path)
    }
  }

  /// Opens for reading and reads. SQLite touches the file only when it is asked something.
  private static func reading<Value>(_ path: String, _ body: (DatabaseQueue) throws -> Value) throws -> Value {
    func open(_ name: String) throws -> Value {
      try body(DatabaseQueue(path: name, configuration: configuration(readOnly: true)))
    }
    do {
      return try open(readablePath(path))
    } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_READONLY_ROLLBACK {
      // A process was killed while it changed the file without a write-ahead log, as older versions did when they made
      // it. Only who may write can take back what it had begun.
      try rollBack(path)
      return try open(path)
    } catch let error as DatabaseError
      where [.SQLITE_CANTOPEN, .SQLITE_IOERR, .SQLITE_FULL, .SQLITE_READONLY].contains(error.resultCode)
    {
      // The files beside it cannot be made: the disk is full, or fails. Without a log the file is all there is; else
      // what is in the log can be found in memory, where nobody else has the database.
      if let name = immutableName(path) { return try open(name) }
      guard let connection = try? exclusive(path), let value = try? body(connection) else { throw error }
      return value
    }
  }

  private static func exclusive(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.label = "dagrun.store.reader"
    configuration.prepareDatabase { database in
      try database.execute(
        sql: "PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0")
    }
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  private static func rollBack(_ path: String) throws {
    var configuration = Configuration()
    configuration.busyMode = .callback { wait(afterAttempt: $0) }
    let connection = try DatabaseQueue(path: path, configuration: configuration)
    defer { try? connection.close() }
    _ = try connection.writeWithoutTransaction { try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_schema") }
  }

  private static func content(_ path: String, _ connection: DatabaseQueue) throws -> Content {
    defer { try? connection.close() }
    return try connection.read { database in
      let application = try Int64.fetchOne(database, sql: "PRAGMA application_id")
      let isEmpty = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") == 0
      guard application == Schema.applicationID || isEmpty else {
        throw StoreError(
          code: .notADatabase, operation: "open", path: path, problem: "it is the database of another program",
          hint: "Choose another --home.")
      }
      let migrations = Schema.migrations
      if try migrations.areSuperseded(in: database) {
        throw StoreError(
          code: .newerDatabase, operation: "open", path: path,
          problem: "it was written by a newer dagrun; it has not been touched",
          hint: "Use that version of dagrun, or another --home.")
      }
      if try migrations.areComplete(in: database) { return .current }
      let applied = try migrations.applied(in: database).count
      return applied == 0 ? .nothing : .older(migrations: applied)
    }
  }

  /// Opens for writing; makes the file, or brings it up to date.
  static func openForWriting(_ path: String) throws(StoreError) -> DatabaseQueue {
    var attempts = 0
    while true {
      do {
        return try openForWritingOnce(path)
      } catch let error where error.code == .busy && wait(afterAttempt: attempts) {
        // Another process makes it too, just now. SQLite does not wait by itself for such locks, lest two wait for each
        // other.
        attempts += 1
      }
    }
  }

  private static func openForWritingOnce(_ path: String) throws(StoreError) -> DatabaseQueue {
    do {
      if try !exists(path) { try NewDatabase(path: path).make(fill) }
      let content = try inspect(path)
      let connection = try DatabaseQueue(path: path, configuration: configuration(readOnly: false))
      if content != .current { try migrate(connection, from: content) }
      return connection
    } catch {
      throw StoreError(error, operation: "open", path: path)
    }
  }

  private static func migrate(_ connection: DatabaseQueue, from content: Content) throws {
    do {
      try connection.inTransaction(.immediate) { database in
        try fill(database)
        return .commit
      }
    } catch {
      guard let now = try? inspect(connection.path), now != content else { throw error }
      // Another process does the same, and was faster.
      if now != .current { throw DatabaseError(resultCode: .SQLITE_BUSY) }
    }
  }

  private static func fill(_ database: Database) throws {
    try database.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
    try Schema.migrations.apply(to: database)
  }

  /// Opens for reading: beside a scheduler that writes, or where none runs.
  static func openForReading(_ path: String) throws(StoreError) -> DatabaseQueue {
    switch try inspect(path) {
    case .nothing:
      throw StoreError(
        code: .missing, operation: "open", path: path, problem: "there is none yet",
        hint: "It is made by the first `dagrun trigger`, or by `dagrun scheduler`.")
    case .older:
      throw StoreError(
        code: .olderDatabase, operation: "read", path: path, problem: "it was written by an older dagrun",
        hint: "Any command that may write there brings it up to date, for example: dagrun scheduler --until-idle")
    case .current: break
    }
    do {
      return try reading(path) { connection in
        _ = try connection.read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
        return connection
      }
    } catch {
      throw StoreError(error, operation: "open", path: path)
    }
  }

  private static func configuration(readOnly: Bool) -> Configuration {
    var configuration = Configuration()
    configuration.label = readOnly ? "dagrun.store.reader" : "dagrun.store"
    configuration.readonly = readOnly
    // SQLite's own timeout waits longer and longer between its looks, and so hardly ever meets the short moment in
    // which a busy scheduler does not hold the lock.
    configuration.busyMode = .callback { wait(afterAttempt: $0) }
    configuration.foreignKeysEnabled = true
    if !readOnly {
      configuration.prepareDatabase { database in
        let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
        guard mode == "wal" else {
          throw DatabaseError(
            resultCode: .SQLITE_CANTOPEN, message: "its file system does not support a write-ahead log")
        }
        try database.execute(
          sql: """
            -- A commit that has returned survives a power cut.
            PRAGMA synchronous = FULL;
            PRAGMA wal_autocheckpoint = \(checkpointPages);
            PRAGMA journal_size_limit = \(largestIdleLogBytes);
            PRAGMA cache_size = -\(cacheKilobytes);
            PRAGMA temp_store = MEMORY;
            """)
      }
    }
    return configuration
  }

  /// The log is moved into the database, within a commit, when it has grown to this many pages of 4 KiB.
  /// That is every few hundred commits of one task, which pay 8 µs each for it and for their statements together. A
  /// longer log gained nothing measurable, and makes the pause longer and the file larger.
  private static let checkpointPages = 1000
  /// A log that has grown beyond this (a reader held it, or one transaction was large) is cut when it starts anew.
  private static let largestIdleLogBytes = 64 << 20
  /// Holds the pages of 100,000 task instances.
  private static let cacheKilobytes = 16 << 10

  /// - Returns: false when it has been tried for long enough.
  private static func wait(afterAttempt attempts: Int) -> Bool {
    usleep(busyPauseMicroseconds)
    return attempts * Int(busyPauseMicroseconds) < busyTimeoutMicroseconds
  }

  private static let busyPauseMicroseconds: UInt32 = 500
  private static let busyTimeoutMicroseconds = 10_000_000

  /// How to name the file to SQLite for reading it.
  ///
  /// Even a reader needs the files beside a database with a write-ahead log, and makes them where they are missing. In
  /// a folder that cannot be written, nobody else makes them either: the file is as it is, and may be read as such.
  private static func readablePath(_ path: String) -> String {
    let folder = (path as NSString).deletingLastPathComponent
    guard access(folder.isEmpty ? "." : folder, W_OK) != 0 else { return path }
    return immutableName(path) ?? path
  }

  /// The file as it is, without a look at what is beside it; nil where there is something to look at.
  private static func immutableName(_ path: String) -> String? {
    var log = stat()
    guard stat(path + "-wal", &log) != 0 || log.st_size == 0 else { return nil }
    return path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed).map { "file:\($0)?immutable=1" }
  }

  private static func exists(_ path: String) throws(StoreError) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else {
      let code = errno
      if code == ENOENT { return false }
      throw StoreError(
        code: .cannotOpen, operation: "open", path: path, problem: String(cString: strerror(code)),
        hint: "Check the path, or choose another --home.")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw StoreError(
        code: .notADatabase, operation: "open", path: path, problem: "it is not a file", hint: "Choose another --home.")
    }
    return true
  }
}
