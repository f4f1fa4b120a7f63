import Clash
import JobControl

extension JobDriver {
  /// As a command drives a job.
  init(
    _ context: JobContext, format: JobOutputFormat, prices: String? = nil, lifeline: ParentLifeline? = nil,
    handsOver: Bool = false
  ) throws {
    self.init(
      try context.repository(), try context.runner(prices: prices), lifeline: lifeline, handsOver: handsOver,
      report: JobConsole(session: context.session, format: format).show)
    if format == .log, lifeline == nil { OutputLoss.watchReader() }
  }

  /// Drives a job that is of no series.
  func run(_ name: String, _ source: Source, project: String, in context: JobContext) async throws -> JobRunResult {
    let lock = try await context.lockBack(name)
    defer { withExtendedLifetime(lock) {} }
    let interruption = interruption(in: context)
    defer { interruption.end() }
    return try await run(name, source, project: project)
  }

  /// A signal cancels the job.
  func interruption(in context: JobContext) -> Interruption {
    let cancellation = cancellation
    return Interruption {
      cancellation.interrupt()
    } onSecond: {
      guard let (job, project) = cancellation.target else { return }
      context.session.errors.line(
        "left. What job \(job) has may be there still, and cost money; remove it with: "
          + context.cancelCommand(job, project: project))
    }
  }
}

extension JobSeriesRunner {
  func run(in context: JobContext) async throws -> JobRunResult {
    let interruption = driver.interruption(in: context)
    defer { interruption.end() }
    return try await run()
  }
}
