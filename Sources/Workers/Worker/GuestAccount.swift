internal import Glibc
internal import Processes

/// The account that a worker has taken on for one task. What the task needs of the scheduler's account is open before;
/// what it writes by path has a folder of its own.
struct GuestAccount {
  let account: Account
  /// For what a script reads and writes by path: the account's folder, and nobody else's. nil: not asked for.
  let scratch: String?

  /// Why a task cannot run under an account.
  struct Refusal: Error {
    var reason: String
    /// It may pass by itself.
    var isRetryable = false
  }

  /// Makes this process the account's, for good. nil when it is already.
  init?(_ user: String, needsScratch: Bool) throws(Refusal) {
    do throws(SystemError) {
      guard let account = try Account(named: user) else {
        throw SystemError("find the user \(user)", code: ENOENT)
      }
      guard account.userID != Account.currentUserID else { return nil }
      guard Account.currentUserID == 0 else { throw SystemError("become the user \(user)", code: EPERM) }
      self.account = account
      scratch = needsScratch ? try Self.makeScratch(account) : nil
      try account.become()
    } catch {
      throw Refusal(error, user)
    }
  }

  func removeScratch() {
    if let scratch { TaskOutputFile.remove(scratch) }
  }

  /// Where every account may go, whatever the scheduler's TMPDIR is.
  private static func makeScratch(_ account: Account) throws(SystemError) -> String {
    var template = Array("/tmp/dagrun-task-XXXXXX\0".utf8CString.dropLast())
    guard mkdtemp(&template) != nil else { throw SystemError("make a folder in /tmp") }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    if chown(path, account.userID, account.groupID) != 0 { throw SystemError("give \(path) to \(account.name)") }
    return path
  }
}

extension GuestAccount.Refusal {
  fileprivate init(_ error: SystemError, _ user: String) {
    switch error.code {
    case ENOENT: self.init(reason: "there is no user \(user) on this machine (runAsUser)")
    case EPERM:
      self.init(
        reason: "the task is to run as \(user), and only a scheduler that root has started can give it another account "
          + "than its own (runAsUser)")
    default: self.init(reason: "\(error)", isRetryable: true)
    }
  }
}
