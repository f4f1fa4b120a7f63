import Dagrun
import GRDB
import GRDBSQLite

/// A compiled statement that is run again and again, with its arguments by position.
///
/// GRDB compiles and owns it. Binding, stepping and reading call SQLite directly, because every task pays for it: the
/// update of one takes 2.4 µs so, 3.0 µs with GRDB's unchecked arguments, 3.4 µs with its `execute(arguments:)`.
///
/// Used only on the queue of the connection that compiled it.
final class PreparedStatement {
  private let statement: Statement
  private let handle: OpaquePointer

  init(_ database: Database, _ sql: String) throws {
    statement = try database.makeStatement(sql: sql)
    handle = statement.sqliteStatement
  }

  /// Runs a statement that returns no rows.
  ///
  /// - Returns: how many rows it has inserted, updated or deleted.
  @discardableResult
  func execute<each Argument: SQLArgument>(_ argument: repeat each Argument) throws -> Int {
    bind(repeat each argument)
    defer { reset() }
    let code = sqlite3_step(handle)
    guard code == SQLITE_DONE else { throw failure(code) }
    return Int(sqlite3_changes(sqlite3_db_handle(handle)))
  }

  func forEachRow<each Argument: SQLArgument>(
    _ argument: repeat each Argument, do body: (SQLRow) throws -> Void
  ) throws {
    bind(repeat each argument)
    defer { reset() }
    while true {
      let code = sqlite3_step(handle)
      if code == SQLITE_DONE { return }
      guard code == SQLITE_ROW else { throw failure(code) }
      try body(SQLRow(handle: handle))
    }
  }

  func rows<each Argument: SQLArgument, Value>(
    _ argument: repeat each Argument, as read: (SQLRow) throws -> Value
  ) throws -> [Value] {
    var values: [Value] = []
    try forEachRow(repeat each argument) { values.append(try read($0)) }
    return values
  }

  /// The first row, or nil when there is none.
  func first<each Argument: SQLArgument, Value>(
    _ argument: repeat each Argument, as read: (SQLRow) throws -> Value
  ) throws -> Value? {
    bind(repeat each argument)
    defer { reset() }
    let code = sqlite3_step(handle)
    if code == SQLITE_DONE { return nil }
    guard code == SQLITE_ROW else { throw failure(code) }
    return try read(SQLRow(handle: handle))
  }

  private func bind<each Argument: SQLArgument>(_ argument: repeat each Argument) {
    var index: Int32 = 0
    for value in repeat each argument {
      index += 1
      // Fails only on an index that the statement does not have, or on text of gigabytes.
      let code = value.bind(to: handle, at: index)
      precondition(code == SQLITE_OK, "argument \(index) of: \(statement.sql)")
    }
  }

  /// Releases locks, and copies of bound text.
  private func reset() {
    sqlite3_reset(handle)
    sqlite3_clear_bindings(handle)
  }

  private func failure(_ code: Int32) -> DatabaseError {
    DatabaseError(
      resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(sqlite3_db_handle(handle))),
      sql: statement.sql)
  }
}

/// The statements of one connection, compiled once each: a function writes its SQL where it runs it, and still pays for
/// the compilation only the first time.
final class StatementCache {
  /// By the address of the literal, which is the same each time and needs no hashing of text.
  private var statements: [UnsafePointer<UInt8>: PreparedStatement] = [:]

  func statement(_ database: Database, _ sql: StaticString) throws -> PreparedStatement {
    if let known = statements[sql.utf8Start] { return known }
    let statement = try PreparedStatement(database, sql.description)
    statements[sql.utf8Start] = statement
    return statement
  }

  func removeAll() { statements.removeAll() }
}

/// The row that a statement stands on; columns by position, from 0.
struct SQLRow {
  fileprivate let handle: OpaquePointer

  func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

