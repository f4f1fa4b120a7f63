import Clash
import Dagrun
import Engine
import Foundation
import Model
import Processes
internal import Executors

/// Drives one job in this process, and tells of it: the log on one output, notes on the other.
struct JobDriver {
  let workplace: JobHome
  /// The log goes to standard error, so that standard output has the result alone.
  let format: JobOutputFormat
  let leash: Leash?
  /// Leaves as soon as somebody else can go on with the job.
  let handsOver: Bool
  let runner: JobRunner
  let cancelling: JobCancelling

  init(
    _ workplace: JobHome, format: JobOutputFormat, prices: String?, leash: Leash? = nil, handsOver: Bool = false
  ) throws {
    self.workplace = workplace
    self.format = format
    self.leash = leash
    self.handsOver = handsOver
    try workplace.home.make()
    runner = try workplace.home.jobRunner(try workplace.access(prices: prices), logger: workplace.logger)
    cancelling = JobCancelling(runner, workplace)
    if format == .log, leash == nil { OutputLoss.watchReader() }
  }

  enum Beginning {
    case start(JobRequest)
    case adopt(JobRecord)
    /// - Parameter likely: what it asks for, by somebody who knows, for its template may not say it.
    case attach(project: String, likely: JobRequest?)

    fileprivate var project: String {
      switch self {
      case .start(let request): request.spec.config.project
      case .adopt(let job): job.project
      case .attach(let project, _): project
      }
    }
  }

  private var session: Session { workplace.session }
  private var logOutput: Output { format == .log ? session.output : session.errors }

  /// Drives a job that is of no series.
  func run(_ name: String, _ beginning: Beginning, project: String) async throws -> JobEnd {
    let lock = try await workplace.lockBack(name)
    defer { withExtendedLifetime(lock) {} }
    let interruption = cancelling.byInterruption()
    defer { interruption.end() }
    var course = await drive(name, beginning)
    if case .attach = beginning, case .ended(let outcome, _, _) = course,
      case .infrastructure(let failure) = outcome.ending, try workplace.find(name) == nil
    {
      // There was nothing to wait for.
      throw Complaint(failure.kind == .invalidRequest ? .notFound : .cloudFailed, failure.message)
    }
    if case .start(let request) = beginning, request.isDetached, case .handedOver = course { course = .detached }
    let attempt = try workplace.find(name).flatMap { try workplace.request(of: $0).series?.number }
    return JobEnd(name: name, attempt: attempt, project: project, course: course)
  }

  /// Until the job has ended, was handed over, or is left. The caller holds its lock, and listens to
  /// interruptions (`cancelling`).
  func drive(_ name: String, _ beginning: Beginning) async -> JobEnd.Course {
    let (words, continuation) = AsyncStream.makeStream(of: Word.self)
    begin(name, beginning, continuation)
    cancelling.aim(at: name, project: beginning.project)
    let course = await follow(name, words, continuation)
    switch course {
    case .ended: break
    case .handedOver, .detached, .left: runner.stop()
    }
    return course
  }

  /// Ends the job's log, and all that this process does for it.
  private enum Word: Sendable {
    case news(JobNews)
    case canBeHandedOver
    case leashEnded
  }

  private func begin(_ name: String, _ beginning: Beginning, _ words: AsyncStream<Word>.Continuation) {
    let observer: JobRunner.Observer = { words.yield(.news($0)) }
    let logPath = workplace.home.logPath(ofJob: name)
    var leaves = handsOver
    switch beginning {
    case .start(let request):
      leaves = leaves || request.isDetached
      runner.start(request, logPath: logPath, observer: observer)
    case .adopt(let job):
      let logPath = workplace.logPath(of: job)
      printLog(of: job, at: logPath)
      runner.adopt(name, logPath: logPath, observer: observer)
    case .attach(let project, let likely):
      runner.attach(name, project: project, likely: likely, logPath: logPath, observer: observer)
    }
    guard leaves else { return }
    Task {
      if await runner.waitUntilHandedOver(name, toAnybody: handsOver) { words.yield(.canBeHandedOver) }
    }
  }

