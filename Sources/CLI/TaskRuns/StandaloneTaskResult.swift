import Dagrun
import Foundation
import JobControl
import Model
import Presentation
import Scheduling
import Workers

/// How a try ended that `tasks run` was at, in the scheduler's words.
struct StandaloneTaskResult {
  var state: TaskState
  /// JSON text.
  var output: String?
  /// Of a failure or a skip.
  var reason: String?
  /// What the task has chosen of the tasks below it; nil: all may run.
  var choice: DownstreamChoice?
  /// Of a failure: another try may go better.
  var isRetryable = false
  var exitCode: Int?
  var signal: Int?
  var startDate: Timestamp
  var endDate: Timestamp
  var usage = Usage()
  /// Those that did the task's work, as `job run` reports them.
  var jobs: [OutputObject]?

  var durationSeconds: Double { endDate.seconds(since: startDate) }
  var status: CommandExit { state == .failed ? .runFailed : .success }

  /// A task without work of its own.
  static func nothing(at now: Timestamp) -> StandaloneTaskResult {
    StandaloneTaskResult(state: .success, startDate: now, endDate: now)
  }

  /// What a program reads that schedules the task itself.
  func record(of rehearsal: TaskRehearsal) -> OutputObject {
    let excluded = choice.map {
      DAGPlan(rehearsal.dag, version: "").taskIDs(excludedBy: $0, of: rehearsal.task.id)
    }
    var record: OutputObject = [
      "dag_id": .text(rehearsal.dag.id), "run_id": .text(rehearsal.context.runID), "task_id": .text(rehearsal.task.id),
      "try_number": .int(rehearsal.tryNumber), "state": .text(state.rawValue),
      "output": output.map(OutputValue.json) ?? .null,
      "reason": .optional(reason), "retry": .bool(isRetryable),
      "skip": excluded.map { .list($0.map(OutputValue.text)) } ?? .null, "exit_code": .optional(exitCode),
      "signal": .optional(signal), "start_date": .time(startDate),
      "end_date": .time(endDate), "cpu_seconds": .optional(usage.cpuSeconds),
      "peak_memory_bytes": usage.peakMemoryBytes.map { .int($0) } ?? .null,
    ]
    if let jobs { record.append("jobs", .list(jobs.map(OutputValue.object))) }
    return record
  }

  /// For a person, on standard error.
  func tell(of task: TaskDescription, to errors: Output) {
    if task.work == .empty { return errors.line("\(task.id): nothing to run (\(task.operatorName))") }
    if let output, state == .success { errors.line("\(task.id): output \(output)") }
    if let choice { errors.line("\(task.id): \(choice)") }
    let duration = state == .skipped ? "" : " after \(Durations.text(durationSeconds))"
    let reason = (reason ?? "").isEmpty ? "" : (state == .skipped ? " " : ": ") + (self.reason ?? "")
    errors.line("\(task.id): \(errors.style.state(state.rawValue))\(duration)\(reason)")
  }
}

extension StandaloneTaskResult {
  /// - Parameters:
  ///   - timeoutSeconds: the task's execution timeout, if it was stopped for it.
  ///   - jobs: those that did its work.
  init(
    _ result: TaskResult, of task: TaskDescription, timeoutSeconds: Double? = nil, jobs: [JobRunResult]? = nil
  ) {
    let now = Timestamp(Date())
    let ending = TryEnding(result.outcome, timeoutSeconds: timeoutSeconds, rules: task.failureRules)
    self.init(
      state: ending.state, output: ending.state == .success ? result.output : nil, reason: ending.reason,
      choice: ending.state == .success ? result.choice : nil, isRetryable: ending.isRetryable,
      exitCode: ending.exitCode, signal: ending.signal,
      startDate: result.startDate ?? now, endDate: result.endDate ?? now, usage: result.usage,
      jobs: jobs?.compactMap(\.record))
  }

  /// - Throws: when the task was stopped for the sake of whoever ran this command: there is nobody left to read of its
  ///   end.
  init(_ result: TaskResult, stop: LocalTaskRun.Stop?, of task: TaskDescription) throws {
    var timeoutSeconds: Double?
    switch stop {
    case .interrupted where result.outcome.isStopped: throw UserError(.interrupted, "\(task.id) was stopped")
    case .lifelineEnded where result.outcome.isStopped:
      throw UserError(.interrupted, "\(task.id) was stopped: its caller is gone")
    case .timedOut(let seconds): timeoutSeconds = seconds
    case .interrupted, .lifelineEnded, nil: break
    }
    self.init(result.choosing(by: task.decision), of: task, timeoutSeconds: timeoutSeconds)
  }
}

extension TaskResult.Outcome {
  fileprivate var isStopped: Bool { if case .stopped = self { true } else { false } }
}
