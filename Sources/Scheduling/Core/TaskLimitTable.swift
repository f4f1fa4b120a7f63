/// `maxActivePerDAG`: how many instances of one task are active over all runs of its DAG.
struct TaskLimitTable: Sendable {
  private var entries: [Entry] = []
  private var indices: [Key: Int32] = [:]

  struct Key: Hashable, Sendable {
    var dag: Int
    var taskID: String
  }

  struct Entry: Sendable {
    var active: Int32 = 0
    /// By the limit: that of a task may differ between versions of its DAG.
    var waiting = WaitingLanes()
  }

  mutating func index(dag: Int, taskID: String) -> Int32 {
    let key = Key(dag: dag, taskID: taskID)
    if let index = indices[key] { return index }
    let index = Int32(entries.count)
    entries.append(Entry())
    indices[key] = index
    return index
  }

  func findIndex(dag: Int, taskID: String) -> Int32? { indices[Key(dag: dag, taskID: taskID)] }

  subscript(index: Int32) -> Entry {
    get { entries[Int(index)] }
    _modify { yield &entries[Int(index)] }
  }
}
