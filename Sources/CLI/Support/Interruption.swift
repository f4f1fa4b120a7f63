import Dispatch
import Foundation
import Synchronization

/// Ctrl-C and SIGTERM. The first one asks for a clean end, the second one ends the process at once. There may be several of
/// them at once; each hears of every signal.
final class Interruption {
  private static let alive = Mutex(0)
  private let sources: [any DispatchSourceSignal]

  /// - Parameters:
  ///   - onFirst: called once, on a queue of its own.
  ///   - onSecond: last words before the process ends.
  init(onFirst: @escaping @Sendable () -> Void, onSecond: @escaping @Sendable () -> Void = {}) {
    let queue = DispatchQueue(label: "dagrun.interruption")
    let count = Count()
    Self.alive.withLock { $0 += 1 }
    sources = [SIGINT, SIGTERM].map { number in
      // The default action would end the process before the source hears of it.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        count.value += 1
        if count.value == 1 { return onFirst() }
        onSecond()
        _exit(ExitStatus.interrupted.rawValue)
      }
      source.resume()
      return source
    }
  }

  /// From the end of the last one on, signals do what they do by default.
  func end() {
    for source in sources { source.cancel() }
    Self.alive.withLock { alive in
      alive -= 1
      if alive == 0 { for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) } }
    }
  }

  /// Confined to the queue of the sources.
  private final class Count: @unchecked Sendable {
    var value = 0
  }
}
