internal import Glibc

/// A system call failed: what was tried, on what, and the system's reason.
package struct SystemError: Error, Hashable, CustomStringConvertible {
  package var code: Int32
  package var operation: String

  package init(_ operation: String, code: Int32 = errno) {
    self.operation = operation
    self.code = code
  }

  /// The machine has not enough of something right now: processes, memory, descriptors, space on a disk; or the disk
  /// fails. None of it is the fault of a task, and all of it may pass: a full disk is emptied, a file system that an
  /// error has made read-only is mounted again, a server of files comes back.
  package var isShortage: Bool {
    [EAGAIN, ENOMEM, EMFILE, ENFILE, ENOSPC, EDQUOT, EIO, EROFS, ESTALE, ENOLCK, ETIMEDOUT].contains(code)
  }

  package var description: String { "cannot \(operation): \(String(cString: strerror(code)))" }
}

/// Repeats a call that a signal interrupted.
package func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}
