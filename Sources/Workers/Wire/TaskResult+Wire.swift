internal import Dagrun
internal import Model

/// The one form of a try's identity and of its result, in messages and in journals.
extension ByteWriter {
  mutating func write(_ key: TryKey) {
    write(key.run)
    write(key.taskID)
    write(UInt32(clamping: key.number))
    write(key.instance.mapIndex)
    write(key.member)
    write(key.role.rawValue)
  }

  mutating func write(_ result: TaskResult) {
    switch result.outcome {
    case .success:
      write(UInt8(0))
    case .skipped(let reason):
      write(UInt8(1))
      write(reason)
    case .failed(let failure, let isRetryable):
      write(UInt8(2))
      write(failure.reason)
      write(failure.exitCode)
      write(failure.signal)
      write(isRetryable)
    case .stopped(let exitCode, let signal):
      write(UInt8(3))
      write(exitCode)
      write(signal)
    case .lost, .deferred:
      preconditionFailure("a worker reports \(result.outcome), which it cannot know")
    }
    write(result.output) { $0.write($1) }
    write(result.usage.cpuSeconds ?? ByteReader.unknownSeconds)
    write(result.usage.peakMemoryBytes ?? ByteReader.unknownBytes)
    write(result.startDate?.microseconds ?? ByteReader.noDate)
    write(result.endDate?.microseconds ?? ByteReader.noDate)
    write(result.loss) { $0.write($1) }
    write(result.outcome.errorRule) {
      $0.write(Int32(clamping: $1.position))
      $0.write($1.typeName)
    }
  }

  private mutating func write(_ number: Int?) {
    write(number) { $0.write(Int32(clamping: $1)) }
  }
}

extension ByteReader {
  fileprivate static let unknownSeconds = -1.0
  fileprivate static let unknownBytes: Int64 = -1
  fileprivate static let noDate = Int64.min

  mutating func tryKey() throws(MalformedBytes) -> TryKey {
    var key = try tryKeyOfEarlierVersion()
    key.instance.mapIndex = try integer(Int32.self)
    key.member = try integer(Int32.self)
    guard let role = TryKey.Role(rawValue: try byte()) else { throw MalformedBytes() }
    key.role = role
    return key
  }

  /// As journals of an earlier version have it, whose tasks may still run.
  mutating func tryKeyOfEarlierVersion() throws(MalformedBytes) -> TryKey {
    TryKey(run: try integer(Int64.self), taskID: try string(), number: Int(try integer(UInt32.self)))
  }

  /// - Throws: also for what no worker of this version writes.
  mutating func taskResult() throws(MalformedBytes) -> TaskResult {
    let outcome: TaskResult.Outcome
    switch try byte() {
    case 0: outcome = .success
    case 1: outcome = .skipped(reason: try string())
    case 2:
      outcome = .failed(
        reason: try string(), exitCode: try optionalInt(), signal: try optionalInt(), isRetryable: try bool())
    case 3: outcome = .stopped(exitCode: try optionalInt(), signal: try optionalInt())
    default: throw MalformedBytes()
    }
    var result = TaskResult(outcome, output: try optionalString())
    let (seconds, bytes) = (try double(), try integer(Int64.self))
    result.usage = Usage(
      cpuSeconds: seconds == Self.unknownSeconds ? nil : seconds,
      peakMemoryBytes: bytes == Self.unknownBytes ? nil : bytes)
    result.startDate = try date()
    result.endDate = try date()
    guard result.isPlausible else { throw MalformedBytes() }
    // A journal of an earlier version ends here.
    if !isAtEnd { result.loss = try optionalString().map(TaskResult.Outcome.shorten) }
    if !isAtEnd, try bool() {
      result.outcome.setErrorRule(Int(try integer(Int32.self)), typeName: try string())
    }
    return result
  }

  mutating func optionalString() throws(MalformedBytes) -> String? { try bool() ? try string() : nil }

  private mutating func date() throws(MalformedBytes) -> Timestamp? {
    let microseconds = try integer(Int64.self)
    return microseconds == Self.noDate ? nil : Timestamp(microseconds: microseconds)
  }

  private mutating func optionalInt() throws(MalformedBytes) -> Int? {
    try bool() ? Int(try integer(Int32.self)) : nil
  }
}

extension TaskResult.Outcome {
  /// A worker knows of no other cause.
  fileprivate var errorRule: (position: Int, typeName: String)? {
    guard case .failed(let failure, _) = self, case .errorRule(let position, let typeName) = failure.cause else {
      return nil
    }
    return (position, typeName)
  }

  fileprivate mutating func setErrorRule(_ position: Int, typeName: String) {
    guard case .failed(var failure, let isRetryable) = self else { return }
    failure.cause = .errorRule(position, typeName: typeName)
    self = .failed(failure, isRetryable: isRetryable)
  }
}
