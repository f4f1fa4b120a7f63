package import Clash
package import Dagrun
internal import Model

/// What one try of another scheduler's task wants of its job: continue what an earlier try has begun, report what
/// waits, or begin the next job. `JobSeries` decides, `JobSeriesSurvey` finds out what there is, and this does it.
///
/// One process in a home does so for one series at a time, so that two tries that come at once begin one job. A lower
/// one leaves it to a higher one, with its result.
package struct JobSeriesRunner: Sendable {
  package private(set) var driver: JobDriver
  private let claim: AttemptClaim
  /// What was asked for; it may become another number.
  let series: JobSeries
  let spec: JobSpec

  package init(driver: JobDriver, series: JobSeries, spec: JobSpec) {
    self.driver = driver
    self.series = series
    self.spec = spec
    claim = AttemptClaim(of: series, folder: driver.repository.folder)
    self.driver.claim = claim
    driver.cancellation.set(claim)
  }

  private var repository: JobRepository { driver.repository }
  private var project: String { spec.config.project }
  private var survey: JobSeriesSurvey {
    JobSeriesSurvey(series: series, spec: spec, repository: repository, runner: driver.runner, report: driver.report)
  }

  /// The caller passes signals to the driver's `cancellation`.
  package func run() async throws -> JobRunResult {
    // Before it waits for the lock: once the higher attempt has ended, nothing says that it was there.
    if claim.isSuperseded { return leftToHigher() }
    // A job's name has no full stop, so that this file is not a job's.
    guard let lock = try await lock(series.base, file: series.base + ".attempts", onHeld: claim.raise) else {
      return leftWaiting(series.number)
    }
    defer { withExtendedLifetime(lock) {} }
    claim.raise()
    var attached: Set<Int> = []
    while driver.lifeline?.hasEnded != true || driver.cancellation.wasInterrupted {
      if claim.isSuperseded { return leftToHigher() }
      let step = try await survey.nextStep(except: attached)
      if let result = try await take(step, holding: lock) { return result }
      // What is in no journal after that, nothing can be done with.
      if case .attach(let number) = step { attached.insert(number) }
    }
    return result(series.number, .left)
  }

  private func leftToHigher() -> JobRunResult {
    driver.report(.superseded(job: JobSeries.name(series.base, series.number)))
    return result(series.number, .left)
  }

  private func leftWaiting(_ number: Int) -> JobRunResult {
    claim.isSuperseded ? leftToHigher() : result(number, .left)
  }

  private func lock(_ name: String, file: String? = nil, onHeld: () -> Void = {}) async throws -> JobLock? {
    try await driver.lock(name, file: file, onHeld: onHeld) {
      try survey.stored().values.contains(.beingCancelled)
    }
  }

  /// - Parameter attempts: the lock of the series.
  /// - Returns: nil when what comes next is to be asked again.
  private func take(_ step: JobSeries.Step, holding attempts: JobLock) async throws -> JobRunResult? {
    switch step {
    case .resume(let number): return try await resume(number, isCancelled: false, attempts)
    case .finishCancelling(let number): return try await resume(number, isCancelled: true, attempts)
    case .attach(let number): return try await attach(number, attempts)
    case .report(let number): return try report(number)
    case .begin(let number): return try await begin(number, attempts)
    case .none: throw JobControlError.seriesIsFull(base: series.base)
    }
  }

  private func resume(_ number: Int, isCancelled: Bool, _ attempts: JobLock) async throws -> JobRunResult? {
    let name = JobSeries.name(series.base, number)
    guard let lock = try await lock(name) else { return leftWaiting(number) }
    defer { withExtendedLifetime(lock) {} }
    // Whoever had the lock may have brought it to its end.
    guard let stored = try repository.find(name), !stored.isFinished else { return nil }
    guard stored.task == nil else { throw JobControlError.belongsToTask(job: name) }
    driver.report(isCancelled ? .removing(job: name) : .resuming(job: name))
    let end = await driver.drive(name, .stored(stored), releasing: [attempts, lock])
    return judge(end, number, wasCancelledBefore: isCancelled)
  }

  private func attach(_ number: Int, _ attempts: JobLock) async throws -> JobRunResult? {
    let name = JobSeries.name(series.base, number)
    guard let lock = try await lock(name) else { return leftWaiting(number) }
    defer { withExtendedLifetime(lock) {} }
    guard try repository.find(name) == nil else { return nil }
    driver.report(.attaching(job: name))
    let request = JobRequest(spec, JobSeries(base: series.base, number: number))
    let end = await driver.drive(
      name, .cloud(project: project, likely: request), releasing: [attempts, lock])
    if case .finished(let outcome, _, _) = end, case .infrastructure(let failure) = outcome.ending,
      try repository.find(name) == nil
    {
      // It was there a moment ago. What is there now is asked again.
      if failure.kind == .invalidRequest { return nil }
      throw JobControlError.cannotAttach(failure)
    }
    return judge(end, number, wasCancelledBefore: false)
  }

  private func begin(_ number: Int, _ attempts: JobLock) async throws -> JobRunResult? {
    let name = JobSeries.name(series.base, number)
    guard let lock = try await lock(name) else { return leftWaiting(number) }
    defer { withExtendedLifetime(lock) {} }
    guard try repository.find(name) == nil else { return nil }
    guard !driver.cancellation.wasInterrupted else { throw JobControlError.interruptedBeforeStart(job: name) }
    driver.report(.starting(job: name))
    var request = JobRequest(spec, JobSeries(base: series.base, number: number))
    request.origin.homeID = try repository.homeID()
    let end = await driver.drive(name, .request(request), releasing: [attempts, lock])
    return judge(end, number, wasCancelledBefore: false)
  }

  private func report(_ number: Int) throws -> JobRunResult? {
    // It may have been forgotten at this moment.
    guard let stored = try repository.find(JobSeries.name(series.base, number)),
      let outcome = try Job(restoring: stored).outcome
    else { return nil }
    driver.report(.reportingAgain(job: stored.name))
    driver.reportLog(of: stored)
    return result(number, .finished(outcome, lastNote: "", wasInterrupted: false))
  }

  private func judge(_ end: JobRunResult.End, _ number: Int, wasCancelledBefore: Bool) -> JobRunResult? {
    guard case .finished(let outcome, _, let wasInterrupted) = end, !wasInterrupted else { return result(number, end) }
    if outcome.hasEndedElsewhere || (wasCancelledBefore && outcome.ending == .cancelled) {
      driver.report(.isOver(job: JobSeries.name(series.base, number), outcome))
      return nil
    }
    return result(number, end)
  }

  private func result(_ number: Int, _ end: JobRunResult.End) -> JobRunResult {
    let name = JobSeries.name(series.base, number)
    var end = end
    // It has ended at the very moment: the higher attempt finds its result in the journal.
    if case .finished(_, _, wasInterrupted: false) = end, claim.isSuperseded {
      driver.report(.superseded(job: name))
      end = .left
    }
    // One that was resumed may have been begun in another project than this try's.
    let own = (try? repository.find(name))?.project
    return JobRunResult(name: name, attempt: number, project: own ?? project, end: end, claim: claim)
  }
}
