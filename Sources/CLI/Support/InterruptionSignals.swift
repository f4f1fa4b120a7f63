import Dispatch
import Foundation
import Processes
import Synchronization

/// The process's signals, from the first listener on, for the rest of its life.
final class InterruptionSignals: Sendable {
  static let shared = InterruptionSignals()
  private static let made = Atomic(false)
  static var isMade: Bool { made.load(ordering: .acquiring) }

  private struct State {
    var listeners: [Int: Interruption.Listener] = [:]
    var last = 0
    var wasAsked = false
    var awaitingMark: [@Sendable () -> Void] = []
  }

  private let state = Mutex(State())
  private let source = Mutex<(any DispatchSourceRead)?>(nil)
  private let queue = DispatchQueue(label: "dagrun.interruption")

  private init() {
    Self.ignoreWhatOnlyKills()
    // Where no descriptor is left, signals keep what they do by default, and end the process.
    if let descriptor = try? SignalPipe.open(Self.asking) {
      let queue = queue
      source.withLock { $0 = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue) }
      source.withLock { source in
        source?.setEventHandler { [self] in
          // The same signal twice at once is one request: of `timeout`, say, which signals its child and then the
          // group.
          var earlier: Set<UInt8> = []
          for byte in SignalPipe.read(descriptor) where earlier.insert(byte).inserted { received(byte) }
        }
        source?.resume()
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

  /// Calls back when the listener has received all signals that were sent before now.
  static func afterEarlierSignals(_ body: @escaping @Sendable () -> Void) {
    // Where nobody listens, a signal ends the process.
    guard isMade, shared.source.withLock({ $0 != nil }) else { return body() }
    shared.queue.async {
      shared.state.withLock { $0.awaitingMark.append(body) }
      SignalPipe.sendMark()
    }
  }

  func add(_ listener: Interruption.Listener) -> Int {
    let (number, wasAsked) = state.withLock { state in
      var listener = listener
      listener.hasReceived = state.wasAsked
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

  private func received(_ byte: UInt8) {
    guard byte == SignalPipe.mark else { return received(Int32(byte)) }
    let waiting = state.withLock { state in
      defer { state.awaitingMark = [] }
      return state.awaitingMark
    }
    for body in waiting { body() }
  }

  private func received(_ number: Int32) {
    let wasAsked = wasAsked
    let (first, second) = tell()
    for listener in first { listener.onFirst() }
    // The kernel repeats SIGXCPU each second, and tells the end of a terminal twice: as its session's and its group's.
    if number == SIGXCPU || number == SIGHUP, wasAsked, !second.isEmpty { return }
    // A listener that came after the first signal gets it too. Two signals mean that the process is to end.
    guard !second.isEmpty || first.isEmpty else { return }
    for listener in second { listener.onSecond() }
    _exit(CommandExit.interrupted.rawValue)
  }

  /// - Returns: listeners that had received none before, and those that had, in the order in which they came.
  private func tell() -> (first: [Interruption.Listener], second: [Interruption.Listener]) {
    state.withLock { state in
      state.wasAsked = true
      let all = state.listeners.sorted { $0.key < $1.key }
      for (number, _) in all { state.listeners[number]?.hasReceived = true }
      return (all.map(\.value).filter { !$0.hasReceived }, all.map(\.value).filter(\.hasReceived))
    }
  }
}
