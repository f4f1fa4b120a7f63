/// `maxActivePerRun`: how many instances of one mapped task are active in one run.
struct RunLimitTable: Sendable {
  private var entries: [Entry] = []
  private var indices: [RunIndex: [Int32: Int32]] = [:]
  /// Of runs that have left, to be used again.
  private var unused: [Int32] = []

  typealias Entry = TaskLimitTable.Entry

  /// - Parameter position: of the task in the run's plan.
  mutating func index(_ run: RunIndex, _ position: Int32) -> Int32 {
    if let index = indices[run]?[position] { return index }
    let index: Int32
    if let free = unused.popLast() {
      index = free
    } else {
      index = Int32(entries.count)
      entries.append(Entry())
    }
    indices[run, default: [:]][position] = index
    return index
  }

  func findIndex(_ run: RunIndex, _ position: Int32) -> Int32? { indices[run]?[position] }

  /// Forgets those of a run. Nothing is active any more that counts in them.
  mutating func remove(_ run: RunIndex) -> [Int32] {
    let removed = (indices.removeValue(forKey: run) ?? [:]).values.sorted()
    for index in removed { entries[Int(index)] = Entry() }
    unused += removed
    return removed
  }

  subscript(index: Int32) -> Entry {
    get { entries[Int(index)] }
    _modify { yield &entries[Int(index)] }
  }
}
