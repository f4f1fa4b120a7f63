package import Dagrun
package import Model

/// What the engine reads. Only what is in memory: unfinished runs, and nothing that the database knows better.
extension Scheduler {
  package func run(_ number: Int64) -> DAGRun? { entry(number)?.run }

  /// The plan that an unfinished run is on.
  package func plan(ofRun number: Int64) -> DAGPlan? { entry(number)?.plan }

  package func counts(ofRun number: Int64) -> StateCounts? { entry(number)?.counts }

  package func taskInstance(_ key: TaskInstanceKey) -> TaskInstance? {
    guard let place = find(key) else { return nil }
    return runs[place].instance(taskID: key.taskID)
  }

  package func snapshot(ofRun number: Int64) -> RunSnapshot? { entry(number)?.snapshot() }

  /// The number of the newest run there ever was.
  package var lastRunNumber: Int64 { runs.lastNumber }

  /// Numbers of all unfinished runs, ascending.
  package var unfinishedRuns: [Int64] { runs.numbers }

  package var unfinishedRunCount: Int { runs.count }

  /// Task instances that are active, in any run.
  package var activeTasks: Int { admission.activeTasks }

  /// Every DAG that was ever seen and not deleted, by id.
  package var dagRecords: [DAGRecord] {
    dags.filter { !$0.isDeleted }.map(\.record).sorted { $0.dagID < $1.dagID }
  }

  package func dagRecord(_ dagID: String) -> DAGRecord? { dagIndices[dagID].map { dags[$0].record } }

  /// The newest plan of a DAG; nil when its file is gone.
  package func plan(ofDAG dagID: String) -> DAGPlan? { dagIndices[dagID].flatMap { dags[$0].plan } }

  /// The unfinished run of a DAG by its id.
  package func run(dagID: String, runID: String) -> DAGRun? {
    dagIndices[dagID].flatMap { dags[$0].unfinishedRunIDs[runID] }.flatMap { run($0) }
  }

  /// By name, with the slots in use.
  package var poolUsage: [(pool: Pool, usedSlots: Int)] {
    admission.existingPools.map { ($0.pool!, Int($0.usedSlots)) }
  }

  /// Backfills that are under way, by number.
  package var openBackfills: [Backfill] { backfills.sorted { $0.key < $1.key }.map(\.value.backfill) }

  /// Tries that an executor has and that have not ended. For a restarted engine, which has to find out what became of
  /// each; one that is `restarting` is to be stopped. A deferred try is with no executor.
  package var activeTries: [ActiveTry] {
    var tries: [ActiveTry] = []
    for number in unfinishedRuns {
      guard let entry = entry(number) else { continue }
      for instance in entry.instances {
        let task = entry[instance]
        guard task.state.isActive else { continue }
        tries.append(ActiveTry(key: entry.tryKey(instance), state: task.state))
      }
    }
    return tries
  }

  /// Tries that wait for something outside, without an executor.
  package var deferredTries: [TryKey] {
    unfinishedRuns.compactMap(entry).flatMap { entry in
      entry.instances.filter { entry[$0].state == .deferred }.map(entry.tryKey)
    }
  }

  /// Whether an executor may still begin the try: it is under way, and nobody has had it stopped.
  package func mayBegin(_ key: TryKey) -> Bool {
    guard let place = find(key.instance), isCurrent(place, key.number) else { return false }
    let task = runs[place]
    return task.state != .restarting && !task.isTimedOut
  }

  /// Whether a running try has had its execution timeout, so that it is to be stopped.
  package func hasTimedOut(_ key: TryKey, at now: Timestamp) -> Bool {
    guard let place = find(key.instance), isCurrent(place, key.number) else { return false }
    return runs[place].state == .running
      && passedTimeout(place, at: now) != nil
  }

  package struct ActiveTry: Hashable, Sendable {
    package var key: TryKey
    package var state: TaskState
  }

  private func entry(_ run: Int64) -> RunEntry? { runs[number: run] }
}
