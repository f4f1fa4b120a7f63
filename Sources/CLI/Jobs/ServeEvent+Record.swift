import Clash
import JobControl
import Model
import Presentation

extension ServeEvent {
  /// As `dagrun job serve` writes it.
  var record: OutputObject {
    switch self {
    case .note(let job, let text): Self.record(of: job, "note", ["text": .text(text)])
    case .log(let job, let lines): Self.record(of: job, "log", ["text": .text(lines)])
    case .began(let job, let attempt):
      Self.record(
        of: job, "began",
        [
          "machine_type": .text(attempt.machineType), "zone": .optional(attempt.zone), "region": .text(attempt.region),
          "spot": .bool(attempt.isSpot),
        ])
    case .ended(let job, let attempt, let outcome):
      Self.record(
        of: job, "ended",
        [
          "exit_code": .int(outcome.exitStatus.rawValue), "text": .text(outcome.sentence(ofJob: job)),
          "result": .object(outcome.record(ofJob: job, attempt: attempt)),
        ])
    case .failed(let job, let error): Self.record(of: job, failure: UserError(explaining: error))
    case .left(let job): Self.record(of: job, "left")
    case .refused(let message): ["event": .text("refused"), "message": .text(message)]
    }
  }

  private static func record(of job: String, failure: UserError) -> OutputObject {
    record(
      of: job, "failed",
      [
        "message": .text(failure.message), "hint": .optional(failure.hint),
        "exit_code": .int(failure.status.rawValue),
      ])
  }

  private static func record(of job: String, _ event: String, _ more: OutputObject = [:]) -> OutputObject {
    var record: OutputObject = ["job": .text(job), "event": .text(event)]
    for field in more.fields { record.append(field.name, field.value) }
    return record
  }
}
