import GRDB

extension StoreConnection {
  /// By key.
  package func variables() throws(StoreError) -> [Variable] {
    try read { database in
      try statement(database, "SELECT key, value, description FROM variable ORDER BY key").rows { row in
        Variable(key: row.text(0), value: row.text(1), documentation: row.text(2))
      }
    }
  }

  package func variable(_ key: String) throws(StoreError) -> Variable? {
    try read { database in
      try statement(database, "SELECT key, value, description FROM variable WHERE key = ?").first(key) { row in
        Variable(key: row.text(0), value: row.text(1), documentation: row.text(2))
      }
    }
  }
}

/// The variables as they were when the database had this version.
struct VariableCache {
  /// `PRAGMA data_version`: moves when another connection has written.
  var dataVersion: Int64
  var values: [String: String]
}

extension Store {
  /// Key -> value. Cheap to ask before each launch: they are read again only when another process has written to the
  /// database since.
  package func variableValues() throws(StoreError) -> [String: String] {
    try perform("read") { database in
      let version = try statement(database, "PRAGMA data_version").first { $0.int64(0) } ?? 0
      if let variableCache, variableCache.dataVersion == version { return variableCache.values }
      var values: [String: String] = [:]
      try statement(database, "SELECT key, value FROM variable").forEachRow { values[$0.text(0)] = $0.text(1) }
      variableCache = VariableCache(dataVersion: version, values: values)
      return values
    }
  }

  /// Adds a variable, or replaces the one of that key.
  package func setVariable(_ variable: Variable) throws(StoreError) {
    try write("write to") { database in
      variableCache = nil
      try statement(
        database,
        """
        INSERT INTO variable (key, value, description) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET value = excluded.value, description = excluded.description
        """
      ).execute(variable.key, variable.value, variable.documentation)
    }
  }

  /// - Returns: whether there was one.
  package func deleteVariable(_ key: String) throws(StoreError) -> Bool {
    var deleted = 0
    try write("write to") { database in
      variableCache = nil
      deleted = try statement(database, "DELETE FROM variable WHERE key = ?").execute(key)
    }
    return deleted == 1
  }
}
