import Dagrun
import GRDB
import Model
import Scheduling

extension StoreConnection {
  /// By name, with the slots that the task instances of unfinished runs take.
  package func pools() throws(StoreError) -> [PoolUsage] {
    try read { database in
      var pools = try statement(database, "SELECT * FROM pool ORDER BY name").rows { row in
        PoolUsage(pool: Pool(row: row), runningSlots: 0, queuedSlots: 0, scheduledSlots: 0, deferredSlots: 0)
      }
      let positions = Dictionary(uniqueKeysWithValues: pools.indices.map { (pools[$0].pool.name, $0) })
      let runs = try statement(
        database, "SELECT * FROM dag_run WHERE state IN ('queued', 'running') ORDER BY id"
      ).rows(as: DAGRun.init(row:))
      var demands: [[String]: [String: Demand]] = [:]
      for run in runs {
        let version = [run.dagID, run.version]
        try statement(
          database,
          """
          SELECT task_id, state FROM task_instance
          WHERE run = ? AND state IN ('running', 'restarting', 'queued', 'scheduled', 'deferred')
          """
        ).forEachRow(run.number) { row in
          if demands[version] == nil { demands[version] = try self.demands(of: run, database) }
          guard let demand = demands[version]?[row.text(0)], let position = positions[demand.pool] else { return }
          switch try row.value(1, as: TaskState.self) {
          case .running, .restarting: pools[position].runningSlots += demand.slots
          case .queued: pools[position].queuedSlots += demand.slots
          case .scheduled: pools[position].scheduledSlots += demand.slots
          case .deferred: pools[position].deferredSlots += demand.slots
          case .none, .removed, .success, .failed, .upForRetry, .upForReschedule, .upstreamFailed, .skipped,
            .awaitingInput:
            break
          }
        }
      }
      return pools
    }
  }

  /// What a task takes of which pool.
  private struct Demand {
    var pool: String
    var slots: Int
  }

  /// Read from the description of the run's version: a row does not repeat what never changes. Decoded by the type,
  /// which knows the defaults that a description leaves out.
  private func demands(of run: DAGRun, _ database: Database) throws -> [String: Demand] {
    let tasks = try storedVersion(run.version, dagID: run.dagID, database)?.plan().description.tasks ?? []
    return Dictionary(tasks.map { ($0.id, Demand(pool: $0.pool, slots: $0.poolSlots)) }) { first, _ in first }
  }
}
