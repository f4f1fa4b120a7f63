internal import CLinux
internal import Glibc

/// Many descriptors that are waited for together (epoll), each under a number of the caller's. Itself a descriptor that
/// becomes readable, so that a Dispatch source can wait for all of them.
package final class Poller {
  package let descriptor: Int32
  private var tokens = [UInt64](repeating: 0, count: 64)
  private var writable = [UInt8](repeating: 0, count: 64)

  package init() throws(SystemError) {
    descriptor = clinux_epoll_create()
    if descriptor < 0 { throw SystemError("wait for descriptors") }
  }

  deinit { close(descriptor) }

  package func add(_ descriptor: Int32, token: UInt64) throws(SystemError) {
    if clinux_epoll_add(self.descriptor, descriptor, token) != 0 { throw SystemError("wait for a descriptor") }
  }

  /// Whether to wait also until the descriptor takes more bytes.
  package func await(writable: Bool, _ descriptor: Int32, token: UInt64) {
    _ = clinux_epoll_modify(self.descriptor, descriptor, token, writable ? 1 : 0)
  }

  package func remove(_ descriptor: Int32) { _ = clinux_epoll_remove(self.descriptor, descriptor) }

  /// Waits at most so long for any of them, and calls back for each that is ready, at most 64.
  ///
  /// - Returns: how many were.
  package func poll(milliseconds: Int32, _ body: (_ token: UInt64, _ isWritable: Bool) -> Void) -> Int {
    let count = clinux_epoll_wait(descriptor, &tokens, &writable, 64, milliseconds)
    guard count > 0 else { return 0 }
    for index in 0..<Int(count) { body(tokens[index], writable[index] != 0) }
    return Int(count)
  }
}
