package import Clash
internal import Dagrun
internal import Foundation
package import Model
internal import Processes
internal import Synchronization

/// Drives one job in this process, and reports what happens to it.
package struct JobDriver: Sendable {
  package let repository: JobRepository
  package let runner: JobRunner
  package let cancellation: JobCancellation
  let lifeline: ParentLifeline?
  /// Leaves as soon as somebody else can continue the job.
  let handsOver: Bool
  let report: JobProgress.Handler
  /// Of a job of a series: it is left as soon as a higher attempt comes.
  var claim: AttemptClaim?
  /// How long whoever has a job may take to leave it.
  var lockLimitSeconds = 30

  package init(
    _ repository: JobRepository, _ runner: JobRunner, lifeline: ParentLifeline? = nil, handsOver: Bool = false,
    report: @escaping JobProgress.Handler
  ) {
    self.repository = repository
    self.runner = runner
    self.lifeline = lifeline
    self.handsOver = handsOver
    self.report = report
    cancellation = JobCancellation(runner, report: report)
  }

  /// Where a job comes from.
  package enum Source: Sendable {
    case request(JobRequest)
    case stored(JobRecord)
    /// It is looked for in its project.
    ///
    /// - Parameter likely: what it asks for, by somebody who knows, for its template may not say it.
    case cloud(project: String, likely: JobRequest?)

    fileprivate var project: String {
      switch self {
      case .request(let request): request.spec.config.project
      case .stored(let job): job.project
      case .cloud(let project, _): project
      }
    }
  }

  /// Drives a job that is of no series. The caller holds its lock, and passes signals to `cancellation`.
  package func run(_ name: String, _ source: Source, project: String) async throws -> JobRunResult {
    var end = await drive(name, source)
    if case .cloud = source, case .finished(let outcome, _, _) = end,
      case .infrastructure(let failure) = outcome.ending, try repository.find(name) == nil
    {
      // There was nothing to wait for.
      throw JobControlError.cannotAttach(failure)
    }
    if case .request(let request) = source, request.isDetached, case .handedOver = end { end = .detached }
    let attempt = try repository.find(name).flatMap { try repository.request(of: $0).series?.number }
    return JobRunResult(name: name, attempt: attempt, project: project, end: end)
  }

  /// Until the job has ended, was handed over, or is left. The caller holds its lock, and passes signals to
  /// `cancellation`.
  ///
  /// - Parameter locks: released as soon as a higher attempt wants the job.
  func drive(_ name: String, _ source: Source, releasing locks: [JobLock] = []) async -> JobRunResult.End {
    let (events, continuation) = AsyncStream.makeStream(of: Event.self)
    repository.removeStaleCancelRequest(name)
    // Not by way of the events, which wait while a reader takes no more of the log.
    let meetRequest: @Sendable () -> Void = { [repository, cancellation] in
      if repository.isCancelRequested(name) { cancellation.begin(name) }
    }
    let isDriving = Flag()
    let meetClaim: @Sendable () -> Void = { [claim, cancellation, runner] in
      isDriving.whileSet {
        guard claim?.isSuperseded == true, !cancellation.isUnderWay else { return }
        runner.leave(name)
        for lock in locks { lock.release() }
        continuation.yield(.superseded)
      }
    }
    // A watch that calls late finds it cleared: the series continues with its lock.
    defer { isDriving.clear() }
    begin(name, source, continuation)
    cancellation.setTarget(name, project: source.project)
    // Not before the job is begun: one that is not there cannot be left, and would begin without its locks.
    let watch = watchFolder(name, requested: meetRequest, claimed: meetClaim)
    defer { withExtendedLifetime(watch) {} }
    // What was written before the watch.
    meetRequest()
    meetClaim()
    let handler = lifeline?.onEnd { continuation.yield(.lifelineEnded) }
    defer { lifeline?.forget(handler) }
    let end = await follow(name, events)
    switch end {
    case .finished: repository.cancelRequest(name).remove()
    case .handedOver, .detached, .left: runner.stop()
    }
    return end
  }

  /// Set until it is cleared, which waits for what is done meanwhile.
  private final class Flag: Sendable {
    private let isSet = Mutex(true)

    func whileSet(_ body: () -> Void) { isSet.withLock { if $0 { body() } } }
    func clear() { isSet.withLock { $0 = false } }
  }

  private enum Event: Sendable {
    case update(JobUpdate)
    case canBeHandedOver
    case lifelineEnded
    /// A higher attempt wants the job.
    case superseded
  }

  private func watchFolder(
    _ name: String, requested: @escaping @Sendable () -> Void, claimed: @escaping @Sendable () -> Void
  ) -> JobFolderWatch? {
    do {
      return try JobFolderWatch(repository.folder) { [claim] files in
        if files?.contains(where: { CancelRequestFile.job(ofFile: $0) == name }) ?? true { requested() }
        if let claim, files?.contains(where: claim.isOfSeries) ?? true { claimed() }
      }
    } catch {
      report(.cannotSeeCancelRequests(job: name, "\(error)"))
      return nil
    }
  }

  private func begin(_ name: String, _ source: Source, _ events: AsyncStream<Event>.Continuation) {
    let observer: JobRunner.Observer = { events.yield(.update($0)) }
    let logPath = repository.logPath(ofJob: name)
    var leaves = handsOver
    switch source {
    case .request(let request):
      leaves = leaves || request.isDetached
      runner.start(request, logPath: logPath, observer: observer)
    case .stored(let job):
      reportLog(of: job)
      runner.adopt(name, logPath: repository.logPath(of: job), observer: observer)
    case .cloud(let project, let likely):
      runner.attach(name, project: project, likely: likely, logPath: logPath, observer: observer)
    }
    guard leaves else { return }
    Task {
      if await runner.waitUntilHandedOver(name, toAnybody: handsOver) { events.yield(.canBeHandedOver) }
    }
  }

  private func follow(_ name: String, _ events: AsyncStream<Event>) async -> JobRunResult.End {
    var lastNote = ""
    var log = UTF8StreamDecoder()
    for await event in events {
      switch event {
      case .update(.note(let note)):
        report(.note(note))
        lastNote = note
      case .update(.began(let attempt)): report(.began(job: name, attempt))
      case .update(.log(let bytes)): report(.log(log.append(bytes)))
      case .update(.ended(let outcome)):
        report(.log(log.rest))
        return .finished(outcome, lastNote: lastNote, wasInterrupted: cancellation.wasInterrupted)
      // A cancel that is under way is finished first: nobody else would.
      case .canBeHandedOver: if !cancellation.isUnderWay { return .handedOver }
      case .lifelineEnded: if !cancellation.isUnderWay { return .left }
      case .superseded:
        // Its job is left already, and its locks are released.
        report(.superseded(job: name))
        return .left
      }
    }
    return .left
  }

  /// What was printed before this process came.
  func reportLog(of stored: JobRecord) {
    guard let bytes = readWholeFile(repository.logPath(of: stored)) else { return }
    // What is behind that is cut off when the job is taken up, and comes again.
    let length = stored.isFinished ? bytes.count : min(stored.logFileLength, bytes.count)
    report(.log(String(decoding: bytes[..<length], as: UTF8.self)))
  }
}
