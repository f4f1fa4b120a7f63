import Dispatch
import Foundation
import Synchronization

/// The signals' only sources, made for the first who listens and there from then on: a signal whose action is set while
/// there is a source for it is lost to that source, and a source is cancelled some time after it is told to.
final class InterruptionSignals: Sendable {
  static let shared = InterruptionSignals()
  private static let made = Atomic(false)
  static var isMade: Bool { made.load(ordering: .acquiring) }

  private struct State {
    var listeners: [Int: Interruption.Listener] = [:]
    var last = 0
    var wasAsked = false
  }

  private let state = Mutex(State())
  private let sources = Mutex<[any DispatchSourceSignal]>([])
  private let queue = DispatchQueue(label: "dagrun.interruption")

  private init() {
    Self.ignoreWhatOnlyKills()
    let numbers = Self.asking
    // The default action would end the process before a source hears of it.
    for number in numbers { signal(number, SIG_IGN) }
    let queue = queue
    sources.withLock { sources in
      sources = numbers.map { DispatchSource.makeSignalSource(signal: $0, queue: queue) }
    }
    sources.withLock { sources in
      for (number, source) in zip(numbers, sources) {
        source.setEventHandler { [self] in heard(number) }
        source.resume()
      }
    }
    Self.made.store(true, ordering: .releasing)
  }

  /// A shell ignores SIGINT and SIGQUIT for what runs in its background, where both are meant all the same; but whoever
  /// ignores SIGHUP, as `nohup` does, wants the command to outlive its terminal.
  private static var asking: [Int32] {
    [SIGINT, SIGTERM, SIGQUIT, SIGXCPU] + (StandardDescriptors.ignoresHangUp ? [] : [SIGHUP])
  }

  /// Signals that say nothing to a command, and whose default ends it. Those for real-time use count from 34.
  private static func ignoreWhatOnlyKills() {
    for number in [SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT] + Array(34...64) {
      signal(number, SIG_IGN)
    }
  }

  func add(_ listener: Interruption.Listener) -> Int {
    let (number, wasAsked) = state.withLock { state in
      var listener = listener
      listener.hasHeard = state.wasAsked
      state.last += 1
      state.listeners[state.last] = listener
      return (state.last, state.wasAsked)
    }
    if wasAsked { queue.async { listener.onFirst() } }
    return number
  }

  func remove(_ number: Int) { state.withLock { $0.listeners[number] = nil } }

  var wasAsked: Bool { state.withLock { $0.wasAsked } }
  var listenerCount: Int { state.withLock { $0.listeners.count } }

  func ask() {
    queue.async { [self] in
      for listener in tell().first { listener.onFirst() }
    }
  }

  private func heard(_ number: Int32) {
    let wasAsked = wasAsked
    let (first, second) = tell()
    for listener in first { listener.onFirst() }
    // The kernel repeats SIGXCPU each second, and tells the end of a terminal twice: as its session's and its group's.
    if number == SIGXCPU || number == SIGHUP, wasAsked, !second.isEmpty { return }
    // Who came after the first signal has heard of it too; he who has heard twice wants the process to end.
    guard !second.isEmpty || first.isEmpty else { return }
    for listener in second { listener.onSecond() }
    _exit(ExitStatus.interrupted.rawValue)
  }

  /// - Returns: those who had not heard before, and those who had, in the order in which they came.
  private func tell() -> (first: [Interruption.Listener], second: [Interruption.Listener]) {
    state.withLock { state in
      state.wasAsked = true
      let all = state.listeners.sorted { $0.key < $1.key }
      for (number, _) in all { state.listeners[number]?.hasHeard = true }
      return (all.map(\.value).filter { !$0.hasHeard }, all.map(\.value).filter(\.hasHeard))
    }
  }
}
