import Clash
import GoogleCloud
import JobControl

extension UserError {
  init(_ error: JobControlError) {
    switch error {
    case .unreadable(let words), .lockUnavailable(let words): self.init(.unavailable, words)
    case .invalidName(let problem): self.init(.wrongUsage, problem)
    case .drivenElsewhere(let job, let process, let seconds):
      let holder = process.map { "process \($0)" } ?? "another process"
      if let seconds {
        self.init(
          .unavailable, "\(holder) drives job \(job), and has not left within \(seconds) s",
          hint: "end it, or try again when it has ended; follow the job with: dagrun job logs -f \(job)")
      } else {
        self.init(.unavailable, "\(holder) drives job \(job)", hint: "end it, or attach again when it has ended")
      }
    case .belongsToTask(let job):
      self.init(.wrongUsage, "job \(job) belongs to a task; the scheduler drives it")
    case .unknown(let job):
      self.init(
        .notFound, "no job \(job) is known here", hint: "say its project too: {\"attach\": …, \"project\": …}")
    case .cannotAttach(let failure):
      self.init(failure.kind == .invalidRequest ? .notFound : .cloudFailed, failure.message)
    case .cannotLook(let job, let error):
      self.init(
        error.isTransient || error.reason == .unauthenticated ? .cloudFailed : .jobRefused,
        "cannot find out whether job \(job) is there, so none is begun: \(error)", hint: error.hint)
    case .seriesIsFull(let base):
      self.init(
        .wrongUsage, "\(base) has had \(JobSeries.highest) attempts, which is all it can have",
        hint: "take another --name")
    case .interruptedBeforeStart(let job):
      self.init(.interrupted, "interrupted before job \(job) was begun")
    }
  }
}
