internal import Dagrun

/// Names one try of one task instance.
package struct TryID: Hashable, Sendable {
  /// The run's number.
  package var run: Int64
  package var taskID: String
  package var tryNumber: Int

  package init(run: Int64, taskID: String, tryNumber: Int) {
    self.run = run
    self.taskID = taskID
    self.tryNumber = tryNumber
  }
}

/// How a try ended, as the worker that ran it tells it.
package struct TryResult: Hashable, Sendable {
  package var outcome: Outcome
  /// JSON text.
  package var output: String?
  package var cpuSeconds: Double
  package var peakMemoryBytes: Int64
  /// Microseconds since 1970.
  package var startDate: Int64
  package var endDate: Int64
  /// What of its log, its output or its journal could not be kept, and why: `the log lacks 12 bytes: No space left on
  /// device`. nil: nothing is missing.
  package var loss: String?

  /// Of an output, as JSON text. The database takes no value of a gigabyte, and every task that uses one gets a copy.
  package static let outputLimitBytes = 64 << 20
  static func tooLarge(_ bytes: Int) -> String {
    "its output has \(bytes) bytes, and an output may have \(outputLimitBytes): write it to a file, and hand on the path"
  }

  /// Of the reason of a failure or a skip.
  static let reasonLimitBytes = 16 << 10

  /// As a report or a journal tells it, into both of which user code can write.
  ///
  /// - Throws: for what no worker of this version writes.
  init(
    told outcome: Outcome, output: String?, cpuSeconds: Double, peakMemoryBytes: Int64, startDate: Int64, endDate: Int64
  ) throws(MalformedBytes) {
    let isPlausible =
      cpuSeconds >= 0 && cpuSeconds <= Self.mostCPUSeconds && peakMemoryBytes >= 0
      && outcome.hasShortReason && output.map { $0.utf8.count <= Self.outputLimitBytes && JSONText.isValid($0) } ?? true
    guard isPlausible else { throw MalformedBytes() }
    self.init(
      outcome, output: output, cpuSeconds: cpuSeconds, peakMemoryBytes: peakMemoryBytes, startDate: startDate,
      endDate: endDate)
  }

  /// Of a thousand cores in ten years and more.
  private static let mostCPUSeconds = 1e12

  /// With the nearest dates that a try can have that the scheduler began at `start`: a day is left to clocks that were
  /// wrong.
  package func clampingDates(from start: Int64, to now: Int64) -> TryResult {
    let day: Int64 = 86_400_000_000
    let (earliest, latest) = (start.addingSaturating(-day), max(start, now).addingSaturating(day))
    var result = self
    result.startDate = min(max(startDate, earliest), latest)
    result.endDate = min(max(endDate, earliest), latest)
    return result
  }

  /// With what else of it could not be kept.
  package func adding(loss other: String?) -> TryResult {
    guard let other else { return self }
    var result = self
    result.loss = [loss, other].compactMap(\.self).joined(separator: "; ")
    return result
  }

  package enum Outcome: Hashable, Sendable {
    case success
    case skipped(reason: String)
    case failed(reason: String, exitCode: Int32? = nil, signal: Int32? = nil, isRetryable: Bool = true)
    /// It ended because it was told to stop; who told it knows why.
    case stopped(exitCode: Int32? = nil, signal: Int32? = nil)
  }

  package init(
    _ outcome: Outcome, output: String? = nil, cpuSeconds: Double = 0, peakMemoryBytes: Int64 = 0, startDate: Int64,
    endDate: Int64
  ) {
    self.outcome = outcome
    self.output = output
    self.cpuSeconds = cpuSeconds
    self.peakMemoryBytes = peakMemoryBytes
    self.startDate = startDate
    self.endDate = endDate
  }
}

/// A try to run, ready: its templates are rendered, its inputs are there.
package struct TryAssignment: Hashable, Sendable {
  package var id: TryID
  package var work: Work
  /// Between SIGTERM (or the cancellation of a Swift task) and SIGKILL.
  package var graceSeconds: Double
  /// Stopped when whoever gave it to the worker is gone. Otherwise it goes on, and the next scheduler finds its end.
  package var endsWithItsGiver = false
  /// There are tasks that read its output: one that cannot be kept fails it.
  package var outputIsRead = true
  /// Values stand in its script, which other users must not see in the list of processes.
  package var hidesScript = false
  /// The account it runs under; nil: that of the scheduler.
  package var user: String?
  /// The states of tasks whose outputs it reads and that have none, by their ids.
  package var missingOutputs: [String: String] = [:]

  package enum Work: Hashable, Sendable {
    case bash(script: String, environment: [String: String], workingDirectory: String?)
    /// `library` is the compiled DAG file, `entry` the function that is its top-level code. `inputs` are JSON texts.
    case swift(library: String, entry: String, inputs: [String])
  }

  package init(id: TryID, work: Work, graceSeconds: Double) {
    self.id = id
    self.work = work
    self.graceSeconds = graceSeconds
  }

  /// Of all values that the task is given: a message to a worker counts its bytes in 32 bits.
  package static let inputLimitBytes = 1 << 30
}

extension TryAssignment.Work {
  /// Of all its texts together.
  package var bytes: Int {
    switch self {
    case .bash(let script, let environment, let workingDirectory):
      script.utf8.count + (workingDirectory?.utf8.count ?? 0)
        + environment.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
    case .swift(let library, let entry, let inputs):
      library.utf8.count + entry.utf8.count + inputs.reduce(0) { $0 + $1.utf8.count }
    }
  }
}

