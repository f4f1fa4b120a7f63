import Dagrun
import Model

/// Pools as people change them.
extension Scheduler {
  mutating func setPool(_ pool: Pool) {
    if pool.name.isEmpty { return refuse(.invalid("a pool needs a name")) }
    if pool.slots < -1 {
      return refuse(.invalid("pool \(pool.name) cannot have \(pool.slots) slots; -1 means without limit"))
    }
    step.answer(.done)
    guard admission.pool(pool.name) != pool else { return }
    admission.setPool(pool)
    step.append(.poolStored(pool))
  }

  mutating func deletePool(_ name: String) {
    guard admission.pool(name) != nil else { return refuse(.unknownPool(name)) }
    if name == TaskDescription.defaultPool { return refuse(.defaultPoolCannotBeDeleted) }
    admission.deletePool(name)
    step.append(.poolDeleted(name: name))
    step.answer(.done)
  }
}
