package import Model

extension TaskResult {
  /// Of an output, as JSON text. The database does not take a value of a gigabyte, and every task that uses one gets a
  /// copy.
  package static let outputLimitBytes = 64 << 20
  static func tooLarge(_ bytes: Int) -> String {
    "its output has \(bytes) bytes, and an output may have \(outputLimitBytes): write it to a file, and hand on the path"
  }

  /// Of the reason of a failure or a skip.
  static let reasonLimitBytes = 16 << 10

  /// Whether a worker of this version can have written it. User code can write into both reports and journals.
  var isPlausible: Bool {
    // No worker says so: only the engine sees that a try is lost, and no task can wait without its process.
    switch outcome {
    case .lost, .deferred: return false
    case .success, .skipped, .failed, .stopped: break
    }
    let isUsagePlausible =
      usage.cpuSeconds.map { $0 >= 0 && $0 <= Self.mostCPUSeconds } ?? true && usage.peakMemoryBytes ?? 0 >= 0
    let isOutputPlausible = output.map { $0.utf8.count <= Self.outputLimitBytes && JSONText.isValid($0) } ?? true
    return isUsagePlausible && isOutputPlausible && outcome.hasShortReason
  }

  /// Of a thousand cores in ten years and more.
  private static let mostCPUSeconds = 1e12
}

extension TaskResult.Outcome {
  static func outputTooLarge(_ bytes: Int) -> TaskResult.Outcome {
    .failed(reason: TaskResult.tooLarge(bytes), isRetryable: false)
  }

  /// Whatever a task says, a record of it stays small.
  var shortened: TaskResult.Outcome {
    switch self {
    case .skipped(let reason): return .skipped(reason: Self.shorten(reason))
    case .failed(var failure, let isRetryable):
      failure.reason = Self.shorten(failure.reason)
      return .failed(failure, isRetryable: isRetryable)
    case .success, .stopped, .lost, .deferred: return self
    }
  }

  fileprivate var hasShortReason: Bool {
    switch self {
    case .skipped(let reason): reason.utf8.count <= TaskResult.reasonLimitBytes + 16
    case .failed(let failure, _): failure.reason.utf8.count <= TaskResult.reasonLimitBytes + 16
    case .success, .stopped, .lost, .deferred: true
    }
  }

  static func shorten(_ reason: String) -> String {
    guard reason.utf8.count > TaskResult.reasonLimitBytes else { return reason }
    return String(decoding: reason.utf8.prefix(TaskResult.reasonLimitBytes), as: UTF8.self) + "…"
  }
}
