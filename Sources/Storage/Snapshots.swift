import Dagrun
import Foundation
import GRDB
import Model
package import Scheduling

extension Store {
  /// Everything a scheduler is restored from, as of one moment.
  ///
  /// - Parameter known: plans the caller holds already; the others are made from the stored descriptions.
  package func snapshot(plans known: [DAGPlan] = []) throws(StoreError) -> Snapshot {
    try read { database in
      let dags = try statement(database, "SELECT * FROM dag ORDER BY dag_id").rows(as: DAGRecord.init(row:))
      var plans = PlanCache(known)
      for dag in dags {
        guard let version = dag.version else { continue }
        try take(dagID: dag.dagID, version: version, to: &plans, database)
      }
      var runs = try statement(
        database, "SELECT * FROM dag_run WHERE state IN ('queued', 'running') ORDER BY id"
      ).rows(as: DAGRun.init(row:))
      for run in runs { try take(dagID: run.dagID, version: run.version, to: &plans, database) }

      let finished = try plans.dagsThatDependOnTheirPast.flatMap { dagID in
        try statement(database, "SELECT * FROM dag_run WHERE dag_id = ? AND state IN ('success', 'failed')")
          .rows(dagID, as: DAGRun.init(row:))
      }
      if !finished.isEmpty {
        for run in finished { try take(dagID: run.dagID, version: run.version, to: &plans, database) }
        runs = (runs + finished).sorted { $0.number < $1.number }
      }
      return Snapshot(
        plans: plans.inOrder, dags: dags,
        pools: try statement(database, "SELECT * FROM pool ORDER BY name").rows(as: Pool.init(row:)),
        backfills: try statement(database, "SELECT * FROM backfill WHERE completed_at IS NULL ORDER BY id")
          .rows(as: Backfill.init(row:)),
        runs: try runs.map { run in
          let plan = plans.plan(dagID: run.dagID, version: run.version)
          return try runSnapshot(run, plan, database)
        },
        lastRunNumber: try lastNumber(in: "dag_run", database),
        lastBackfillNumber: try lastNumber(in: "backfill", database), usedLogicalDates: try usedLogicalDates(database))
    }
  }

  private func take(
    dagID: String, version: String, to plans: inout PlanCache, _ database: Database
  ) throws {
    guard plans.plan(dagID: dagID, version: version) == nil else { return }
    guard let stored = try storedVersion(version, dagID: dagID, database) else {
      throw DatabaseError(
        resultCode: .SQLITE_CORRUPT, message: "version \(version) of DAG \"\(dagID)\" is used, but not there")
    }
    plans.add(try stored.plan())
  }

  private func usedLogicalDates(_ database: Database) throws -> [String: [Timestamp]] {
    var dates: [String: [Timestamp]] = [:]
    try statement(
      database,
      """
      SELECT dag_id, logical_date FROM dag JOIN dag_run USING (dag_id)
      WHERE logical_date IS NOT NULL AND (last_scheduled IS NULL OR logical_date > last_scheduled)
      ORDER BY dag_id, logical_date
      """
    ).forEachRow { dates[$0.text(0), default: []].append($0.timestamp(1)) }
    return dates
  }

  /// The last number that was given out, also when its row has been deleted since.
  private func lastNumber(in table: String, _ database: Database) throws -> Int64 {
    try statement(database, "SELECT seq FROM sqlite_sequence WHERE name = ?").first(table) {
      try $0.count(0, atMost: 1 << 53, "the last number of table \(table)")
    } ?? 0
  }
}

extension StoreConnection {
  /// A run with its task instances, in the order of its plan.
  ///
  /// - Parameter plan: lends its task ids, so that 100,000 rows are not 100,000 new strings.
  func runSnapshot(_ run: DAGRun, _ plan: DAGPlan?, _ database: Database) throws -> RunSnapshot {
    let number = run.number
    var snapshot = RunSnapshot(run: run, tasks: [])
    let query = try statement(
      database,
      """
      SELECT task_id, state, try_number, max_tries, start_date, end_date, retry_at, choice
      FROM task_instance WHERE run = ? ORDER BY position, map_index
      """)
    let planned = plan?.taskIDs ?? []
    snapshot.tasks.reserveCapacity(planned.count)
    try query.forEachRow(number) { row in
      let bytes = row.bytes(0)
      let position = snapshot.tasks.count
      let isPlanned = position < planned.count && planned[position].utf8.elementsEqual(bytes)
      snapshot.tasks.append(
        TaskInstance(
          taskID: isPlanned ? planned[position] : row.text(0), state: try row.value(1),
          tryNumber: Int(
            try row.count(2, atMost: 1_000_000_000, "try_number of task \(row.text(0)) in run \(number)")),
          maxTries: row.int(3), startDate: row.optionalTimestamp(4), endDate: row.optionalTimestamp(5),
          retryAt: row.optionalTimestamp(6)))
      if let json = row.optionalText(7) {
        snapshot.choices[snapshot.tasks[position].taskID] = try DownstreamChoice(jsonText: json)
      }
    }
    return snapshot
  }
}

extension StoredVersion {
  /// Decodes the description.
  package func plan() throws -> DAGPlan {
    do {
      return DAGPlan(try JSONDecoder().decode(DAGDescription.self, from: Data(description.utf8)), version: version)
    } catch {
      throw DatabaseError(
        resultCode: .SQLITE_CORRUPT,
        message: "the description of version \(version) of DAG \"\(dagID)\" is not readable: \(error)")
    }
  }
}

/// Plans by DAG and version, in the order in which they were asked for.
private struct PlanCache {
  private struct Key: Hashable {
    var dagID: String
    var version: String
  }

  private var known: [Key: DAGPlan] = [:]
  private var used: [Key: DAGPlan] = [:]
  private(set) var inOrder: [DAGPlan] = []

  init(_ plans: [DAGPlan]) {
    // A plan of a selection of tasks is not the plan of its version.
    for plan in plans where plan.taskRegex == nil { known[Key(dagID: plan.dagID, version: plan.version)] = plan }
  }

  mutating func plan(dagID: String, version: String) -> DAGPlan? {
    let key = Key(dagID: dagID, version: version)
    if let plan = used[key] { return plan }
    guard let plan = known[key] else { return nil }
    add(plan)
    return plan
  }

  mutating func add(_ plan: DAGPlan) {
    used[Key(dagID: plan.dagID, version: plan.version)] = plan
    inOrder.append(plan)
  }

  /// A task may wait for its instance in an earlier run, however long ago that one ended.
  var dagsThatDependOnTheirPast: [String] {
    var dagIDs: [String] = []
    for plan in inOrder where plan.description.tasks.contains(where: \.dependsOnPast) {
      if !dagIDs.contains(plan.dagID) { dagIDs.append(plan.dagID) }
    }
    return dagIDs
  }
}
