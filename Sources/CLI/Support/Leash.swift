import ArgumentParser
import Dispatch
import Foundation
import Glibc
import Processes
import Synchronization

/// `--leash FD`: whoever began this command holds the other end of a pipe, and says by it that he lives.
struct JobLeashOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The reading end of a pipe, inherited. At its end of file whoever began this command is dead, and it leaves.",
      valueName: "descriptor"))
  var leash: Int32?

  func validate() throws {
    guard let leash else { return }
    let flags = fcntl(leash, F_GETFL)
    guard flags >= 0 else {
      throw ValidationError(
        "--leash \(leash): no such descriptor is open; pass on the reading end of a pipe (in Python: pass_fds)")
    }
    guard leash > STDERR_FILENO, flags & O_ACCMODE != O_WRONLY else {
      throw ValidationError("--leash \(leash) is not the reading end of a pipe")
    }
  }

  /// Watched from here on; nil where there is none.
  func take() -> Leash? { leash.map(Leash.init) }
}

/// A pipe whose other end somebody holds who wants to know what becomes of this command. Its end of file says that he is
/// dead; the line `taken`, that he has its result. It can say nothing else, so nothing can be cancelled by it.
final class Leash: Sendable {
  private struct State {
    var isTaken = false
    var hasEnded = false
    var handlers: [Int: @Sendable () -> Void] = [:]
    var lastHandler = 0
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  /// - Parameter descriptor: is this object's from now on.
  init(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    // Who is dead reads nothing any more. What is still to be removed is removed all the same.
    OutputLoss.noteLeash()
    // A thread of its own: not everything that can be a descriptor can be waited for otherwise.
    Thread.detachNewThread { [self] in read(descriptor) }
  }

  var hasEnded: Bool { state.withLock { $0.hasEnded } }

  /// Calls back at the end of file, also one that was before.
  ///
  /// - Returns: what to `forget` when it is of no interest any more.
  func onEnd(_ handler: @escaping @Sendable () -> Void) -> Int {
    let (number, hasEnded) = state.withLock { state in
      state.lastHandler += 1
      state.handlers[state.lastHandler] = handler
      return (state.lastHandler, state.hasEnded)
    }
    if hasEnded { handler() }
    return number
  }

  func forget(_ handler: Int?) {
    guard let handler else { return }
    state.withLock { $0.handlers[handler] = nil }
  }

  /// - Returns: false when whoever held it has died without a word.
  func waitUntilTaken() async -> Bool {
    await withCheckedContinuation { continuation in
      let isDecided = state.withLock { state in
        if !state.isTaken && !state.hasEnded { state.waiter = continuation }
        return state.isTaken || state.hasEnded
      }
      if isDecided { continuation.resume() }
    }
    return state.withLock { $0.isTaken }
  }

  private func read(_ descriptor: Int32) {
    var line: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 512)
    while true {
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let count = poll(&entry, 1, -1) < 0 ? -1 : Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
      guard count > 0 else { break }
      for byte in buffer[..<count] {
        if byte == UInt8(ascii: "\n") {
          if line == Array("taken".utf8) { change { $0.isTaken = true } }
          line = []
        } else if line.count < Self.longestLine {
          line.append(byte)
        }
      }
    }
    close(descriptor)
    // A signal that was sent before the end is heard before it.
    usleep(Self.signalMicroseconds)
    change { $0.hasEnded = true }
  }

  private func change(_ change: (inout State) -> Void) {
    let (handlers, waiter) = state.withLock { state in
      change(&state)
      defer { state.waiter = nil }
      return (state.hasEnded ? state.handlers : [:], state.waiter)
    }
    for (_, handler) in handlers.sorted(by: { $0.key < $1.key }) { handler() }
    waiter?.resume()
  }

  private static let longestLine = 100
  private static let signalMicroseconds: UInt32 = 200_000
}
