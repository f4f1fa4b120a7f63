import Dagrun
import Model

/// Pools by index, and what waits for their slots. A pool that tasks name and nobody made has no slots.
struct PoolTable: Sendable {
  private(set) var entries: [Entry] = []
  private var indices: [String: Int32] = [:]

  struct Entry: Sendable {
    let name: String
    /// nil: there is no pool of that name.
    var pool: Pool?
    /// Slots of active task instances.
    var activeSlots: Int64 = 0
    /// Slots of deferred ones; they count if the pool says so.
    var deferredSlots: Int64 = 0
    /// By the slots that each of their tasks needs.
    var waiting = WaitingLanes()

    var usedSlots: Int64 { activeSlots + (pool?.includeDeferred == true ? deferredSlots : 0) }

    /// How many slots a task may need to find room; negative: none does.
    var room: Int64 {
      guard let pool else { return -1 }
      return pool.slots < 0 ? .max : Int64(pool.slots) - usedSlots
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
