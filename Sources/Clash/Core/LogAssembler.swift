internal import Dagrun
internal import Foundation

/// Puts the parts of a job's log in order: each byte of each boot once, however often and in whatever order parts come.
///
/// What is written is kept in the journal, as lengths; parts that wait for an earlier one are not: they are not
/// acknowledged either, and so come again.
package struct LogAssembler: Sendable {
  /// Of the file: what the VMs sent, and the lines that mark what is missing.
  package private(set) var length = 0
  private var boots: [Boot] = []
  private var endsLine = true
  private var held: [Part] = []
  /// Behind a gap. Far more than what Pub/Sub mixes up, and less than a machine's memory.
  package var mostHeldBytes = 256 << 20

  package init() {}

  private struct Boot: Codable, Hashable, Sendable {
    let attempt: Int
    let id: String
    /// Bytes of its log that are written.
    var position = 0
    /// Of its whole log; known when its result came.
    var total: Int?
    /// The newest of it, from the result, which comes only once: kept until what is before it has come.
    var tail: Data?
    /// What is still missing will not be waited for any more.
    var isClosed = false
  }

  private struct Part: Hashable, Sendable {
    let boot: Int
    let offset: Int
    let bytes: [UInt8]
    let ackID: String?
    var end: Int { offset.addingSaturating(bytes.count) }
  }

  /// What to write now, and the messages that are dealt with.
  package struct Progress: Hashable, Sendable {
    package var at: Int
    package var bytes: [UInt8] = []
    package var settled: [String] = []
  }

  package mutating func add(_ bytes: [UInt8], offset: Int, attempt: Int, boot: String, ackID: String?) -> Progress {
    var progress = Progress(at: length)
    let index = index(of: boot, attempt: attempt)
    let part = Part(boot: index, offset: offset, bytes: bytes, ackID: ackID)
    if boots[index].isClosed || part.end <= boots[index].position {
      progress.settled = ackID.map { [$0] } ?? []
      return progress
    }
    // The same message again, before its turn came: only its newest ack id is of use.
    held.removeAll { $0.boot == index && $0.offset == offset && $0.end <= part.end }
    held.append(part)
    drain(index, marksGaps: false, into: &progress)
    if heldBytes > mostHeldBytes { passGaps(into: &progress) }
    return progress
  }

  /// Gaps are not waited for any more: they are marked, and what waited behind them is written. What comes of them
  /// later is dropped.
  package mutating func passGaps() -> Progress {
    var progress = Progress(at: length)
    passGaps(into: &progress)
    return progress
  }

  private mutating func passGaps(into progress: inout Progress) {
    for index in Set(held.map(\.boot)).sorted() {
      // Only up to the last part that is here: the rest of that boot's log is still to come.
      let end = boots[index].total
      boots[index].total = nil
      drain(index, marksGaps: true, into: &progress)
      boots[index].total = end
    }
  }

  package var hasPartsThatWait: Bool { !held.isEmpty }
  private var heldBytes: Int { held.reduce(0) { $0 + $1.bytes.count } }

  /// The result of a boot says how long its log is, and has the newest of it.
  package mutating func end(attempt: Int, boot: String, total: Int, tail: [UInt8]) -> Progress {
    var progress = Progress(at: length)
    let index = index(of: boot, attempt: attempt)
    // Closed or not: here is more of it, and word of how much there was.
    boots[index].isClosed = false
    boots[index].total = total
    boots[index].tail = Data(tail)
    drain(index, marksGaps: false, into: &progress)
    return progress
  }

  /// Nothing more is waited for from `attempt`, or from any: what came is written, and what is missing is marked.
  package mutating func close(attempt: Int? = nil) -> Progress {
    var progress = Progress(at: length)
    for index in boots.indices where !boots[index].isClosed && (attempt == nil || boots[index].attempt == attempt) {
      drain(index, marksGaps: true, into: &progress)
      boots[index].isClosed = true
    }
    return progress
  }

  /// Parts are known to be missing.
  package var isIncomplete: Bool {
    boots.contains { boot in !boot.isClosed && (boot.total.map { boot.position < $0 } ?? false) }
      || held.contains { !boots[$0.boot].isClosed }
  }

  package func boots(ofAttempt attempt: Int) -> Int { boots.count { $0.attempt == attempt } }

  /// Counts a boot that may never print a byte. True the first time.
  @discardableResult
  package mutating func sees(boot: String, attempt: Int) -> Bool {
    let known = boots.count
    _ = index(of: boot, attempt: attempt)
    return boots.count > known
  }

  private mutating func index(of id: String, attempt: Int) -> Int {
    if let index = boots.lastIndex(where: { $0.attempt == attempt && $0.id == id }) { return index }
    boots.append(Boot(attempt: attempt, id: id))
    return boots.count - 1
  }

  private mutating func drain(_ index: Int, marksGaps: Bool, into progress: inout Progress) {
    while let (part, place) = nextPart(of: index) {
      let position = boots[index].position
      if part.offset > position {
        guard marksGaps else { return }
        mark(missing: part.offset - position, into: &progress)
        boots[index].position = part.offset
      }
      if let place { held.remove(at: place) } else { boots[index].tail = nil }
      if let ackID = part.ackID { progress.settled.append(ackID) }
      write(part.bytes.dropFirst(boots[index].position - part.offset), into: &progress)
      boots[index].position = max(boots[index].position, part.end)
    }
    if marksGaps, let total = boots[index].total, boots[index].position < total {
      mark(missing: total - boots[index].position, into: &progress)
      boots[index].position = total
    }
  }

  /// The first part that waits, with its place in `held`; the result's tail has none.
  private func nextPart(of index: Int) -> (Part, Int?)? {
    let first = held.indices.filter { held[$0].boot == index }.min { held[$0].offset < held[$1].offset }
    if let tail = boots[index].tail, let total = boots[index].total {
      let part = Part(boot: index, offset: max(total - tail.count, 0), bytes: Array(tail), ackID: nil)
      guard let first, held[first].offset < part.offset else { return (part, nil) }
    }
    return first.map { (held[$0], $0) }
  }

  private mutating func mark(missing count: Int, into progress: inout Progress) {
    let line = "[dagrun: \(count) \(count == 1 ? "byte" : "bytes") of the log missing here]\n"
    write(Array((endsLine ? line : "\n" + line).utf8)[...], into: &progress)
  }

  private mutating func write(_ bytes: ArraySlice<UInt8>, into progress: inout Progress) {
    guard let last = bytes.last else { return }
    progress.bytes += bytes
    length += bytes.count
    endsLine = last == UInt8(ascii: "\n")
  }
}

extension LogAssembler {
  /// Of what was kept, whether it is something that this program keeps.
  var isPlausible: Bool {
    let lengths = 0...MachineMessage.mostLogBytes
    return lengths.contains(length)
      && boots.allSatisfy { lengths.contains($0.position) && lengths.contains($0.total ?? 0) }
  }
}

extension LogAssembler: Codable {
  private enum CodingKeys: String, CodingKey { case length, boots, endsLine }
}

extension LogAssembler: Hashable {
  /// As the journal sees it, which knows nothing of parts that wait.
  package static func == (left: LogAssembler, right: LogAssembler) -> Bool {
    left.length == right.length && left.boots == right.boots && left.endsLine == right.endsLine
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(length)
    hasher.combine(boots)
  }
}
