import Foundation
import Processes

/// Who may write the cache runs code as its owner: so only the owner may, whatever the umask was when it was made.
enum CacheFolder {
  /// Makes the folder, or takes one from others that is there, with what others have or may have put there.
  static func prepare(_ folder: String) throws(DagBagError) {
    do {
      try makeFolders(folder, mode: 0o700)
    } catch {
      throw DagBagError("\(error)")
    }
    var status = stat()
    guard stat(folder, &status) == 0 else {
      throw DagBagError("cannot use the cache \(folder): \(String(cString: strerror(errno)))")
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw DagBagError("cannot use the cache \(folder): it is not a folder; remove it, or name another one")
    }
    guard status.st_uid == geteuid() else {
      throw DagBagError(
        "will not use the cache \(folder): it belongs to another user, who could put code there; remove it, or name "
          + "another home with --home")
    }
    guard status.st_mode & 0o077 != 0 else { return }
    try takeFromOthers(folder, wasOutOfReach: isPrivate(folder + "/.."))
  }

  /// - Parameter wasOutOfReach: nobody else could come to it, so what is there is as this user has left it.
  private static func takeFromOthers(_ folder: String, wasOutOfReach: Bool) throws(DagBagError) {
    guard chmod(folder, 0o700) == 0 else {
      // A disk that nobody can write: nobody has.
      if errno == EROFS { return }
      throw DagBagError("cannot make the cache \(folder) private: \(String(cString: strerror(errno)))")
    }
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      let path = folder + "/" + name
      if wasOutOfReach {
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG { chmod(path, 0o600) }
      } else if !isTrusted(path) {
        try? FileManager.default.removeItem(atPath: path)
      }
    }
  }

  /// This user's own, and nobody else may write it.
  private static func isTrusted(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_uid == geteuid() && status.st_mode & 0o022 == 0
      && status.st_mode & S_IFMT != S_IFLNK
  }

  private static func isPrivate(_ folder: String) -> Bool {
    var status = stat()
    return stat(folder, &status) == 0 && status.st_uid == geteuid() && status.st_mode & 0o077 == 0
  }
}
