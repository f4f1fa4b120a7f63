import Dagrun
import GRDB
package import Scheduling

/// The database of a home, as the one scheduler of the home writes it.
///
/// The caller's duty: hold the home's lock; `commit` the changes of a batch of steps before performing their actions;
/// when a commit fails, throw the scheduler away and restore one from `snapshot`.
///
/// Commands may write variables beside the scheduler. They open a `Store` of their own for it, and do nothing else with
/// it.
package final class Store: StoreConnection, @unchecked Sendable {
  /// Used on the queue only.
  var variableCache: VariableCache?

  /// Opens the database; makes it, or brings it up to date, where that is needed.
  package init(path: String) throws(StoreError) {
    super.init(path: path, queue: try DatabaseFile.openForWriting(path))
  }

  /// Writes all the changes, in their order, or none of them. When it returns, they survive a power cut.
  ///
  /// - Throws: `.guardFailed` when a change does not find the state it expects. The error says which change was
  ///   refused.
  package func commit(_ changes: [Change]) throws(StoreError) {
    guard !changes.isEmpty else { return }
    var written = 0
    do {
      try write("write to") { database in
        let writer = ChangeWriter(database: database, cache: cache, path: path)
        for change in changes {
          try writer.apply(change)
          written += 1
        }
      }
    } catch {
      var error = error
      if written < changes.count { error.change = changes[written] }
      throw error
    }
  }
}
