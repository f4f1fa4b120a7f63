import Clash
import Dagrun
import Dispatch
import Engine
import Foundation
import Model
import Processes
import Storage
internal import Executors

/// Drives the jobs that it is told of, many in one process, and says line by line what becomes of them.
///
/// Everything happens on one queue. A job that waits costs what it costs its runner, and the file of its lock.
final class JobServer: @unchecked Sendable {
  private let workplace: JobHome
  private let store: JobStore
  private let runner: JobRunner
  /// Takes a line, on the server's queue; false when nobody reads any more.
  private let write: (String) -> Bool
  private let queue = DispatchQueue(label: "dagrun.job-server")
  private var jobs: [String: ServedJob] = [:]
  /// Attached to as soon as another process has left them. Whether they are to be cancelled then.
  private var awaited: [String: Bool] = [:]
  private var wishes: (any DispatchSourceTimer)?
  private var isLeaving = false
  private var whenLeft: [@Sendable () -> Void] = []

  private final class ServedJob {
    let lock: JobLock
    var lines = WholeLines()
    var isCancelled = false

    init(lock: JobLock) { self.lock = lock }
  }

  init(_ workplace: JobHome, prices: String?, write: @escaping (String) -> Bool) throws {
    self.workplace = workplace
    self.write = write
    store = try workplace.store()
    runner = try workplace.home.jobRunner(try workplace.access(prices: prices), logger: workplace.logger)
    watchForWishes()
  }

  func handle(line: String) {
    queue.async { [self] in
      do throws(JobOrder.Problem) { handle(try JobOrder(line: line)) } catch { refuse(error.words) }
    }
  }

  /// Lets go of all jobs and cancels none. Those that somebody has cancelled are finished first: nobody else would.
  func leave(then act: @escaping @Sendable () -> Void) {
    queue.async { [self] in
      isLeaving = true
      whenLeft.append(act)
      for (name, job) in jobs where !job.isCancelled { letGo(name) }
      awaited = awaited.filter(\.value)
      endIfDone()
    }
  }

  private func endIfDone() {
    guard isLeaving, jobs.isEmpty, awaited.isEmpty else { return }
    runner.stop()
    for act in whenLeft { act() }
    whenLeft = []
  }

  // MARK: Orders

  private func handle(_ order: JobOrder) {
    switch order {
    case .attach(let name, let project): attach(name, project: project)
    case .cancel(let name):
      if awaited[name] != nil {
        awaited[name] = true
      } else if jobs[name] != nil {
        cancel(name)
      } else {
        refuse("job \(name) is not attached; attach to it, then cancel it")
      }
    case .taken(let name): noteTaken(name)
    case .leave(let name):
      letGo(name)
      tell(name, "left")
    }
  }

  private func cancel(_ name: String) {
    jobs[name]?.isCancelled = true
    runner.cancel(name)
  }

  private func letGo(_ name: String) {
    awaited[name] = nil
    runner.leave(name)
    jobs[name] = nil
  }

  private func noteTaken(_ name: String) {
    do {
      guard try store.noteTaken(name, at: Timestamp(Date())) else {
        return refuse("no job \(name) that has ended is known here")
      }
    } catch {
      refuse("cannot note that the result of job \(name) was taken: \(error)")
    }
  }

  // MARK: Attaching

  private func attach(_ name: String, project: String?) {
    // To ask twice is to ask once.
    guard !isLeaving, jobs[name] == nil, awaited[name] == nil else { return }
    attach(name, project: project, since: monotonicSeconds())
  }

  private func attach(_ name: String, project: String?, since start: Double) {
    let isCancelled = awaited.removeValue(forKey: name) ?? false
    defer { endIfDone() }
    do {
      if let problem = JobName.problem(name) { throw Complaint(.wrongUsage, problem) }
      let stored = try workplace.find(name)
      if let stored, stored.isFinished { return try report(stored) }
      guard stored?.task == nil else {
        throw Complaint(.wrongUsage, "job \(name) belongs to a task; the scheduler drives it")
      }
      if stored == nil, project == nil {
        throw Complaint(
          .notFound, "no job \(name) is known here", hint: "say its project too: {\"attach\": …, \"project\": …}")
      }
      guard let lock = try lock(name, since: start) else {
        // Whoever handed it over may be about to leave.
        awaited[name] = isCancelled
        return queue.asyncAfter(deadline: .now() + Self.lockPauseSeconds) { [self] in
          guard awaited[name] != nil else { return }
          attach(name, project: project, since: start)
        }
      }
      // It may have come to its end before it was let go.
      if let ended = try workplace.find(name), ended.isFinished { return try report(ended) }
      drive(name, stored, project ?? "", lock)
      if isCancelled { cancel(name) }
    } catch {
      fail(name, Complaint(explaining: error))
    }
  }

