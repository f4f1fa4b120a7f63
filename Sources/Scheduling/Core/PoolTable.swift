import Dagrun
import HeapModule
import Model

/// Pools by index, and what waits for their slots. A pool that tasks name and nobody made has no slots.
struct PoolTable: Sendable {
  private(set) var entries: [Entry] = []
  private var indices: [String: Int32] = [:]

  struct Entry: Sendable {
    let name: String
    /// nil: there is none of that name.
    var pool: Pool?
    /// Slots of active task instances.
    var activeSlots: Int64 = 0
    /// Slots of deferred ones; they count if the pool says so.
    var deferredSlots: Int64 = 0
    /// Lanes that found too few slots free, by the slots that each of their tasks needs.
    var waiting: [(poolSlots: Int32, lanes: Heap<LaneReference>)] = []
    var isFreed = false

    var usedSlots: Int64 { activeSlots + (pool?.includeDeferred == true ? deferredSlots : 0) }

    func hasRoom(for slots: Int32) -> Bool {
      guard let pool else { return false }
      return pool.slots < 0 || usedSlots + Int64(slots) <= Int64(pool.slots)
    }

    mutating func park(_ reference: LaneReference, poolSlots: Int32) {
      if let index = waiting.firstIndex(where: { $0.poolSlots == poolSlots }) {
        waiting[index].lanes.insert(reference)
      } else {
        waiting.append((poolSlots, [reference]))
      }
    }
  }

  /// The index of a pool, also of one that does not exist (yet).
  mutating func index(of name: String) -> Int32 {
    if let index = indices[name] { return index }
    let index = Int32(entries.count)
    entries.append(Entry(name: name))
    indices[name] = index
    return index
  }

  func find(_ name: String) -> Entry? { indices[name].map { entries[Int($0)] } }

  subscript(index: Int32) -> Entry {
    get { entries[Int(index)] }
    _modify { yield &entries[Int(index)] }
  }

  /// Those that exist, by name.
  var existing: [Entry] { entries.filter { $0.pool != nil }.sorted { $0.name < $1.name } }
}

/// `maxActivePerDAG`: how many instances of one task are active over all runs of its DAG.
struct TaskLimitTable: Sendable {
  private(set) var entries: [Entry] = []
  private var indices: [Key: Int32] = [:]

  struct Key: Hashable, Sendable {
    var dag: Int
    var taskID: String
  }

  struct Entry: Sendable {
    var active: Int32 = 0
    /// Lanes that found the limit reached, by the limit: that of a task may differ between versions of its DAG.
    var waiting: [(limit: Int32, lanes: Heap<LaneReference>)] = []
    var isFreed = false

    mutating func park(_ reference: LaneReference, limit: Int32) {
      if let index = waiting.firstIndex(where: { $0.limit == limit }) {
        waiting[index].lanes.insert(reference)
      } else {
        waiting.append((limit, [reference]))
      }
    }
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
