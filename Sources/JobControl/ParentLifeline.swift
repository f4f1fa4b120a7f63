internal import Foundation
internal import Glibc
internal import Synchronization

/// A pipe whose other end somebody holds who wants to know what becomes of this process. Its end of file says that he
/// is dead; the line `taken`, that he has its result. It can say nothing else, so nothing can be cancelled by it.
package final class ParentLifeline: Sendable {
  private struct State {
    var isReceived = false
    var hasEnded = false
    var handlers: [Int: @Sendable () -> Void] = [:]
    var lastHandler = 0
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  /// Calls back when every listener has received the signals that were sent to this process before.
  package typealias SignalOrder = @Sendable (_ then: @escaping @Sendable () -> Void) -> Void

  /// - Parameters:
  ///   - descriptor: the read end; is this object's from now on.
  ///   - afterEarlierSignals: who sends SIGTERM and dies wants the job cancelled, so the signal comes first.
  package init(_ descriptor: Int32, afterEarlierSignals: @escaping SignalOrder) {
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    // A thread of its own: not everything that can be a descriptor can be waited for otherwise.
    Thread.detachNewThread { [self] in
      read(descriptor)
      close(descriptor)
      afterEarlierSignals { [self] in change { $0.hasEnded = true } }
    }
  }

  package var hasEnded: Bool { state.withLock { $0.hasEnded } }

  /// Calls back at the end of file, also one that was before.
  ///
  /// - Returns: what to `forget` when it is of no interest any more.
  package func onEnd(_ handler: @escaping @Sendable () -> Void) -> Int {
    let (number, hasEnded) = state.withLock { state in
      state.lastHandler += 1
      if !state.hasEnded { state.handlers[state.lastHandler] = handler }
      return (state.lastHandler, state.hasEnded)
    }
    if hasEnded { handler() }
    return number
  }

  package func forget(_ handler: Int?) {
    guard let handler else { return }
    state.withLock { $0.handlers[handler] = nil }
  }

  /// - Returns: false when whoever held it has died without a word.
  package func waitUntilReceived() async -> Bool {
    await withCheckedContinuation { continuation in
      let isDecided = state.withLock { state in
        if !state.isReceived && !state.hasEnded { state.waiter = continuation }
        return state.isReceived || state.hasEnded
      }
      if isDecided { continuation.resume() }
    }
    return state.withLock { $0.isReceived }
  }

  /// Until the end of file.
  private func read(_ descriptor: Int32) {
    var line: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 512)
    while true {
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let count = poll(&entry, 1, -1) < 0 ? -1 : Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
      guard count > 0 else { return }
      for byte in buffer[..<count] {
        if byte == UInt8(ascii: "\n") {
          if line == Array("taken".utf8) { change { $0.isReceived = true } }
          line = []
        } else if line.count < Self.longestLine {
          line.append(byte)
        }
      }
    }
  }

  private func change(_ change: (inout State) -> Void) {
    let (handlers, waiter) = state.withLock { state in
      change(&state)
      defer {
        state.waiter = nil
        if state.hasEnded { state.handlers = [:] }
      }
      return (state.hasEnded ? state.handlers : [:], state.waiter)
    }
    for (_, handler) in handlers.sorted(by: { $0.key < $1.key }) { handler() }
    waiter?.resume()
  }

  private static let longestLine = 100
}
