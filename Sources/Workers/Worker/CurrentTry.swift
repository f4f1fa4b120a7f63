internal import Glibc
internal import Model
internal import Preparation
internal import Processes
import Synchronization

/// The one try that the worker is at, as its threads share it: the task's thread begins and ends it, the control thread
/// stops it, and whoever calls `exit` finds it here.
///
///     begin -> [stoppable] -> [stop: cancel … kill after the grace period] -> end
///
/// A stop may come before the try does, because it comes on a socket of its own: it then takes effect when the try
/// begins.
final class CurrentTry: Sendable {
  struct Stoppable {
    /// Asks the task to end.
    var cancel: @Sendable () -> Void
    /// Ends it; called when it has not ended after the grace period.
    var kill: @Sendable () -> Void
  }

  private struct State {
    var id: TryKey?
    var startDate: Int64 = 0
    var graceSeconds = 0.0
    var endsWithItsGiver = false
    var outputIsRead = true
    var isGiverGone = false
    var stoppable: Stoppable?
    var isStopping = false
    var killAt: Double?
    /// Stops of tries that have not arrived yet. A try comes once, so there are never many.
    var early: [TryKey] = []
  }

  private let state = Mutex(State())

  func begin(_ assignment: TryAssignment, at startDate: Int64) {
    let id = assignment.key
    state.withLock {
      $0.id = id
      $0.startDate = startDate
      $0.graceSeconds = assignment.graceSeconds
      $0.endsWithItsGiver = assignment.endsWithItsGiver
      $0.outputIsRead = assignment.workload.outputIsRead
      $0.isStopping = assignment.endsWithItsGiver && $0.isGiverGone
      $0.killAt = nil
      $0.stoppable = nil
      if !$0.early.isEmpty {
        $0.isStopping = $0.isStopping || $0.early.contains(id)
        $0.early = []
      }
    }
  }

  /// What had to be there before the task itself is there.
  func beginWork(at startDate: Int64) { state.withLock { $0.startDate = startDate } }

  var id: TryKey? { state.withLock { $0.id } }
  var isStopping: Bool { state.withLock { $0.isStopping } }
  var killAt: Double? { state.withLock { $0.killAt } }

  /// From now on the task can be stopped in this way; at once, if that was asked already.
  ///
  /// - Returns: true when the control thread has to look at `killAt`.
  func become(_ stoppable: Stoppable) -> Bool {
    state.withLock {
      $0.stoppable = stoppable
      if $0.isStopping { Self.cancel(&$0) }
      return $0.isStopping
    }
  }

  /// What could be stopped has ended.
  func resign() { state.withLock { $0.stoppable = nil } }

  /// nil stops whatever runs.
  func stop(_ id: TryKey?) {
    state.withLock {
      guard let current = $0.id, id == nil || id == current else {
        if let id { $0.early.append(id) }
        return
      }
      if $0.isStopping { return }
      $0.isStopping = true
      if $0.stoppable != nil { Self.cancel(&$0) }
    }
  }

  /// Whoever gives tries to this worker has ended, or wants nothing more of it.
  func giverIsGone() {
    state.withLock {
      $0.isGiverGone = true
      guard $0.id != nil, $0.endsWithItsGiver, !$0.isStopping else { return }
      $0.isStopping = true
      if $0.stoppable != nil { Self.cancel(&$0) }
    }
  }

  /// Kills what has not ended within its grace period.
  func killIfDue() {
    let kill: (@Sendable () -> Void)? = state.withLock {
      guard let killAt = $0.killAt, killAt <= monotonicSeconds() else { return nil }
      $0.killAt = nil
      return $0.stoppable?.kill
    }
    kill?()
  }

  /// Ends the try: of several threads that want to, one gets it, with the moment it began.
  func end() -> (id: TryKey, startDate: Int64, wasStopping: Bool, outputIsRead: Bool)? {
    state.withLock {
      guard let id = $0.id else { return nil }
      $0.id = nil
      $0.stoppable = nil
      $0.killAt = nil
      return (id, $0.startDate, $0.isStopping, $0.outputIsRead)
    }
  }

  private static func cancel(_ state: inout State) {
    state.killAt = monotonicSeconds() + state.graceSeconds
    state.stoppable?.cancel()
  }
}
