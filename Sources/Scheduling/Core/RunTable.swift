import Model

/// The runs in memory: those that have not ended, and for the length of a step those that a request is about.
struct RunTable: Sendable {
  /// The number of the newest run there ever was.
  private(set) var lastNumber: Int64
  private var entries: [RunEntry] = []
  private var indices: [Int64: RunIndex] = [:]
  /// Of runs that have left, to be used again.
  private var unused: [RunIndex] = []
  /// The run that `expect` named.
  private var expected: (number: Int64, index: RunIndex)?

  init(lastNumber: Int64) { self.lastNumber = lastNumber }

  /// Of a new run; never given twice.
  mutating func takeNumber() -> Int64 {
    lastNumber += 1
    return lastNumber
  }

  subscript(run: RunIndex) -> RunEntry {
    @inline(__always)
    get { entries[Int(run.value)] }
    _modify { yield &entries[Int(run.value)] }
  }

  subscript(place: InstanceIndex) -> InstanceEntry {
    @inline(__always)
    get { entries[Int(place.run.value)][place.offset] }
    _modify { yield &entries[Int(place.run.value)][place.offset] }
  }

  @inline(__always)
  func planned(_ place: InstanceIndex) -> PlannedTask { self[place.run].planned(place.offset) }

  func index(of number: Int64) -> RunIndex? {
    if let expected, expected.number == number { return expected.index }
    return indices[number]
  }

  subscript(number number: Int64) -> RunEntry? { index(of: number).map { self[$0] } }

  /// The next question will mostly be about this run, as after the end of one of its tasks.
  mutating func expect(_ run: RunIndex) {
    expected = (entries[Int(run.value)].run.number, run)
  }

  mutating func insert(_ entry: RunEntry) -> RunIndex {
    let index: RunIndex
    if let free = unused.popLast() {
      index = free
      entries[Int(index.value)] = entry
    } else {
      index = RunIndex(value: Int32(entries.count))
      entries.append(entry)
    }
    indices[entry.run.number] = index
    return index
  }

  mutating func remove(_ run: RunIndex) {
    indices[self[run].run.number] = nil
    if expected?.index == run { expected = nil }
    self[run] = .unused
    unused.append(run)
  }

  var count: Int { indices.count }

  /// Of all runs, ascending.
  var numbers: [Int64] { indices.keys.sorted() }

  /// In the order in which they lie in memory.
  var all: [RunIndex] {
    entries.indices.filter { entries[$0].run.number > 0 }.map { RunIndex(value: Int32($0)) }
  }
}

/// Where a run is in the table.
struct RunIndex: Hashable, Sendable {
  let value: Int32
}

/// Where a task instance is in the table.
struct InstanceIndex: Hashable, Sendable {
  var run: RunIndex
  var offset: InstanceOffset
}