  private func follow(
    _ name: String, _ words: AsyncStream<Word>, _ continuation: AsyncStream<Word>.Continuation
  ) async -> JobEnd.Course {
    // `dagrun job cancel`, from another process.
    let wish = CancelWish(workplace.home, name) { [cancelling] in cancelling.begin() }
    defer { wish.end() }
    let ending = leash?.onEnd { continuation.yield(.leashEnded) }
    defer { leash?.forget(ending) }
    var lastNote = ""
    var text = IncompleteText()
    for await word in words {
      switch word {
      case .news(.ended(let outcome)):
        logOutput.log(text.rest)
        return .ended(outcome, lastNote: lastNote, wasInterrupted: cancelling.wasInterrupted)
      case .news(let news): tell(news, of: name, &text, &lastNote)
      // A cancel that is under way is finished first: nobody else would.
      case .canBeHandedOver: if !cancelling.isUnderWay { return .handedOver }
      case .leashEnded: if !cancelling.isUnderWay { return .left }
      }
    }
    return .left
  }

  private func tell(_ news: JobNews, of name: String, _ text: inout IncompleteText, _ lastNote: inout String) {
    switch news {
    case .note(let note):
      session.errors.paragraph(note)
      lastNote = note
    case .began(let attempt):
      let place = attempt.zone ?? attempt.region
      session.errors.line("job \(name) runs on \(attempt.machineType) in \(place)\(attempt.isSpot ? " (Spot)" : "")")
    case .log(let bytes): logOutput.log(text.append(bytes))
    case .ended: break
    }
  }

  /// What was printed before this process came.
  func printLog(of stored: JobRecord, at path: String) {
    guard let bytes = readWholeFile(path) else { return }
    // What is behind that is cut off when the job is taken up, and comes again.
    let length = stored.isFinished ? bytes.count : min(stored.logFileLength, bytes.count)
    logOutput.log(String(decoding: bytes[..<length], as: UTF8.self))
  }
}

extension JobDriver {
  /// Takes the right to drive a job, and waits a while for whoever has it and may be about to leave.
  ///
  /// - Parameters:
  ///   - file: of the lock, where it is not the job's own.
  ///   - isCancelled: whoever has it removes a cancelled job, which takes Google minutes: that is waited for.
  /// - Returns: nil when the leash has ended meanwhile.
  func lock(_ name: String, file: String? = nil, isCancelled: () throws -> Bool) async throws -> JobLock? {
    var pauses = 0
    var mostPauses = Self.mostPauses
    while true {
      do {
        return try JobLock(job: file ?? name, folder: workplace.home.jobsPath)
      } catch {
        guard error.reason == .held else { throw Complaint(.unavailable, error.description) }
      }
      // Whoever wanted it cancelled waits until it can be.
      if leash?.hasEnded == true, !cancelling.wasInterrupted { return nil }
      let holder = JobLock.holder(job: file ?? name, folder: workplace.home.jobsPath).map { "process \($0)" }
      if pauses == 0 {
        session.errors.line("\(holder ?? "another process") drives job \(name); waiting until it leaves")
      }
      if pauses >= mostPauses, try isCancelled() { mostPauses += Self.pausesOfRemoval }
      guard pauses < mostPauses else {
        throw Complaint(
          .unavailable, "\(holder ?? "another process") drives job \(name), and has not left within 30 s",
          hint: "end it, or try again when it has ended; follow the job with: dagrun job logs -f \(name)")
      }
      pauses += 1
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  private static let mostPauses = 150
  /// Until it is looked again whether a removal goes on.
  private static let pausesOfRemoval = 10
}

/// Bytes that come in pieces, as text: half a character waits for its other half.
struct IncompleteText {
  private var pending: [UInt8] = []

  mutating func append(_ bytes: [UInt8]) -> String {
    pending += bytes
    var end = pending.count
    // A character has at most four bytes; the first of them says how many.
    for back in 1...3 where back <= pending.count {
      let byte = pending[pending.count - back]
      guard byte & 0xC0 == 0xC0 else {
        if byte & 0x80 == 0 { break }
        continue
      }
      let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
      if length > back { end = pending.count - back }
      break
    }
    defer { pending.removeFirst(end) }
    return String(decoding: pending[..<end], as: UTF8.self)
  }

  var rest: String { String(decoding: pending, as: UTF8.self) }
}
