internal import CLinux
package import Glibc

/// An account of this machine, under which a process can run.
package struct Account: Hashable, Sendable {
  package var name: String
  package var userID: uid_t
  package var groupID: gid_t
  package var home: String
  package var shell: String

  /// nil when the machine has no account of that name.
  ///
  /// - Throws: when it cannot be looked up.
  package init?(named name: String) throws(SystemError) {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 1 << 16)
    let code = getpwnam_r(name, &entry, &buffer, buffer.count, &found)
    if code != 0, code != ENOENT { throw SystemError("look up the user \(name)", code: code) }
    guard found != nil else { return nil }
    self.name = name
    userID = entry.pw_uid
    groupID = entry.pw_gid
    home = String(cString: entry.pw_dir)
    shell = String(cString: entry.pw_shell)
  }

  /// That of this process.
  package static var currentUserID: uid_t { geteuid() }

  /// Makes this process, with all its threads, the account's: its user, its group and its other groups. There is no way
  /// back. Only root can.
  package func become() throws(SystemError) {
    if clinux_become(name, userID, groupID) != 0 { throw SystemError("become the user \(name)") }
  }

  /// What programs find out about their account from.
  package var variables: [String: String] { ["HOME": home, "USER": name, "LOGNAME": name, "SHELL": shell] }
}
