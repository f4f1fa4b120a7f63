import Clash
import Dagrun
import Engine
import Foundation
import Processes
import Synchronization

/// Drives one job in this process, and tells of it: the log on one output, notes on the other.
struct JobDriver {
  let workplace: JobHome
  let name: String
  /// The log goes to standard error, so that standard output has the result alone.
  let format: JobOutputFormat
  let pricesPath: String?

  enum Beginning {
    case start(JobRequest)
    case adopt(StoredJob)
    case attach(project: String)
  }

  private var session: Session { workplace.session }
  private var logOutput: Output { format == .log ? session.output : session.errors }

  /// Until the job has ended, or was handed over when it is a detached one.
  func run(_ beginning: Beginning) async throws -> ExitStatus {
    try workplace.home.make()
    let lock = try workplace.lock(name)
    defer { withExtendedLifetime(lock) {} }
    let runner = try workplace.home.jobRunner(try workplace.access(prices: pricesPath), logger: workplace.logger)

    let (news, continuation) = AsyncStream.makeStream(of: JobNews.self)
    let observer: JobRunner.Observer = { continuation.yield($0) }
    var logPath = workplace.home.logPath(ofJob: name)
    var isDetached = false
    switch beginning {
    case .start(let request):
      isDetached = request.isDetached
      runner.start(request, logPath: logPath, observer: observer)
    case .adopt(let job):
      logPath = workplace.logPath(of: job.request)
      printLog(of: job, at: logPath)
      runner.adopt(name, logPath: logPath, observer: observer)
    case .attach(let project):
      runner.attach(name, project: project, logPath: logPath, observer: observer)
    }

    let wasInterrupted = Atomic(false)
    let (errors, name) = (session.errors, name)
    let interruption = Interruption {
      wasInterrupted.store(true, ordering: .relaxed)
      errors.line("cancelling job \(name) and removing what it has; once more leaves at once")
      runner.cancel(name)
    } onSecond: {
      errors.line("left. What job \(name) has may be there still; remove it with: dagrun job cancel \(name)")
    }
    defer { interruption.end() }
    // `dagrun job cancel`, from another process.
    let wish = CancelWish(workplace.home, name) { runner.cancel(name) }
    defer { wish.end() }

    if isDetached {
      Task {
        if await runner.waitUntilHandedOver(name) { continuation.finish() }
      }
    }
    let (outcome, lastNote) = await follow(news)
    runner.stop()
    guard let outcome else {
      session.errors.line("job \(name) goes on without this command; see: dagrun job attach \(name)")
      if format == .log { session.output.line(name) } else { try printHandedOver() }
      return .success
    }
    if case .attach = beginning, case .infrastructure(let failure) = outcome.ending, try workplace.find(name) == nil {
      // There was nothing to wait for.
      throw Complaint(failure.kind == .invalidRequest ? .notFound : .cloudFailed, failure.message)
    }
    return try report(outcome, after: lastNote, wasInterrupted: wasInterrupted.load(ordering: .relaxed))
  }

  /// - Returns: no outcome when the job was handed over; and what was noted last.
  private func follow(_ news: AsyncStream<JobNews>) async -> (JobOutcome?, String) {
    var lastNote = ""
    var text = IncompleteText()
    for await item in news {
      switch item {
      case .note(let note):
        session.errors.line(note)
        lastNote = note
      case .began(let attempt):
        let place = attempt.zone ?? attempt.region
        session.errors.line("job \(name) runs on \(attempt.machineType) in \(place)\(attempt.isSpot ? " (Spot)" : "")")
      case .log(let bytes): logOutput.write(text.append(bytes))
      case .ended(let outcome):
        logOutput.write(text.rest)
        return (outcome, lastNote)
      }
    }
    return (nil, lastNote)
  }

  /// What was printed before this process came.
  private func printLog(of stored: StoredJob, at path: String) {
    guard let bytes = readWholeFile(path) else { return }
    // What is behind that is cut off when the job is taken up, and comes again.
    let length = stored.isFinished ? bytes.count : min(stored.logFileLength, bytes.count)
    logOutput.write(String(decoding: bytes[..<length], as: UTF8.self))
  }

  private func printHandedOver() throws {
    let record: Record = ["name": .text(name), "ending": .null, "detached": .bool(true)]
    try record.print(format == .json ? .json : .yaml, to: session)
  }

  private func report(_ outcome: JobOutcome, after lastNote: String, wasInterrupted: Bool) throws -> ExitStatus {
    if case .infrastructure(let failure) = outcome.ending, failure.message == lastNote {
      // Why was the last thing said.
      session.errors.line("job \(name) has failed, not by its program")
    } else {
      session.errors.line(outcome.sentence(ofJob: name))
    }
    for resource in outcome.leftBehind {
      session.errors.line("left behind: \(resource); remove it with: dagrun job gc")
    }
    switch format {
    case .log: break
    case .json: try outcome.record(ofJob: name).print(.json, to: session)
    case .yaml: try outcome.record(ofJob: name).print(.yaml, to: session)
    }
    return wasInterrupted && outcome.ending == .cancelled ? .interrupted : outcome.exitStatus
  }
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