  func int64(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

  func int(_ column: Int32) -> Int { Int(sqlite3_column_int64(handle, column)) }

  /// A number that the scheduler counts on from.
  ///
  /// - Throws: when nobody can have counted so far: the row was changed by hand, or comes from a broken backup.
  func count(_ column: Int32, atMost highest: Int64, _ name: @autoclosure () -> String) throws -> Int64 {
    let number = int64(column)
    guard (0...highest).contains(number) else {
      throw DatabaseError(
        resultCode: .SQLITE_CORRUPT, message: "\(name()) is \(number); it can be 0 to \(highest)")
    }
    return number
  }

  func bool(_ column: Int32) -> Bool { sqlite3_column_int64(handle, column) != 0 }

  func optionalInt64(_ column: Int32) -> Int64? { isNull(column) ? nil : int64(column) }

  func optionalInt(_ column: Int32) -> Int? { isNull(column) ? nil : int(column) }

  func optionalDouble(_ column: Int32) -> Double? {
    isNull(column) ? nil : sqlite3_column_double(handle, column)
  }

  func timestamp(_ column: Int32) -> Timestamp { Timestamp(microseconds: int64(column)) }

  func optionalTimestamp(_ column: Int32) -> Timestamp? { optionalInt64(column).map { Timestamp(microseconds: $0) } }

  func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }

  func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

  /// The text as it lies in SQLite's memory: valid until the statement moves on.
  func bytes(_ column: Int32) -> UnsafeBufferPointer<UInt8> {
    // Text first, then its length: the other order may count another encoding.
    let start = sqlite3_column_text(handle, column)
    return UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
  }

  /// A value of an enumeration that is stored by its raw value.
  func value<Value: RawRepresentable<String>>(_ column: Int32, as type: Value.Type = Value.self) throws -> Value {
    guard let value = Value(rawValue: text(column)) else {
      throw DatabaseError(
        resultCode: .SQLITE_CORRUPT, message: "\"\(text(column))\" is not a \(type)")
    }
    return value
  }
}

/// What can stand for a `?`.
protocol SQLArgument {
  func bind(to handle: OpaquePointer, at index: Int32) -> Int32
}

extension Int32: SQLArgument {
  func bind(to handle: OpaquePointer, at index: Int32) -> Int32 { sqlite3_bind_int64(handle, index, Int64(self)) }
}

extension Int64: SQLArgument {
  func bind(to handle: OpaquePointer, at index: Int32) -> Int32 { sqlite3_bind_int64(handle, index, self) }
}

extension Int: SQLArgument {
  func bind(to handle: OpaquePointer, at index: Int32) -> Int32 { sqlite3_bind_int64(handle, index, Int64(self)) }
}

extension Bool: SQLArgument {
  func bind(to handle: OpaquePointer, at index: Int32) -> Int32 { sqlite3_bind_int64(handle, index, self ? 1 : 0) }
}

extension Double: SQLArgument {
  func bind(to handle: OpaquePointer, at index: Int32) -> Int32 { sqlite3_bind_double(handle, index, self) }
}

extension Timestamp: SQLArgument {
  func bind(to handle: OpaquePointer, at index: Int32) -> Int32 { sqlite3_bind_int64(handle, index, microseconds) }
}

/// Tells SQLite to copy the text before the call returns.
private let sqliteTransient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

extension String: SQLArgument {
  func bind(to handle: OpaquePointer, at index: Int32) -> Int32 {
    var text = self
    return text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        // An empty string has no address, which SQLite would take for NULL.
        guard let start = characters.baseAddress else {
          return sqlite3_bind_text(handle, index, "", 0, sqliteTransient)
        }
        return sqlite3_bind_text(handle, index, start, Int32(characters.count), sqliteTransient)
      }
    }
  }
}

extension Optional: SQLArgument where Wrapped: SQLArgument {
  func bind(to handle: OpaquePointer, at index: Int32) -> Int32 {
    switch self {
    case .some(let value): value.bind(to: handle, at: index)
    case .none: sqlite3_bind_null(handle, index)
    }
  }
}
