import GRDB

/// The changes that have led to the schema, in their order. All that a database lacks are one transaction: it has the
/// schema of one dagrun or of another, never something in between, whenever the process is killed.
///
/// The table that remembers them is that of GRDB's own migrator, which runs each in a transaction of its own.
struct Migrations {
  private var all: [(identifier: String, run: (Database) throws -> Void)] = []

  mutating func register(_ identifier: String, _ run: @escaping (Database) throws -> Void) {
    all.append((identifier, run))
  }

  /// Those that a database has, in their order.
  func applied(in database: Database) throws -> [String] {
    let found = try identifiers(in: database)
    return all.map(\.identifier).filter(found.contains)
  }

  func areComplete(in database: Database) throws -> Bool { try applied(in: database).count == all.count }

  /// The database has some that are not known here: those of a newer dagrun.
  func areSuperseded(in database: Database) throws -> Bool {
    try !identifiers(in: database).subtracting(all.map(\.identifier)).isEmpty
  }

  /// What an older dagrun had.
  func first(_ count: Int) -> Migrations {
    var copy = self
    copy.all = Array(all.prefix(count))
    return copy
  }

  /// Within a transaction.
  func apply(to database: Database) throws {
    try database.execute(sql: "CREATE TABLE IF NOT EXISTS grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
    let found = try identifiers(in: database)
    for migration in all where !found.contains(migration.identifier) {
      try migration.run(database)
      try database.execute(
        sql: "INSERT INTO grdb_migrations (identifier) VALUES (?)", arguments: [migration.identifier])
    }
  }

  private func identifiers(in database: Database) throws -> Set<String> {
    guard try database.tableExists("grdb_migrations") else { return [] }
    return try String.fetchSet(database, sql: "SELECT identifier FROM grdb_migrations")
  }
}
