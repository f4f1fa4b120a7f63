import Control
import Foundation

/// What asks a command to end while it is at work: Ctrl-C, SIGTERM, SIGHUP (its terminal was closed), SIGQUIT, SIGXCPU,
/// and where it prints a log, that log's reader leaving. The first time asks for a clean end; a second signal ends the
/// process at once. There may be several of these at once; each receives every request, also one that came before it
/// was made.
///
/// A process with one of them is at work on something that must not end in the middle: it ignores the other signals
/// whose default would kill it, and continues when nobody reads its progress.
final class Interruption: Sendable {
  private let number: Int

  /// - Parameters:
  ///   - onFirst: called once, on a queue of its own.
  ///   - onSecond: last words before the process ends.
  init(onFirst: @escaping @Sendable () -> Void, onSecond: @escaping @Sendable () -> Void = {}) {
    number = InterruptionSignals.shared.add(Listener(onFirst: onFirst, onSecond: onSecond))
  }

  /// From the end of the last one on, a signal ends the process.
  func end() { InterruptionSignals.shared.remove(number) }

  /// Whether the process was asked to end.
  static var wasAsked: Bool { InterruptionSignals.shared.wasAsked }

  /// Whether somebody listens, so that the process must not end in the middle.
  static var isListening: Bool { InterruptionSignals.isMade && InterruptionSignals.shared.listenerCount > 0 }

  /// Nobody else listens.
  static var isAlone: Bool { InterruptionSignals.shared.listenerCount == 1 }

  /// Asks as a first signal does. Never ends the process.
  static func ask() { InterruptionSignals.shared.ask() }

  struct Listener: Sendable {
    var onFirst: @Sendable () -> Void
    var onSecond: @Sendable () -> Void
    var hasReceived = false
  }
}
