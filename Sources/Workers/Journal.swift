internal import Glibc
package import Model
package import Processes

/// What a worker has done with the try that it was given last. The journal, one file per worker, is the only record of
/// it until the engine has committed the result:
///
///     started             written before anything of the task runs
///     abandoned           the scheduler was gone by then: nothing of the task has run
///     process             the shell's process
///     finished            with the result; written before it is reported
///
/// A worker whose next try arrives starts the journal over: the engine gives it one only after it has committed the
/// result of the last. Nothing is synced: a journal has to outlive processes. When the machine goes down, the boot id
/// tells.
package struct WorkerJournal: Hashable, Sendable {
  package var worker: ProcessIdentity
  package var bootID: String
  package var last: Entry?

  package struct Entry: Hashable, Sendable {
    package var key: TryKey
    package var isAbandoned = false
    package var process: ProcessIdentity?
    package var result: TaskResult?

    package init(_ key: TryKey, isAbandoned: Bool = false, process: ProcessIdentity? = nil, result: TaskResult? = nil) {
      self.key = key
      self.isAbandoned = isAbandoned
      self.process = process
      self.result = result
    }
  }

  package init(worker: ProcessIdentity, bootID: String, last: Entry? = nil) {
    self.worker = worker
    self.bootID = bootID
    self.last = last
  }

  package static func path(in folder: String) -> String { folder + "/journal" }

  /// nil when the worker was killed before it had begun its journal: then it has done nothing.
  package init?(folder: String) {
    guard let bytes = readWholeFile(Self.path(in: folder)) else { return nil }
    self.init(bytes)
  }

  /// As `init?(folder:)`, for whoever decides by it whether a try has begun.
  ///
  /// - Throws: when there may be a journal, and it cannot be read.
  package static func read(in folder: String) throws(SystemError) -> WorkerJournal? {
    try readFileIfThere(path(in: folder)).flatMap { WorkerJournal($0) }
  }

  init?(_ bytes: [UInt8]) {
    var header: (ProcessIdentity, String)?
    var last: Entry?
    bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      while let record = JournalRecord(next: &reader) {
        switch record {
        case .worker(let identity, let bootID): header = (identity, bootID)
        case .started(let key): last = Entry(key)
        case .abandoned: last?.isAbandoned = true
        case .process(let identity): last?.process = identity
        case .finished(let result): last?.result = result
        }
      }
    }
    guard let header else { return nil }
    self.init(worker: header.0, bootID: header.1, last: last)
  }
}

/// On disk: length (32 bits), checksum (32 bits), kind and fields. A length of 0 ends the journal.
enum JournalRecord: Hashable {
  case worker(ProcessIdentity, bootID: String)
  case started(TryKey)
  case abandoned
  case process(ProcessIdentity)
  case finished(TaskResult)

  func append(to writer: inout ByteWriter) {
    let start = writer.bytes.count
    writer.write(UInt32(0))
    writer.write(UInt32(0))
    switch self {
    case .worker(let identity, let bootID):
      writer.write(UInt8(1))
      writer.write(identity.pid)
      writer.write(identity.startTime)
      writer.write(bootID)
    case .started(let key):
      writer.write(UInt8(6))
      writer.write(key)
    case .abandoned:
      writer.write(UInt8(3))
    case .process(let identity):
      writer.write(UInt8(4))
      writer.write(identity.pid)
      writer.write(identity.startTime)
    case .finished(let result):
      writer.write(UInt8(5))
      writer.write(result)
    }
    writer.overwrite(UInt32(writer.bytes.count - start - 8), at: start)
    let sum = writer.bytes.withUnsafeBytes { checksum(UnsafeRawBufferPointer(rebasing: $0[(start + 8)...])) }
    writer.overwrite(sum, at: start + 4)
  }

  /// nil at the end, and where a record was torn: a process may be killed in the middle of a long write.
  init?(next reader: inout ByteReader) {
    do {
      let length = Int(try reader.integer(UInt32.self))
      let sum = try reader.integer(UInt32.self)
      guard length > 0 else { return nil }
      let bytes = try reader.take(length)
      guard checksum(bytes) == sum else { return nil }
      var fields = ByteReader(bytes)
      switch try fields.byte() {
      case 1: self = .worker(try fields.processIdentity(), bootID: try fields.string())
      case 2: self = .started(try fields.tryKeyOfEarlierVersion())
      case 6: self = .started(try fields.tryKey())
      case 3: self = .abandoned
      case 4: self = .process(try fields.processIdentity())
      case 5: self = .finished(try fields.taskResult())
      default: return nil
      }
    } catch {
      return nil
    }
  }
}

extension ByteReader {
  fileprivate mutating func processIdentity() throws(MalformedBytes) -> ProcessIdentity {
    let pid = try integer(Int32.self)
    // 0 and what is below it means other things than a process.
    guard pid > 0 else { throw MalformedBytes() }
    return ProcessIdentity(pid: pid, startTime: try integer(UInt64.self))
  }
}

/// FNV-1a.
private func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
  var sum: UInt32 = 2_166_136_261
  for byte in bytes { sum = (sum ^ UInt32(byte)) &* 16_777_619 }
  return sum
}

/// Writes the journal of this process: one call of the system per record.
final class JournalWriter {
  let descriptor: Int32
  private let headerLength: Int
  private var length: Int
  private var writer = ByteWriter()

  init(folder: String) throws(SystemError) {
    descriptor = open(WorkerJournal.path(in: folder), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    if descriptor < 0 { throw SystemError("create the journal in \(folder)") }
    JournalRecord.worker(.current, bootID: bootID).append(to: &writer)
    headerLength = writer.bytes.count
    length = headerLength
    writer.write(UInt32(0))
    try put(at: 0)
  }

  /// Begins the journal again with this try.
  func start(_ key: TryKey) throws(SystemError) {
    length = headerLength
    try append(.started(key))
  }

  func append(_ record: JournalRecord) throws(SystemError) {
    writer.removeAll()
    record.append(to: &writer)
    let next = length + writer.bytes.count
    // What an earlier, longer entry left behind this record is not read: the end comes with the record.
    writer.write(UInt32(0))
    try put(at: length)
    length = next
  }

  private func put(at offset: Int) throws(SystemError) {
    var done = 0
    while done < writer.bytes.count {
      let count = writer.bytes.withUnsafeBytes { bytes in
        retrying { pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done)) }
      }
      if count < 0 { throw SystemError("write the worker's journal") }
      done += count
    }
  }
}