extension TryResult.Outcome {
  static func outputTooLarge(_ bytes: Int) -> TryResult.Outcome {
    .failed(reason: TryResult.tooLarge(bytes), isRetryable: false)
  }

  /// Whatever a task says, a record of it stays small.
  var shortened: TryResult.Outcome {
    switch self {
    case .skipped(let reason): .skipped(reason: Self.shorten(reason))
    case .failed(let reason, let exitCode, let signal, let isRetryable):
      .failed(reason: Self.shorten(reason), exitCode: exitCode, signal: signal, isRetryable: isRetryable)
    case .success, .stopped: self
    }
  }

  fileprivate var hasShortReason: Bool {
    switch self {
    case .skipped(let reason), .failed(let reason, _, _, _): reason.utf8.count <= TryResult.reasonLimitBytes + 16
    case .success, .stopped: true
    }
  }

  fileprivate static func shorten(_ reason: String) -> String {
    guard reason.utf8.count > TryResult.reasonLimitBytes else { return reason }
    return String(decoding: reason.utf8.prefix(TryResult.reasonLimitBytes), as: UTF8.self) + "…"
  }
}

extension ByteWriter {
  mutating func write(_ id: TryID) {
    write(id.run)
    write(id.taskID)
    write(UInt32(clamping: id.tryNumber))
  }

  mutating func write(_ result: TryResult) {
    switch result.outcome {
    case .success:
      write(UInt8(0))
    case .skipped(let reason):
      write(UInt8(1))
      write(reason)
    case .failed(let reason, let exitCode, let signal, let isRetryable):
      write(UInt8(2))
      write(reason)
      write(exitCode) { $0.write($1) }
      write(signal) { $0.write($1) }
      write(isRetryable)
    case .stopped(let exitCode, let signal):
      write(UInt8(3))
      write(exitCode) { $0.write($1) }
      write(signal) { $0.write($1) }
    }
    write(result.output) { $0.write($1) }
    write(result.cpuSeconds)
    write(result.peakMemoryBytes)
    write(result.startDate)
    write(result.endDate)
    write(result.loss) { $0.write($1) }
  }

  mutating func write(_ assignment: TryAssignment) {
    write(assignment.id)
    write(assignment.graceSeconds)
    write(assignment.endsWithItsGiver)
    write(assignment.outputIsRead)
    write(assignment.hidesScript)
    write(assignment.user) { $0.write($1) }
    write(assignment.missingOutputs) { writer, entry in
      writer.write(entry.key)
      writer.write(entry.value)
    }
    switch assignment.work {
    case .bash(let script, let environment, let workingDirectory):
      write(UInt8(0))
      write(script)
      write(environment) {
        $0.write($1.key)
        $0.write($1.value)
      }
      write(workingDirectory) { $0.write($1) }
    case .swift(let library, let entry, let inputs):
      write(UInt8(1))
      write(library)
      write(entry)
      write(inputs) { $0.write($1) }
    }
  }
}

extension ByteReader {
  mutating func tryID() throws(MalformedBytes) -> TryID {
    TryID(run: try integer(Int64.self), taskID: try string(), tryNumber: Int(try integer(UInt32.self)))
  }

  mutating func tryResult() throws(MalformedBytes) -> TryResult {
    let outcome: TryResult.Outcome
    switch try byte() {
    case 0: outcome = .success
    case 1: outcome = .skipped(reason: try string())
    case 2:
      outcome = .failed(
        reason: try string(), exitCode: try optionalInt32(), signal: try optionalInt32(), isRetryable: try bool())
    case 3: outcome = .stopped(exitCode: try optionalInt32(), signal: try optionalInt32())
    default: throw MalformedBytes()
    }
    let output = try optionalString()
    var result = try TryResult(
      told: outcome, output: output, cpuSeconds: try double(), peakMemoryBytes: try integer(Int64.self),
      startDate: try integer(Int64.self), endDate: try integer(Int64.self))
    // A journal of an earlier version ends here.
    if !isAtEnd { result.loss = try optionalString().map(TryResult.Outcome.shorten) }
    return result
  }

  mutating func tryAssignment() throws(MalformedBytes) -> TryAssignment {
    let id = try tryID()
    let graceSeconds = try double()
    let endsWithItsGiver = try bool()
    let outputIsRead = try bool()
    let hidesScript = try bool()
    let user = try optionalString()
    let missingOutputs = try texts()
    let work: TryAssignment.Work
    switch try byte() {
    case 0:
      work = .bash(script: try string(), environment: try texts(), workingDirectory: try optionalString())
    case 1:
      work = .swift(library: try string(), entry: try string(), inputs: try strings())
    default: throw MalformedBytes()
    }
    var assignment = TryAssignment(id: id, work: work, graceSeconds: graceSeconds)
    assignment.endsWithItsGiver = endsWithItsGiver
    assignment.outputIsRead = outputIsRead
    assignment.hidesScript = hidesScript
    assignment.user = user
    assignment.missingOutputs = missingOutputs
    return assignment
  }

  mutating func optionalString() throws(MalformedBytes) -> String? { try bool() ? try string() : nil }

  private mutating func optionalInt32() throws(MalformedBytes) -> Int32? {
    try bool() ? try integer(Int32.self) : nil
  }

  private mutating func texts() throws(MalformedBytes) -> [String: String] {
    var all: [String: String] = [:]
    for _ in 0..<(try integer(UInt32.self)) {
      let name = try string()
      all[name] = try string()
    }
    return all
  }

  private mutating func strings() throws(MalformedBytes) -> [String] {
    let count = Int(try integer(UInt32.self))
    var all: [String] = []
    for _ in 0..<count { all.append(try string()) }
    return all
  }
}
