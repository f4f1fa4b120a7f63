import GRDB

@testable import Storage

extension StoreConnection {
  /// For what only the database file itself can show.
  func firstValue(_ sql: String) throws -> String? {
    try perform("read") { try String.fetchOne($0, sql: sql) }
  }

  func run(_ sql: String) throws { try perform("write to") { try $0.execute(sql: sql) } }
}
