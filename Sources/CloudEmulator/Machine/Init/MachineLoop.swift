internal import CLinux
internal import Foundation
internal import Processes

/// Everything that a VM's first process waits for: descriptors, times, and the end of its children. One thread.
final class MachineLoop {
  struct Timer: Hashable { fileprivate var number: UInt64 }

  private let poller: Poller
  private let signals: Int32
  private var watchers: [UInt64: (descriptor: Int32, body: (_ isWritable: Bool) -> Void)] = [:]
  private var timers: [Timer: (time: Double, body: () -> Void)] = [:]
  private var children: [pid_t: (ExitStatus) -> Void] = [:]
  private var lastNumber: UInt64 = 0
  /// Called when children have ended, after those who waited for them.
  var whenReaped: () -> Void = {}

  init() throws {
    poller = try Poller()
    signals = clinux_child_signals()
    if signals < 0 { throw SystemError("wait for processes") }
    try watch(signals) { [unowned self] _ in reap() }
  }

  /// Calls back whenever the descriptor has something to read, or has ended.
  @discardableResult
  func watch(_ descriptor: Int32, _ body: @escaping (_ isWritable: Bool) -> Void) throws -> UInt64 {
    lastNumber += 1
    try poller.add(descriptor, token: lastNumber)
    watchers[lastNumber] = (descriptor, body)
    return lastNumber
  }

  func await(writable: Bool, _ watcher: UInt64) {
    if let watched = watchers[watcher] { poller.await(writable: writable, watched.descriptor, token: watcher) }
  }

  func unwatch(_ watcher: UInt64) {
    if let watched = watchers.removeValue(forKey: watcher) { poller.remove(watched.descriptor) }
  }

  @discardableResult
  func after(seconds: Double, _ body: @escaping () -> Void) -> Timer {
    lastNumber += 1
    let timer = Timer(number: lastNumber)
    // Of units and commands, which may say anything.
    timers[timer] = (monotonicSeconds() + clamp(seconds, to: 0...1e9), body)
    return timer
  }

  func cancel(_ timer: Timer?) { if let timer { timers[timer] = nil } }

  /// The child was started by whoever calls, just now.
  func whenEnded(_ pid: pid_t, _ body: @escaping (ExitStatus) -> Void) { children[pid] = body }

  func run() -> Never {
    while true {
      let next = timers.values.map(\.time).min()
      let milliseconds = next.map { clamp((($0 - monotonicSeconds()) * 1000).rounded(.up), to: 0...1e9) }
      _ = poller.poll(milliseconds: milliseconds.map { Int32($0) } ?? -1) { token, isWritable in
        watchers[token]?.body(isWritable)
      }
      let now = monotonicSeconds()
      let due = timers.filter { $0.value.time <= now }.sorted {
        ($0.value.time, $0.key.number) < ($1.value.time, $1.key.number)
      }
      for (timer, entry) in due where timers.removeValue(forKey: timer) != nil { entry.body() }
    }
  }

  /// Also what lost its own parent.
  private func reap() {
    clinux_drain_signals(signals)
    while case .ended(let ended) = reapChild() { children.removeValue(forKey: ended.pid)?(ended.status) }
    whenReaped()
  }
}
