import Clash
import JobControl
import Model

/// What a command says of the job that it drives: the log on one output, everything else on standard error.
struct JobConsole: Sendable {
  let session: Session
  /// The log goes to standard error, so that standard output has the result alone.
  let format: JobOutputFormat

  private var errors: Output { session.errors }
  private var logOutput: Output { format == .log ? session.output : session.errors }

  func show(_ progress: JobProgress) {
    switch progress {
    case .log(let text): logOutput.log(text)
    case .note(let text): errors.paragraph(text)
    case .began(let job, let attempt):
      let place = attempt.zone ?? attempt.region
      errors.line("job \(job) runs on \(attempt.machineType) in \(place)\(attempt.isSpot ? " (Spot)" : "")")
    case .waiting(let job, let process):
      let holder = process.map { "process \($0)" } ?? "another process"
      errors.line("\(holder) drives job \(job); waiting until it leaves")
    case .resuming(let job): errors.line("continuing with job \(job), begun before")
    case .removing(let job): errors.line("removing what job \(job) has, which was cancelled")
    case .attaching(let job): errors.line("continuing with job \(job), which another home has begun")
    case .starting(let job): errors.line("job \(job)")
    case .reportingAgain(let job):
      errors.line("job \(job) has ended before, and its result was not taken; here it is")
    case .isOver(let job, let outcome): errors.line(outcome.sentence(ofJob: job))
    case .isOverElsewhere(let job, let reason):
      errors.line("job \(job) was begun by another home, and is over: \(reason)")
    case .superseded(let job): errors.line("a later try continues job \(job)")
    case .cancelling(let job): errors.line("cancelling job \(job) and removing what it has; once more leaves at once")
    case .cannotSeeCancelRequests(let job, let reason):
      errors.line("'dagrun job cancel \(job)' will have no effect, for this command \(reason); Ctrl-C and SIGTERM do")
    }
  }
}
