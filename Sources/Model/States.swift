/// A task instance moves:  none -> scheduled -> queued -> running -> success | failed | up_for_retry ...
/// Every arrow is a `TaskTransition`; docs/lifecycle.md draws them. Raw values are Airflow's
/// (`airflow.utils.state.TaskInstanceState`), with `none` for its null.
package enum TaskState: String, Hashable, Sendable, CaseIterable, Codable {
  /// Waits for its upstream tasks.
  case none
  /// The task is no longer in the DAG that the run is on.
  case removed
  /// Its upstream tasks let it run; it waits for a slot.
  case scheduled
  /// It has its slot; an executor was told to start it.
  case queued
  case running
  case success
  /// Was cleared while it ran: it is being stopped, and starts again when it has ended.
  case restarting
  case failed
  case upForRetry = "up_for_retry"
  case upForReschedule = "up_for_reschedule"
  case upstreamFailed = "upstream_failed"
  case skipped
  /// Waits for an event outside the machine; holds no process.
  case deferred
  case awaitingInput = "awaiting_input"

  /// Nothing more will happen to it by itself.
  package var isFinished: Bool {
    switch self {
    case .success, .failed, .skipped, .upstreamFailed, .removed: true
    case .none, .scheduled, .queued, .running, .restarting, .upForRetry, .upForReschedule, .deferred, .awaitingInput:
      false
    }
  }

  /// A process, or a job elsewhere, may be at work for it; it holds its slots.
  package var isActive: Bool {
    switch self {
    case .queued, .running, .restarting: true
    case .none, .removed, .scheduled, .success, .failed, .upForRetry, .upForReschedule, .upstreamFailed, .skipped,
      .deferred, .awaitingInput:
      false
    }
  }
}

/// A run moves:  queued -> running -> success | failed, and back to queued when its tasks are cleared.
package enum DAGRunState: String, Hashable, Sendable, CaseIterable, Codable {
  case queued, running, success, failed

  package var isFinished: Bool { self == .success || self == .failed }
}

/// Why a run exists. Raw values are Airflow's.
package enum DAGRunType: String, Hashable, Sendable, CaseIterable, Codable {
  case manual, scheduled, backfill
  case assetTriggered = "asset_triggered"
}
