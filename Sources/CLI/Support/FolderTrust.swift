import Foundation
import Presentation

/// Whether a folder is in the hands of this user alone. What lies in it is compiled and run, so anybody else who may
/// write there has this user's rights. (docs/decisions/0027-what-is-trusted.md)
enum FolderTrust {
  /// What is wrong with a folder, to be said after its name; nil when nothing is, or when there is no such folder.
  ///
  /// - Parameter isParent: only what is in it is used, and that is looked at too. In a folder like /tmp (sticky) others
  ///   may make things, and not replace what is there.
  static func problem(with folder: String, isParent: Bool = false) -> String? {
    var status = stat()
    // A link that somebody else has put there shows where he likes.
    if lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFLNK, !isTrusted(status.st_uid) {
      return "is a link of \(name(ofUser: status.st_uid))"
    }
    guard stat(folder, &status) == 0 else { return nil }
    guard isTrusted(status.st_uid) else { return "belongs to \(name(ofUser: status.st_uid))" }
    if isParent, status.st_mode & S_ISVTX != 0 { return nil }
    if status.st_mode & S_IWOTH != 0 { return "may be written by every user" }
    if status.st_mode & S_IWGRP != 0, !isOwnGroup(status.st_gid) {
      return "may be written by the group \(name(ofGroup: status.st_gid))"
    }
    return nil
  }

  /// As `problem`, for a folder that is to be this user's alone. One like /tmp in which others could make things and
  /// have made none, such as the root of a new file system in memory, is closed to them.
  static func problemAfterClosing(_ folder: String) -> String? {
    var status = stat()
    guard stat(folder, &status) == 0, status.st_uid == geteuid(), status.st_mode & S_ISVTX != 0,
      status.st_mode & S_IWOTH != 0
    else { return problem(with: folder) }
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      var inside = stat()
      if lstat(folder + "/" + name, &inside) == 0, !isTrusted(inside.st_uid) {
        return "may be written by every user, and has \(ShownText.line(name)) of \(self.name(ofUser: inside.st_uid))"
      }
    }
    // What can only be read nobody can write either.
    if chmod(folder, status.st_mode & 0o7755) == 0 || errno == EROFS { return nil }
    return problem(with: folder)
  }

  private static func isTrusted(_ user: uid_t) -> Bool { user == geteuid() || user == 0 }

  /// A group with this user's name and nobody else in it, as many systems make one for each user.
  private static func isOwnGroup(_ group: gid_t) -> Bool {
    guard let user = getpwuid(geteuid()).map({ String(cString: $0.pointee.pw_name) }),
      let found = getgrgid(group), String(cString: found.pointee.gr_name) == user
    else { return false }
    var member = found.pointee.gr_mem
    while let next = member?.pointee {
      if String(cString: next) != user { return false }
      member = member?.successor()
    }
    return true
  }

  private static func name(ofUser user: uid_t) -> String {
    getpwuid(user).map { "the user \(String(cString: $0.pointee.pw_name))" } ?? "the user with the number \(user)"
  }

  private static func name(ofGroup group: gid_t) -> String {
    getgrgid(group).map { String(cString: $0.pointee.gr_name) } ?? "\(group)"
  }
}
