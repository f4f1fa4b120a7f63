internal import Clash
internal import Dagrun
internal import GoogleCloud
internal import Model
internal import Storage

/// What there is of a series: in this home, and in the project.
struct JobSeriesSurvey {
  let series: JobSeries
  let spec: JobSpec
  let repository: JobRepository
  let runner: JobRunner
  let report: JobProgress.Handler

  func nextStep(except attached: Set<Int>) async throws -> JobSeries.Step {
    var known = try stored()
    let step = JobSeries.next(number: series.number, known: known)
    switch step {
    case .resume, .finishCancelling: return step
    case .attach, .report, .begin, .none:
      // Another home may have continued meanwhile.
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
      return try await runner.hasTemplate(of: name, project: spec.config.project)
    } catch {
      throw JobControlError.cannotLook(job: name, error)
    }
  }

  func stored() throws -> [Int: JobSeries.AttemptStatus] {
    var known: [Int: JobSeries.AttemptStatus] = [:]
    for record in try repository.store.jobs(begun: series.base) {
      guard let number = JobSeries.number(of: record.name, base: series.base) else { continue }
      known[number] = try record.attemptStatus
    }
    return known
  }

  /// Asks the project for each number of which the journal knows nothing, until one is free behind all there are.
  private func look(for known: inout [Int: JobSeries.AttemptStatus]) async throws {
    let last = max(series.number, known.keys.max() ?? 0)
    try await look(for: (1...last).filter { known[$0] == nil }, &known)
    var next = last
    while known[next] != nil, next < JobSeries.highest {
      next += 1
      try await look(for: [next], &known)
    }
  }

  private func look(for numbers: [Int], _ known: inout [Int: JobSeries.AttemptStatus]) async throws {
    let (runner, project) = (runner, spec.config.project)
    var index = 0
    while index < numbers.count {
      let some = numbers[index..<min(index + Self.looksAtATime, numbers.count)]
      index += some.count
      let found = await withTaskGroup(of: (Int, Result<JobTrace, CloudError>).self) { group in
        for number in some {
          let request = JobRequest(spec, JobSeries(base: series.base, number: number))
          group.addTask { (number, await Self.look(for: request, project, runner)) }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      for (number, trace) in found { known[number] = try status(of: JobSeries.name(series.base, number), trace) }
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

  private func status(of name: String, _ trace: Result<JobTrace, CloudError>) throws -> JobSeries.AttemptStatus? {
    switch trace {
    case .success(.nothing): return nil
    case .success(.job): return .elsewhere
    case .success(.remains(let reason)):
      report(.isOverElsewhere(job: name, reason))
      return .remains
    case .failure(let error): throw JobControlError.cannotLook(job: name, error)
    }
  }

  private static let looksAtATime = 16
}

extension JobRequest {
  /// Whose home it is, is not known here.
  init(_ spec: JobSpec, _ series: JobSeries) {
    self.init(name: series.name, spec: spec, origin: JobOrigin(homeID: ""))
    self.series = series
  }
}

extension JobRecord {
  /// As one of a series.
  ///
  /// - Throws: for what another dagrun has written.
  var attemptStatus: JobSeries.AttemptStatus {
    get throws {
      // A job that was begun by its own name has reported its end to whoever began it.
      let request = try decodedRequest()
      if isFinished, takenAt != nil || request.series == nil { return .over }
      let job = try Job(restoring: self)
      guard let outcome = job.outcome else { return job.isBeingCancelled ? .beingCancelled : .unfinished }
      return outcome.ending == .cancelled || outcome.hasEndedElsewhere ? .over : .resultWaits
    }
  }
}
