import Dagrun
import Foundation
import GRDB
package import Model
package import Scheduling

/// The database could not do what it was asked. Says what failed, on which file, and what to do next.
package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: Hashable, Sendable {
    /// A change did not find the state it expects. Nothing of its batch was written.
    case guardFailed(GuardFailure)
    /// There is no database yet.
    case missing
    /// Written by a newer dagrun; it was not touched.
    case newerDatabase
    /// Written by an older dagrun, and opened only for reading, which does not upgrade it.
    case olderDatabase
    /// The file is something else, or damaged.
    case notADatabase
    case corrupt
    case cannotOpen
    case readOnly
    case diskFull
    /// Another process held the database's lock for too long.
    case busy
    /// A rule of the schema, or of SQLite, refused the change: a defect of the caller.
    case constraint
    case invalidArgument
    case inputOutput
    case other
  }

  package var code: Code
  /// What was being done: `open`, `commit`, …
  package var operation: String
  package var path: String
  /// What went wrong, in words.
  package var problem: String
  /// What to do next; empty when nobody can say.
  package var hint: String
  /// Of a commit: the change that was refused.
  package var change: Change?

  /// The database will refuse the same change again, however often it is tried.
  package var isPermanent: Bool {
    switch code {
    case .guardFailed, .constraint: true
    case .missing, .newerDatabase, .olderDatabase, .notADatabase, .corrupt, .cannotOpen, .readOnly, .diskFull, .busy,
      .invalidArgument, .inputOutput, .other:
      false
    }
  }

  package var description: String {
    let what = "cannot \(operation) the database \(path): \(problem)"
    return hint.isEmpty ? what : "\(what)\n\(hint)"
  }
}

/// Which row a change was for, what it should have held, and what it holds.
package struct GuardFailure: Hashable, Sendable {
  /// `task instance "extract" of run 12`, `run 12`, …
  package var subject: String
  /// Set when a task instance was meant.
  package var key: TaskInstanceKey?
  package var expected: String
  package var found: String
}

extension StoreError {
  /// A guard that failed inside a transaction.
  static func guardFailed(
    path: String, subject: String, key: TaskInstanceKey? = nil, expected: String, found: String
  ) -> StoreError {
    StoreError(
      code: .guardFailed(GuardFailure(subject: subject, key: key, expected: expected, found: found)),
      operation: "write to", path: path, problem: "\(subject) should be \(expected), but is \(found)",
      hint: "Nothing of the batch was written. Restore the scheduler from the database.")
  }

  /// Puts what SQLite or GRDB reported into a person's words.
  init(_ error: any Error, operation: String, path: String) {
    if let known = error as? StoreError {
      self = known
      return
    }
    guard let error = error as? DatabaseError else {
      self.init(code: .other, operation: operation, path: path, problem: "\(error)", hint: "")
      return
    }
    let message = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
    let code: Code
    let hint: String
    switch error.resultCode {
    case .SQLITE_FULL:
      (code, hint) = (.diskFull, "Free some space on that disk; nothing that was committed is lost.")
    case .SQLITE_READONLY, .SQLITE_PERM:
      (code, hint) = (.readOnly, "Make the file and its folder writable for this user, or choose another --home.")
    case .SQLITE_CANTOPEN:
      (code, hint) = (
        .cannotOpen, "Check that the folder exists and that this user may write there, or choose another --home."
      )
    case .SQLITE_NOTADB:
      (code, hint) = (
        .notADatabase, "The file is something else, or damaged. Move it away, or put a backup in its place."
      )
    case .SQLITE_CORRUPT:
      (code, hint) = (
        .corrupt,
        "The file is damaged. Stop what uses it and put a backup in its place (`dagrun db backup` makes them), or save "
          + "what is left with SQLite's own tool: sqlite3 FILE .recover"
      )
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      (code, hint) = (.busy, "Another process holds it. Try again, or end that process.")
    case .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_TOOBIG:
      (code, hint) = (.constraint, "Nothing of the batch was written. This is a defect of dagrun: please report it.")
    case .SQLITE_IOERR where Self.isFull(path):
      // The shared memory beside the log could not grow.
      (code, hint) = (.diskFull, "Free some space on that disk; nothing that was committed is lost.")
    case .SQLITE_IOERR:
      (code, hint) = (.inputOutput, "The disk or the file system failed; its messages are in the system's log.")
    default:
      (code, hint) = (.other, "")
    }
    self.init(code: code, operation: operation, path: path, problem: message, hint: hint)
  }

  /// Less than SQLite's next page of anything is left on the disk that holds `path`.
  private static func isFull(_ path: String) -> Bool {
    var disk = statvfs()
    return statvfs(path, &disk) == 0 && UInt64(disk.f_bavail).multipliedSaturating(by: UInt64(disk.f_frsize)) < 64 << 10
  }
}
