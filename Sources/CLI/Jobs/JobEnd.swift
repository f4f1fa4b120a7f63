import Clash
import Dagrun
import Foundation
import Storage

/// How a command is done with a job that it drove.
struct JobEnd: Sendable {
  var name: String
  /// Which of its series; nil for any other job.
  var attempt: Int?
  var project: String
  var course: Course

  enum Course: Sendable {
    /// - Parameters:
    ///   - lastNote: what was said of it last.
    ///   - wasInterrupted: by Ctrl-C or SIGTERM, which cancel the job.
    case ended(JobOutcome, lastNote: String, wasInterrupted: Bool)
    /// The job goes on, and somebody else will drive it.
    case handedOver
    /// The job goes on, and nobody need drive it.
    case detached
    /// The job goes on: whoever began this command is dead.
    case left
  }

  var outcome: JobOutcome? {
    guard case .ended(let outcome, _, _) = course else { return nil }
    return outcome
  }

  /// The result, or what tells where to go on; nil when there is nobody to read it.
  func print(_ format: JobOutputFormat, to session: Session) throws {
    guard let record else { return }
    switch (format, course) {
    case (.log, .ended), (.log, .left): break
    case (.log, .handedOver), (.log, .detached): session.output.line(name)
    case (.json, _): try record.print(.json, to: session)
    case (.yaml, _): try record.print(.yaml, to: session)
    }
  }

  var record: Record? {
    switch course {
    case .ended(let outcome, _, _): return outcome.record(ofJob: name, attempt: attempt)
    case .handedOver:
      return [
        "name": .text(name), "attempt": .optional(attempt), "project": .text(project), "handed_over": .bool(true),
      ]
    case .detached: return ["name": .text(name), "ending": .null, "detached": .bool(true)]
    case .left: return nil
    }
  }

  var exitStatus: ExitStatus {
    switch course {
    case .ended(let outcome, _, let wasInterrupted):
      wasInterrupted && outcome.ending == .cancelled ? .interrupted : outcome.exitStatus
    case .handedOver, .detached: .success
    case .left: .interrupted
    }
  }
}

extension JobEnd {
  /// Says on standard error how it ended. The record is printed by the caller.
  func tell(in session: Session) {
    switch course {
    case .ended(let outcome, let lastNote, _):
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
      session.errors.line("job \(name) goes on without this command; see: dagrun job attach \(name)")
    }
  }

  /// Waits until whoever holds the leash says that it has the result. Without a leash, who could read has it.
  ///
  /// - Returns: whether somebody has it, which is to be noted. A cancelled job has no result for anybody.
  func isTaken(_ leash: Leash?) async -> Bool {
    guard let outcome, outcome.ending != .cancelled else { return false }
    guard let leash else { return true }
    return await leash.waitUntilTaken()
  }

  /// Notes in the journal that the result was taken: it is not reported again.
  @inline(never)
  func noteTaken(in workplace: JobHome) throws {
    try workplace.store().noteTaken(name, at: Timestamp(Date()))
  }
}
