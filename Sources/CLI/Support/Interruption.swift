import Dispatch
import Foundation

/// Ctrl-C and SIGTERM. The first one asks for a clean end, the second one ends the process at once.
final class Interruption {
  private let sources: [any DispatchSourceSignal]

  /// - Parameters:
  ///   - onFirst: called once, on a queue of its own.
  ///   - onSecond: last words before the process ends.
  init(onFirst: @escaping @Sendable () -> Void, onSecond: @escaping @Sendable () -> Void = {}) {
    let queue = DispatchQueue(label: "dagrun.interruption")
    let count = Count()
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

  /// From here on signals do what they do by default.
  func end() {
    for source in sources { source.cancel() }
    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
  }

  /// Confined to the queue of the sources.
  private final class Count: @unchecked Sendable {
    var value = 0
  }
}
