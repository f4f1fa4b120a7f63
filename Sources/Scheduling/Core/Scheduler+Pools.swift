import Dagrun
import Model

/// Pools as people change them.
extension Scheduler {
  mutating func setPool(_ pool: Pool) {
    if pool.name.isEmpty { return refuse(.invalid("a pool needs a name")) }
    if pool.slots < -1 {
      return refuse(.invalid("pool \(pool.name) cannot have \(pool.slots) slots; -1 means without limit"))
    }
    let index = pools.index(of: pool.name)
    work.reply = .done
    guard pools[index].pool != pool else { return }
    pools[index].pool = pool
    work.head.append(.poolStored(pool))
    freePool(index)
  }

  mutating func deletePool(_ name: String) {
    guard pools.find(name)?.pool != nil else { return refuse(.unknownPool(name)) }
    if name == TaskDescription.defaultPool { return refuse(.defaultPoolCannotBeDeleted) }
    pools[pools.index(of: name)].pool = nil
    work.head.append(.poolDeleted(name: name))
    work.reply = .done
  }
}
