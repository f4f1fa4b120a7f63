import Clash
import JobControl
import Presentation

extension JobRunResult {
  /// The result, or what tells where to continue; nil when there is nobody to read it.
  var record: OutputObject? {
    switch end {
    case .finished(let outcome, _, _): return outcome.record(ofJob: name, attempt: attempt)
    case .handedOver:
      return [
        "name": .text(name), "attempt": .optional(attempt), "project": .text(project), "handed_over": .bool(true),
      ]
    case .detached: return ["name": .text(name), "ending": .null, "detached": .bool(true)]
    case .left: return nil
    }
  }

  func print(_ format: JobOutputFormat, to session: Session) throws {
    guard let record else { return }
    switch (format, end) {
    case (.log, .finished), (.log, .left): break
    case (.log, .handedOver), (.log, .detached): session.output.line(name)
    case (.json, _): try record.print(.json, to: session)
    case (.yaml, _): try record.print(.yaml, to: session)
    }
  }

  /// Says on standard error how it ended. The record is printed by the caller.
  func tell(in session: Session) {
    switch end {
    case .finished(let outcome, let lastNote, _):
      if case .infrastructure(let failure) = outcome.ending, failure.message == lastNote {
        // Why was the last thing said.
        session.errors.line("job \(name) has failed, not by its program")
      } else {
        session.errors.line(outcome.sentence(ofJob: name))
      }
      for resource in outcome.leftBehind {
        session.errors.line("left behind: \(resource); remove it with: dagrun job gc")
      }
    case .handedOver, .detached, .left:
      session.errors.line("job \(name) continues without this command; see: dagrun job attach \(name)")
    }
  }

  var exitStatus: CommandExit {
    switch end {
    case .finished(let outcome, _, let wasInterrupted):
      wasInterrupted && outcome.ending == .cancelled ? .interrupted : outcome.exitStatus
    case .handedOver, .detached: .success
    case .left: .interrupted
    }
  }

  /// Notes that the result was received, once it was.
  func noteReceived(_ lifeline: ParentLifeline?, in context: JobContext) async throws {
    guard await isReceived(lifeline) else { return }
    try context.repository().acknowledgeResult(name)
  }
}
