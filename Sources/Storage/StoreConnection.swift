import GRDB

/// One connection to the database, and the questions one can ask over it: those of `StoreReader`, which cannot write,
/// and of `Store`, which can.
///
/// GRDB's serial queue owns the connection, and stops the program when it is used outside of it; so a connection may
/// be used from any thread, one call at a time.
package class StoreConnection: @unchecked Sendable {
  package let path: String
  let queue: DatabaseQueue
  /// Used on the queue only.
  let cache = StatementCache()

  init(path: String, queue: DatabaseQueue) {
    self.path = path
    self.queue = queue
  }

  /// Runs `body` on the connection's queue.
  ///
  /// - Parameter operation: what is being done, as in "cannot `operation` the database".
  final func perform<Value>(_ operation: String, _ body: (Database) throws -> Value) throws(StoreError) -> Value {
    do {
      return try queue.writeWithoutTransaction(body)
    } catch {
      throw StoreError(error, operation: operation, path: path)
    }
  }

  /// As `perform`; everything that `body` reads is of one moment.
  final func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
    try perform("read") { database in
      var value: Value?
      try database.inTransaction(.deferred) {
        value = try body(database)
        return .commit
      }
      return value!
    }
  }

  /// One transaction around `body`, rolled back when it throws. Not for a `StoreReader`, whose connection refuses it.
  final func write(_ operation: String, _ body: (Database) throws -> Void) throws(StoreError) {
    try perform(operation) { database in
      // GRDB has to see where a transaction begins and ends, so these are executed its way.
      try database.cachedStatement(sql: "BEGIN IMMEDIATE").execute()
      do {
        try body(database)
        try database.cachedStatement(sql: "COMMIT").execute()
      } catch {
        // SQLite has rolled back by itself when the disk is full. A rollback that fails leaves a transaction that
        // is never committed.
        if database.isInsideTransaction { try? database.rollback() }
        throw error
      }
    }
  }

  final func statement(_ database: Database, _ sql: StaticString) throws -> PreparedStatement {
    try cache.statement(database, sql)
  }

  /// Closes the connection. Nothing may be asked of it afterwards.
  package final func close() throws(StoreError) {
    do {
      try perform("close") { _ in cache.removeAll() }
      try queue.close()
    } catch {
      throw StoreError(error, operation: "close", path: path)
    }
  }
}

/// Reads the database, and cannot write it: beside a scheduler that writes, or where none runs.
package final class StoreReader: StoreConnection, @unchecked Sendable {
  /// - Throws: `.missing` when there is no database yet, and why the one there is cannot be read.
  package init(path: String) throws(StoreError) {
    super.init(path: path, queue: try DatabaseFile.openForReading(path))
  }
}
