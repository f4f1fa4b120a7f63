import Clash
import Dagrun
import Engine
import Foundation
import GoogleCloud
import Model
import Storage

/// What one try of another scheduler's task wants of its job: go on with what an earlier try has begun, report what waits,
/// or begin the next job. `JobSeries` decides; this finds out what there is, and does it.
///
/// One process in a home does so for one series at a time, so that two tries that come at once begin one job.
struct JobErrand {
  let driver: JobDriver
  /// What was asked for; it may become another number.
  let series: JobSeries
  let spec: JobSpec

  private var workplace: JobHome { driver.workplace }
  private var session: Session { workplace.session }
  private var project: String { spec.config.project }

  func run() async throws -> JobEnd {
    let interruption = driver.cancelling.byInterruption()
    defer { interruption.end() }
    // A job's name has no full stop, so that this file is no job's.
    guard let lock = try await lock(series.base, file: series.base + ".attempts") else {
      return end(series.number, .left)
    }
    defer { withExtendedLifetime(lock) {} }
    var attached: Set<Int> = []
    while driver.leash?.hasEnded != true || driver.cancelling.wasInterrupted {
      let step = try await nextStep(except: attached)
      if let end = try await take(step) { return end }
      // What is in no journal after that, nothing can be done with.
      if case .attach(let number) = step { attached.insert(number) }
    }
    return end(series.number, .left)
  }

  private func lock(_ name: String, file: String? = nil) async throws -> JobLock? {
    try await driver.lock(name, file: file) { try journaled().values.contains(.beingCancelled) }
  }

  // MARK: What there is

  private func nextStep(except attached: Set<Int>) async throws -> JobSeries.Step {
    var known = try journaled()
    let step = JobSeries.next(number: series.number, known: known)
    switch step {
    case .goOn, .finishCancelling: return step
    case .attach, .report, .begin, .none:
      // Another home may have gone on meanwhile.
      for number in attached where known[number] == nil { known[number] = .remains }
      try await look(for: &known)
    }
    while true {
      let step = JobSeries.next(number: series.number, known: known)
      guard case .begin(let number) = step, try await hasLeftTemplate(number) else { return step }
      known[number] = .elsewhere
    }
  }

  /// The last that goes of a job: whoever removed it was killed before that.
  private func hasLeftTemplate(_ number: Int) async throws -> Bool {
    let name = JobSeries.name(series.base, number)
    do throws(CloudError) {
      return try await driver.runner.hasTemplate(of: name, project: project)
    } catch {
      throw unknown(name, error)
    }
  }

  private func journaled() throws -> [Int: JobSeries.Standing] {
    let store = try workplace.store()
    var known: [Int: JobSeries.Standing] = [:]
    for record in try store.jobs(begun: series.base) {
      guard let number = JobSeries.number(of: record.name, base: series.base) else { continue }
      known[number] = try record.standing
    }
    return known
  }

  /// Asks the project for each number of which the journal knows nothing, until one is free behind all there are.
  private func look(for known: inout [Int: JobSeries.Standing]) async throws {
    let last = max(series.number, known.keys.max() ?? 0)
    try await look(for: (1...last).filter { known[$0] == nil }, &known)
    var next = last
    while known[next] != nil, next < JobSeries.highest {
      next += 1
      try await look(for: [next], &known)
    }
  }

