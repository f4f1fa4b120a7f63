import Dagrun
import Foundation
import Scheduling
import Workers

/// How a try ended that `tasks run` was at, in the scheduler's words.
struct TaskRunEnd {
  var state: TaskState
  /// JSON text.
  var output: String?
  /// Of a failure or a skip.
  var reason: String?
  /// Of a failure: another try may go better.
  var isRetryable = false
  var exitCode: Int?
  var signal: Int?
  var startDate: Timestamp
  var endDate: Timestamp
  var usage = Usage()
  /// Those that did the task's work, as `job run` tells of them.
  var jobs: [Record]?

  var durationSeconds: Double { endDate.seconds(since: startDate) }
  var status: ExitStatus { state == .failed ? .runFailed : .success }

  /// A task without work of its own.
  static func nothing(at now: Timestamp) -> TaskRunEnd {
    TaskRunEnd(state: .success, startDate: now, endDate: now)
  }

  /// What a program reads that schedules the task itself.
  func record(of trial: TrialRun) -> Record {
    var record: Record = [
      "dag_id": .text(trial.dag.id), "run_id": .text(trial.context.runID), "task_id": .text(trial.task.id),
      "try_number": .int(trial.tryNumber), "state": .text(state.rawValue), "output": output.map(Datum.json) ?? .null,
      "reason": .optional(reason), "retry": .bool(isRetryable),
      // No task of dagrun decides over others: those below it are skipped by their trigger rules.
      "skip": .null, "exit_code": .optional(exitCode), "signal": .optional(signal), "start_date": .time(startDate),
      "end_date": .time(endDate), "cpu_seconds": .optional(usage.cpuSeconds),
      "peak_memory_bytes": usage.peakMemoryBytes.map { .int($0) } ?? .null,
    ]
    if let jobs { record.append("jobs", .list(jobs.map(Datum.object))) }
    return record
  }

  /// For a person, on standard error.
  func tell(of task: TaskDescription, to errors: Output) {
    if task.work == .empty { return errors.line("\(task.id): nothing to run (\(task.work.operatorName))") }
    if let output, state == .success { errors.line("\(task.id): output \(output)") }
    let duration = state == .skipped ? "" : " after \(Durations.text(durationSeconds))"
    let reason = (reason ?? "").isEmpty ? "" : (state == .skipped ? " " : ": ") + (self.reason ?? "")
    errors.line("\(task.id): \(errors.style.state(state.rawValue))\(duration)\(reason)")
  }
}

extension TaskRunEnd {
  init(_ result: TaskResult, jobs: [JobEnd]) {
    let now = Timestamp(Date())
    startDate = result.startDate ?? now
    endDate = result.endDate ?? now
    self.jobs = jobs.compactMap(\.record)
    switch result.outcome {
    case .success:
      state = .success
      output = result.output
    case .skipped(let reason):
      state = .skipped
      self.reason = reason
    case .failed(let failure, let isRetryable):
      state = .failed
      reason = failure.reason
      exitCode = failure.exitCode
      self.isRetryable = isRetryable
    }
  }

  /// - Throws: when the task was stopped for the sake of whoever ran this command: there is nobody left to read of its end.
  init(_ result: TryResult, stop: SoloTask.Stop?, of task: TaskDescription) throws {
    startDate = Timestamp(microseconds: result.startDate)
    endDate = Timestamp(microseconds: result.endDate)
    usage = Usage(cpuSeconds: result.cpuSeconds, peakMemoryBytes: result.peakMemoryBytes)
    switch result.outcome {
    case .success:
      state = .success
      output = result.output
    case .skipped(let reason):
      state = .skipped
      self.reason = reason
    case .failed(let reason, let exitCode, let signal, let isRetryable):
      state = .failed
      self.reason = reason
      self.exitCode = exitCode.map(Int.init)
      self.signal = signal.map(Int.init)
      self.isRetryable = isRetryable
    case .stopped(let exitCode, let signal):
      state = .failed
      reason = try Self.reason(stop, of: task)
      self.exitCode = exitCode.map(Int.init)
      self.signal = signal.map(Int.init)
      isRetryable = true
    }
  }

  private static func reason(_ stop: SoloTask.Stop?, of task: TaskDescription) throws -> String {
    switch stop {
    case .interrupted: throw Complaint(.interrupted, "\(task.id) was stopped")
    case .leashEnded: throw Complaint(.interrupted, "\(task.id) was stopped: whoever ran it is gone")
    case .timedOut(let seconds): return "timed out after \(Durations.text(seconds))"
    case nil: return "was stopped by a signal from outside of dagrun"
    }
  }
}
