import Control
import Foundation
import Model
import Processes
import Storage

extension Home {
  /// Compiled files and jobs are in it: whoever may write there runs code as its owner.
  ///
  /// - Throws: exit code 2, when somebody else may write the home or its cache.
  func checkTrust() throws {
    for folder in [path, cachePath] {
      guard let problem = FolderTrust.problemAfterClosing(folder) else { continue }
      throw UserError(
        .wrongUsage, "will not use the home \(path): \(folder == path ? "it" : folder) \(problem)",
        hint: "take it from others (chown, chmod go-w \(ShellWord.quote(folder))), or name another home with --home or "
          + "DAGRUN_HOME")
    }
  }

  /// Makes the folder, for its owner only, where it is not there.
  func make() throws {
    do {
      try makeFolders(path, mode: 0o700)
    } catch {
      throw UserError(
        .unavailable, "cannot make the home \(path): \(error)",
        hint: "check the path and your rights, or name another home with --home or DAGRUN_HOME")
    }
  }
}

extension Home {
  /// Reads the database. One that an older dagrun has written is brought up to date first.
  ///
  /// - Throws: `StoreError`, `.missing` where there is none.
  @inline(never)
  func reader(triesLeft: Int = 25) throws -> StoreReader {
    do {
      return try StoreReader(path: databasePath)
    } catch {
      guard error.code == .olderDatabase else { throw error }
    }
    // A scheduler of that version works with it as it is; one of this version brings it up to date at this moment.
    if let holder = SchedulerLock.holder(of: self), holder.isAlive {
      guard triesLeft > 0 else {
        throw UserError(
          .unavailable, "cannot read the database \(databasePath): a scheduler of an older dagrun works with it",
          hint: "restart the scheduler (process \(holder.pid)): a new one brings the database up to date")
      }
      usleep(20_000)
      return try reader(triesLeft: triesLeft - 1)
    }
    try bringUpToDate()
    return try StoreReader(path: databasePath)
  }

  @inline(never)
  private func bringUpToDate() throws {
    do {
      try Store(path: databasePath).close()
    } catch {
      throw UserError(
        .unavailable,
        "the database \(databasePath) was written by an older dagrun, and cannot be brought up to date: "
          + error.problem, hint: error.hint.isEmpty ? nil : error.hint)
    }
  }
}
