import Foundation
import GRDB

/// Makes the database of a new home, whole or not at all.
///
///     dagrun.db.new   made and filled under this name, by one process at a time (`flock`)
///     dagrun.db       its name once it has reached the disk
///
/// A process that is killed leaves at most the first one, which the next process empties and fills again. So nobody
/// ever meets a database without its tables, or with a journal that only a writer may roll back.
struct NewDatabase {
  let path: String
  private var draft: String { path + ".new" }

  /// Returns when there is a database at the path, whoever has made it.
  ///
  /// - Parameter fill: makes the tables, within a transaction.
  func make(_ fill: (Database) throws -> Void) throws {
    while true {
      let descriptor = try openDraft()
      defer { close(descriptor) }
      guard isStillDraft(descriptor) else { continue }
      if access(path, F_OK) == 0 {
        unlink(draft)
        return
      }
      try write(fill, descriptor)
      try publish()
      return
    }
  }

  /// Locked: waits for another process that makes it.
  private func openDraft() throws -> Int32 {
    let descriptor = open(draft, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failed("create", errno) }
    // Readable by the owner only, and so are the files that SQLite puts beside it: variables may be secrets.
    guard fchmod(descriptor, 0o600) == 0, lock(descriptor) else {
      let code = errno
      close(descriptor)
      throw failed("create", code)
    }
    return descriptor
  }

  private func lock(_ descriptor: Int32) -> Bool {
    while flock(descriptor, LOCK_EX) != 0 { if errno != EINTR { return false } }
    return true
  }

  /// While this process waited for the lock, another one may have given the file its name.
  private func isStillDraft(_ descriptor: Int32) -> Bool {
    var (opened, named) = (stat(), stat())
    return fstat(descriptor, &opened) == 0 && stat(draft, &named) == 0 && opened.st_ino == named.st_ino
      && opened.st_dev == named.st_dev
  }

  private func write(_ fill: (Database) throws -> Void, _ descriptor: Int32) throws {
    // What a killed process has left. Nobody needs what the journals of a draft could bring back, nor those of a
    // database that was removed: SQLite would take them for the new one's.
    guard ftruncate(descriptor, 0) == 0 else { throw failed("create", errno) }
    for name in [draft, path] { for suffix in ["-journal", "-wal", "-shm"] { unlink(name + suffix) } }
    var configuration = Configuration()
    configuration.label = "dagrun.store.new"
    configuration.foreignKeysEnabled = true
    configuration.prepareDatabase { database in
      // A draft that is not finished is not looked at, so nothing of it is worth a journal.
      try database.execute(sql: "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF")
    }
    let connection = try DatabaseQueue(path: draft, configuration: configuration)
    do {
      try connection.inTransaction(.immediate) { database in
        try fill(database)
        return .commit
      }
      let mode = try connection.writeWithoutTransaction { try String.fetchOne($0, sql: "PRAGMA journal_mode = WAL") }
      guard mode == "wal" else {
        throw DatabaseError(resultCode: .SQLITE_CANTOPEN, message: "its file system does not support a write-ahead log")
      }
    } catch {
      try? connection.close()
      throw error
    }
    // The last connection moves the log into the file, and removes it.
    try connection.close()
    guard fsync(descriptor) == 0 else { throw failed("create", errno) }
  }

  private func publish() throws {
    guard rename(draft, path) == 0 else { throw failed("create", errno) }
    let folder = (path as NSString).deletingLastPathComponent
    let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw failed("create", errno) }
  }

  private func failed(_ operation: String, _ code: Int32) -> StoreError {
    let storeCode: StoreError.Code
    var hint = "Check that the folder exists and that this user may write there, or choose another --home."
    switch code {
    case ENOSPC, EDQUOT:
      storeCode = .diskFull
      hint = "Free some space on that disk."
    case EACCES, EROFS, EPERM: storeCode = .readOnly
    case EIO:
      storeCode = .inputOutput
      hint = "The disk or the file system failed; its messages are in the system's log."
    default: storeCode = .cannotOpen
    }
    return StoreError(
      code: storeCode, operation: operation, path: path, problem: String(cString: strerror(code)), hint: hint)
  }
}