  /// - Returns: nil when another process has it, and may yet leave.
  private func lock(_ name: String, since start: Double) throws -> JobLock? {
    do {
      return try JobLock(job: name, folder: workplace.home.jobsPath)
    } catch {
      guard error.reason == .held else { throw Complaint(.unavailable, error.description) }
      if monotonicSeconds() - start < Self.lockLimitSeconds { return nil }
      let holder = JobLock.holder(job: name, folder: workplace.home.jobsPath).map { "process \($0)" }
      throw Complaint(
        .unavailable, "\(holder ?? "another process") drives job \(name)",
        hint: "end it, or attach again when it has ended")
    }
  }

  private func drive(_ name: String, _ stored: JobRecord?, _ project: String, _ lock: JobLock) {
    jobs[name] = ServedJob(lock: lock)
    // One from before is about another life of the job.
    CancelWish.remove(workplace.home, name)
    let observer: JobRunner.Observer = { [weak self] news in
      guard let self else { return }
      queue.async { self.heard(news, of: name) }
    }
    if let stored {
      runner.adopt(name, logPath: workplace.logPath(of: stored), observer: observer)
    } else {
      runner.attach(name, project: project, logPath: workplace.home.logPath(ofJob: name), observer: observer)
    }
  }

  // MARK: News

  private func heard(_ news: JobNews, of name: String) {
    // What was on its way when it was let go.
    guard let job = jobs[name] else { return }
    switch news {
    case .note(let text): tell(name, "note", ["text": .text(text)])
    case .began(let attempt): began(name, attempt)
    case .log(let bytes):
      let lines = job.lines.append(bytes)
      if !lines.isEmpty { tell(name, "log", ["text": .text(lines)]) }
    case .ended(let outcome):
      let rest = job.lines.rest()
      if !rest.isEmpty { tell(name, "log", ["text": .text(rest)]) }
      ended(name, outcome)
    }
  }

  private func began(_ name: String, _ attempt: JobAttempt) {
    tell(
      name, "began",
      [
        "machine_type": .text(attempt.machineType), "zone": .optional(attempt.zone), "region": .text(attempt.region),
        "spot": .bool(attempt.isSpot),
      ])
  }

  private func ended(_ name: String, _ outcome: JobOutcome) {
    jobs[name] = nil
    do {
      if let stored = try workplace.find(name) {
        tellEnd(of: stored, outcome)
      } else if case .infrastructure(let failure) = outcome.ending {
        // There was nothing to go on with.
        fail(name, Complaint(failure.kind == .invalidRequest ? .notFound : .cloudFailed, failure.message))
      }
    } catch {
      fail(name, Complaint(explaining: error))
    }
    endIfDone()
  }

  private func report(_ stored: JobRecord) throws {
    if let outcome = try Job(restoring: stored).outcome { tellEnd(of: stored, outcome) }
  }

  private func tellEnd(of stored: JobRecord, _ outcome: JobOutcome) {
    let name = stored.name
    tell(
      name, "ended",
      [
        "exit_code": .int(outcome.exitStatus.rawValue), "text": .text(outcome.sentence(ofJob: name)),
        "result": .object(outcome.record(ofJob: name, attempt: (try? stored.decodedRequest())?.series?.number)),
      ])
  }

  // MARK: Output

  private func tell(_ name: String, _ event: String, _ more: Record = [:]) {
    var record: Record = ["job": .text(name), "event": .text(event)]
    for field in more.fields { record.append(field.name, field.value) }
    say(record)
  }

  private func fail(_ name: String, _ complaint: Complaint) {
    tell(
      name, "failed",
      [
        "message": .text(complaint.message), "hint": .optional(complaint.hint),
        "exit_code": .int(complaint.status.rawValue),
      ])
  }

  private func refuse(_ message: String) { say(["event": .text("refused"), "message": .text(message)]) }

  private func say(_ record: Record) {
    if !write(JSONText.compact(.object(record)) + "\n"), !isLeaving { leave {} }
  }

  // MARK: `dagrun job cancel` of another process

  /// One look for all jobs.
  private func watchForWishes() {
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + 0.5, repeating: 0.5, leeway: .milliseconds(100))
    timer.setEventHandler { [weak self] in self?.takeWishes() }
    timer.resume()
    wishes = timer
  }

  private func takeWishes() {
    for name in jobs.keys where access(CancelWish.path(workplace.home, name), F_OK) == 0 {
      CancelWish.remove(workplace.home, name)
      cancel(name)
    }
  }

  private static let lockPauseSeconds = 0.2
  private static let lockLimitSeconds = 10.0
}
