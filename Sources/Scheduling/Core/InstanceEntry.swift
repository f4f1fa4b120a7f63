import Dagrun
import Model

/// A task instance in memory: 64 bytes, of which there may be hundreds of thousands.
struct InstanceEntry: Sendable {
  var state: TaskState = .none
  /// Its rule lets it run, and it has an entry in a lane of the ready queue (or is an empty task that is held back).
  /// Once it is not ready any more, its entry is stale.
  var isReady = false
  /// The try was stopped because its execution timeout had passed.
  var isTimedOut = false
  var tryNumber: Int32 = 0
  var maxTries: Int32
  /// Its transition in the step that is being made; 0: it has none.
  var transition: Int32 = 0
  // How the tasks right above it have ended. N is `InstanceLayout.upstreamCount`.
  var succeededUpstream: Int32 = 0
  var skippedUpstream: Int32 = 0
  var failedUpstream: Int32 = 0
  var upstreamFailedUpstream: Int32 = 0
  var removedUpstream: Int32 = 0
  /// `OutputShape.code`, as far as 32 bits hold it.
  private var outputCode = Self.noOutput
  private var startMicroseconds = Self.never
  private var endMicroseconds = Self.never
  private var retryMicroseconds = Self.never

  private static let never = Int64.min
  private static let noTries: Int32 = -1
  private static let noOutput = Int32.min

  init(maxTries: Int32) { self.maxTries = maxTries }

  init(_ instance: TaskInstance) {
    state = instance.state
    tryNumber = Int32(clamping: max(0, instance.tryNumber))
    maxTries = Int32(clamping: instance.maxTries)
    startDate = instance.startDate
    endDate = instance.endDate
    retryAt = instance.retryAt
    output = instance.output
  }

  var output: OutputShape? {
    get { outputCode == Self.noOutput ? nil : OutputShape(code: Int64(outputCode)) }
    set { outputCode = newValue.map { Int32(clamping: $0.code) } ?? Self.noOutput }
  }

  var startDate: Timestamp? {
    get { startMicroseconds == Self.never ? nil : Timestamp(microseconds: startMicroseconds) }
    set { startMicroseconds = newValue?.microseconds ?? Self.never }
  }
  var endDate: Timestamp? {
    get { endMicroseconds == Self.never ? nil : Timestamp(microseconds: endMicroseconds) }
    set { endMicroseconds = newValue?.microseconds ?? Self.never }
  }
  var retryAt: Timestamp? {
    get { retryMicroseconds == Self.never ? nil : Timestamp(microseconds: retryMicroseconds) }
    set { retryMicroseconds = newValue?.microseconds ?? Self.never }
  }

  /// It has ended without a try, for there was nothing to map over, and stands for the elements of a list to come. Until
  /// it is cleared, marked or given an element it has no tries.
  var isEndedByList: Bool { maxTries == Self.noTries }

  mutating func endByList() { maxTries = Self.noTries }

  mutating func grantTries(_ retries: Int32) { maxTries = tryNumber.addingSaturating(retries) }

  /// One that waits for the same, and has done nothing yet. Its first try comes after `number`: what was forgotten may
  /// have had the tries before.
  func unstarted(after number: Int32, retries: Int32) -> InstanceEntry {
    var entry = InstanceEntry(maxTries: 0)
    entry.tryNumber = number
    entry.grantTries(retries)
    entry.succeededUpstream = succeededUpstream
    entry.skippedUpstream = skippedUpstream
    entry.failedUpstream = failedUpstream
    entry.upstreamFailedUpstream = upstreamFailedUpstream
    entry.removedUpstream = removedUpstream
    return entry
  }

  func instance(_ key: TaskInstanceKey) -> TaskInstance {
    TaskInstance(
      taskID: key.taskID, mapIndex: key.mapIndex, state: state, tryNumber: Int(tryNumber), maxTries: Int(maxTries),
      startDate: startDate, endDate: endDate, retryAt: retryAt, output: output)
  }

  func counts(upstream: Int) -> UpstreamCounts {
    UpstreamCounts(
      upstream: Int32(upstream), succeeded: succeededUpstream, skipped: skippedUpstream, failed: failedUpstream,
      upstreamFailed: upstreamFailedUpstream, removed: removedUpstream)
  }

  /// A task right above has ended so; with -1, no longer so.
  mutating func countUpstream(_ state: TaskState, _ number: Int32 = 1) {
    switch state {
    case .success: succeededUpstream += number
    case .skipped: skippedUpstream += number
    case .failed: failedUpstream += number
    case .upstreamFailed: upstreamFailedUpstream += number
    case .removed: removedUpstream += number
    case .none, .scheduled, .queued, .running, .restarting, .upForRetry, .upForReschedule, .deferred, .awaitingInput:
      break
    }
  }

  mutating func forgetUpstream() {
    succeededUpstream = 0
    skippedUpstream = 0
    failedUpstream = 0
    upstreamFailedUpstream = 0
    removedUpstream = 0
  }

  /// Equal in all that outlives a restart, or follows from it.
  func isSame(as other: InstanceEntry) -> Bool {
    state == other.state && tryNumber == other.tryNumber && maxTries == other.maxTries
      && startMicroseconds == other.startMicroseconds && endMicroseconds == other.endMicroseconds
      && retryMicroseconds == other.retryMicroseconds && succeededUpstream == other.succeededUpstream
      && skippedUpstream == other.skippedUpstream && failedUpstream == other.failedUpstream
      && outputCode == other.outputCode && upstreamFailedUpstream == other.upstreamFailedUpstream
      && removedUpstream == other.removedUpstream
      && (state != .scheduled || isReady == other.isReady)
  }
}