  private func look(for numbers: [Int], _ known: inout [Int: JobSeries.Standing]) async throws {
    let (runner, project) = (driver.runner, project)
    var index = 0
    while index < numbers.count {
      let some = numbers[index..<min(index + Self.looksAtATime, numbers.count)]
      index += some.count
      let found = await withTaskGroup(of: (Int, Result<JobTrace, CloudError>).self) { group in
        for number in some {
          let request = request(number)
          group.addTask { (number, await Self.look(for: request, project, runner)) }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      for (number, trace) in found { known[number] = try standing(of: JobSeries.name(series.base, number), trace) }
    }
  }

  /// What fails in a way that may pass is asked again: nothing is begun while it is not known what there is.
  private static func look(
    for request: JobRequest, _ project: String, _ runner: JobRunner
  ) async -> Result<JobTrace, CloudError> {
    for pause in [1.0, 2, 5, 10, 20] {
      let answer = await lookOnce(for: request, project, runner)
      guard case .failure(let error) = answer, error.isTransient else { return answer }
      try? await Task.sleep(for: .seconds(pause))
    }
    return await lookOnce(for: request, project, runner)
  }

  private static func lookOnce(
    for request: JobRequest, _ project: String, _ runner: JobRunner
  ) async -> Result<JobTrace, CloudError> {
    do throws(CloudError) {
      return .success(try await runner.look(for: request.name, project: project, likely: request))
    } catch {
      return .failure(error)
    }
  }

  private func standing(of name: String, _ trace: Result<JobTrace, CloudError>) throws -> JobSeries.Standing? {
    switch trace {
    case .success(.nothing): return nil
    case .success(.job): return .elsewhere
    case .success(.remains(let reason)):
      session.errors.line("job \(name) was begun by another home, and is over: \(reason)")
      return .remains
    case .failure(let error): throw unknown(name, error)
    }
  }

  private func unknown(_ name: String, _ error: CloudError) -> Complaint {
    Complaint(
      error.isTransient ? .cloudFailed : .jobRefused,
      "cannot find out whether job \(name) is there, so none is begun: \(error)", hint: error.hint)
  }

  // MARK: What is done

  /// - Returns: nil when what comes next is to be asked again.
  private func take(_ step: JobSeries.Step) async throws -> JobEnd? {
    switch step {
    case .goOn(let number): return try await goOn(number, isCancelled: false)
    case .finishCancelling(let number): return try await goOn(number, isCancelled: true)
    case .attach(let number): return try await attach(number)
    case .report(let number): return try report(number)
    case .begin(let number): return try await begin(number)
    case .none:
      throw Complaint(
        .wrongUsage, "\(series.base) has had \(JobSeries.highest) attempts, which is all it can have",
        hint: "take another --name")
    }
  }

  private func goOn(_ number: Int, isCancelled: Bool) async throws -> JobEnd? {
    let name = JobSeries.name(series.base, number)
    guard let lock = try await lock(name) else { return end(number, .left) }
    defer { withExtendedLifetime(lock) {} }
    // Whoever had the lock may have brought it to its end.
    guard let stored = try workplace.find(name), !stored.isFinished else { return nil }
    guard stored.task == nil else {
      throw Complaint(.wrongUsage, "job \(name) belongs to a task; the scheduler drives it")
    }
    session.errors.line(
      isCancelled ? "removing what job \(name) has, which was cancelled" : "going on with job \(name), begun before")
    let course = await driver.drive(name, .adopt(stored))
    return try judge(course, number, wasCancelledBefore: isCancelled)
  }

  private func attach(_ number: Int) async throws -> JobEnd? {
    let name = JobSeries.name(series.base, number)
    guard let lock = try await lock(name) else { return end(number, .left) }
    defer { withExtendedLifetime(lock) {} }
    guard try workplace.find(name) == nil else { return nil }
    session.errors.line("going on with job \(name), which another home has begun")
    let course = await driver.drive(name, .attach(project: project, likely: request(number)))
    if case .ended(let outcome, _, _) = course, case .infrastructure(let failure) = outcome.ending,
      try workplace.find(name) == nil
    {
      // It was there a moment ago. What is there now is asked again.
      if failure.kind == .invalidRequest { return nil }
      throw Complaint(.cloudFailed, failure.message)
    }
    return try judge(course, number, wasCancelledBefore: false)
  }

  private func begin(_ number: Int) async throws -> JobEnd? {
    let name = JobSeries.name(series.base, number)
    guard let lock = try await lock(name) else { return end(number, .left) }
    defer { withExtendedLifetime(lock) {} }
    guard try workplace.find(name) == nil else { return nil }
    guard !driver.cancelling.wasInterrupted else {
      throw Complaint(.interrupted, "interrupted before job \(name) was begun")
    }
    session.errors.line("job \(name)")
    var request = request(number)
    request.origin.homeID = try workplace.store().homeID()
    return try judge(await driver.drive(name, .start(request)), number, wasCancelledBefore: false)
  }

  /// Whose home it is, is not known here.
  private func request(_ number: Int) -> JobRequest {
    let series = JobSeries(base: series.base, number: number)
    var request = JobRequest(name: series.name, spec: spec, origin: JobOrigin(homeID: ""))
    request.series = series
    return request
  }

  private func report(_ number: Int) throws -> JobEnd? {
    let stored = try workplace.record(JobSeries.name(series.base, number))
    guard let outcome = try Job(restoring: stored).outcome else { return nil }
    session.errors.line("job \(stored.name) has ended before, and its result was not taken; here it is")
    driver.printLog(of: stored, at: workplace.logPath(of: stored))
    return end(number, .ended(outcome, lastNote: "", wasInterrupted: false))
  }

  private func judge(_ course: JobEnd.Course, _ number: Int, wasCancelledBefore: Bool) throws -> JobEnd? {
    guard case .ended(let outcome, _, let wasInterrupted) = course, !wasInterrupted else { return end(number, course) }
    if outcome.hasEndedElsewhere || (wasCancelledBefore && outcome.ending == .cancelled) {
      session.errors.line(outcome.sentence(ofJob: JobSeries.name(series.base, number)))
      return nil
    }
    return end(number, course)
  }

  private func end(_ number: Int, _ course: JobEnd.Course) -> JobEnd {
    let name = JobSeries.name(series.base, number)
    // One that was gone on with may have been begun in another project than this try's.
    let own = (try? workplace.find(name))?.project
    return JobEnd(name: name, attempt: number, project: own ?? project, course: course)
  }

  private static let looksAtATime = 16
}

extension JobRecord {
  /// As one of a series.
  ///
  /// - Throws: for what another dagrun has written.
  var standing: JobSeries.Standing {
    get throws {
      // A job that was begun by its own name has told its end to whoever began it.
      let request = try decodedRequest()
      if isFinished, takenAt != nil || request.series == nil { return .over }
      let job = try Job(restoring: self)
      guard let outcome = job.outcome else { return job.isBeingCancelled ? .beingCancelled : .unfinished }
      return outcome.ending == .cancelled || outcome.hasEndedElsewhere ? .over : .resultWaits
    }
  }
}
