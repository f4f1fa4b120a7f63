package import Clash
package import Dagrun
internal import Foundation
package import Model

/// From the ends of a try's jobs to the end of the try.
extension TaskResult {
  /// - Parameters:
  ///   - names: of the jobs, in the order of the outcomes.
  ///   - wasStopping: whether they had been told to stop.
  package init(
    _ outcomes: [JobOutcome], of job: ComputeEngineJobDescription, names: [String], wasStopping: Bool = false
  ) {
    guard job.isGroup else {
      self = Self.single(outcomes[0], handsOnOwnOutput: job.handsOnOwnOutput, wasStopping: wasStopping)
      return
    }
    let failures = zip(names, outcomes).compactMap { name, outcome in
      outcome.ending == .exited(status: 0) ? nil : (name: name, outcome: outcome)
    }
    guard let first = failures.first else {
      self.init(.success, output: Self.json(outcomes.compactMap(\.result)))
      return
    }
    if wasStopping {
      self.init(.stopped())
      return
    }
    let reasons = failures.map { "\($0.name): \($0.outcome.ending.words)" }.joined(separator: "; ")
    self.init(
      .failed(
        reason: "\(failures.count) of \(outcomes.count) jobs failed: \(reasons)",
        exitCode: first.outcome.ending.exitStatus, cause: first.outcome.ending.cause,
        isRetryable: failures.contains { $0.outcome.ending.isRetryable }))
  }

  private static func single(
    _ outcome: JobOutcome, handsOnOwnOutput: Bool, wasStopping: Bool
  ) -> TaskResult {
    guard outcome.ending == .exited(status: 0) else {
      if wasStopping, outcome.ending == .cancelled { return TaskResult(.stopped()) }
      return TaskResult(
        .failed(
          reason: outcome.ending.words, exitCode: outcome.ending.exitStatus, cause: outcome.ending.cause,
          isRetryable: outcome.ending.isRetryable))
    }
    guard handsOnOwnOutput else { return TaskResult(.success, output: outcome.result.map(json)) }
    guard let output = outcome.output else {
      return TaskResult(.failed(reason: "it wrote nothing to $DAGRUN_OUTPUT, and other tasks use what it writes there"))
    }
    // As of a shell task: a text, which whoever takes it may read as JSON.
    let text = output.hasSuffix("\n") ? String(output.dropLast()) : output
    return TaskResult(.success, output: JSONValue.string(text).jsonText)
  }

  private static func json(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else { preconditionFailure("a job's result is always JSON") }
    return String(decoding: data, as: UTF8.self)
  }
}

extension JobOutcome.Ending {
  /// Why a task failed.
  fileprivate var words: String {
    switch self {
    case .exited(let status): "exited with status \(status)"
    case .infrastructure(let failure): failure.message
    case .cancelled: "its job was cancelled"
    case .timedOut(let seconds): "its job took longer than \(JSONValue.double(seconds).jsonText) s"
    }
  }

  fileprivate var exitStatus: Int? {
    guard case .exited(let status) = self else { return nil }
    return status
  }

  fileprivate var cause: Failure.Cause? {
    switch self {
    case .timedOut: .timeout
    case .infrastructure(let failure) where [.machine, .noCapacity, .quota].contains(failure.kind): .machineLost
    case .exited, .infrastructure, .cancelled: nil
    }
  }

  fileprivate var isRetryable: Bool {
    switch self {
    case .exited, .timedOut: true
    case .infrastructure(let failure): failure.isRetryable
    // By a person, with `dagrun job cancel`.
    case .cancelled: false
    }
  }
}
