import Dispatch
import Foundation
import Synchronization

/// Ctrl-C and SIGTERM. The first one asks for a clean end, the second one ends the process at once. There may be several of
/// them at once; each hears of every signal.
final class Interruption: Sendable {
  private let number: Int

  /// - Parameters:
  ///   - onFirst: called once, on a queue of its own.
  ///   - onSecond: last words before the process ends.
  init(onFirst: @escaping @Sendable () -> Void, onSecond: @escaping @Sendable () -> Void = {}) {
    number = Switchboard.shared.add(Listener(onFirst: onFirst, onSecond: onSecond))
  }

  /// From the end of the last one on, a signal ends the process.
  func end() { Switchboard.shared.remove(number) }

  fileprivate struct Listener: Sendable {
    var onFirst: @Sendable () -> Void
    var onSecond: @Sendable () -> Void
    var hasHeard = false
  }
}

/// The signals' only sources, made for the first who listens and there from then on: a signal whose action is set while
/// there is a source for it is lost to that source, and a source is cancelled some time after it is told to.
private final class Switchboard: Sendable {
  static let shared = Switchboard()

  private struct State {
    var listeners: [Int: Interruption.Listener] = [:]
    var last = 0
  }

  private let state = Mutex(State())
  private let sources: Mutex<[any DispatchSourceSignal]>

  private init() {
    let queue = DispatchQueue(label: "dagrun.interruption")
    sources = Mutex(
      [SIGINT, SIGTERM].map { number in
        // The default action would end the process before the source hears of it.
        signal(number, SIG_IGN)
        return DispatchSource.makeSignalSource(signal: number, queue: queue)
      })
    sources.withLock { sources in
      for source in sources {
        source.setEventHandler { [self] in heard() }
        source.resume()
      }
    }
  }

  func add(_ listener: Interruption.Listener) -> Int {
    state.withLock {
      $0.last += 1
      $0.listeners[$0.last] = listener
      return $0.last
    }
  }

  func remove(_ number: Int) { state.withLock { $0.listeners[number] = nil } }

  private func heard() {
    let (first, second) = state.withLock { state in
      let all = state.listeners.sorted { $0.key < $1.key }
      for (number, _) in all { state.listeners[number]?.hasHeard = true }
      return (all.map(\.value).filter { !$0.hasHeard }, all.map(\.value).filter(\.hasHeard))
    }
    for listener in first { listener.onFirst() }
    // Who came after the first signal has not heard of it; he who has heard twice wants the process to end.
    guard !second.isEmpty || first.isEmpty else { return }
    for listener in second { listener.onSecond() }
    _exit(ExitStatus.interrupted.rawValue)
  }
}
