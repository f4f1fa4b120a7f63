import Model

/// How the tasks right above a task have ended, so far. Letters are those of the table in `TriggerRules.swift`.
struct UpstreamCounts: Hashable, Sendable {
  /// N
  var upstream: Int32 = 0
  /// S
  var succeeded: Int32 = 0
  /// K
  var skipped: Int32 = 0
  /// F
  var failed: Int32 = 0
  /// U
  var upstreamFailed: Int32 = 0
  /// R
  var removed: Int32 = 0

  /// D
  var done: Int32 { succeeded + skipped + failed + upstreamFailed + removed }

  mutating func add(_ state: TaskState, _ number: Int32 = 1) {
    switch state {
    case .success: succeeded += number
    case .skipped: skipped += number
    case .failed: failed += number
    case .upstreamFailed: upstreamFailed += number
    case .removed: removed += number
    case .none, .scheduled, .queued, .running, .restarting, .upForRetry, .upForReschedule, .deferred, .awaitingInput:
      break
    }
  }
}

/// The setups right above a teardown.
struct SetupCounts: Hashable, Sendable {
  var setups: Int32 = 0
  var succeeded: Int32 = 0
  var skipped: Int32 = 0
}
