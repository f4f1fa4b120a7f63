import Dagrun
import Model

@testable import Scheduling

/// What people ask for.
extension World {
  func person() throws -> Event {
    let dagID = "dag_\(Int.random(in: 0..<3, using: &random))"
    switch Int.random(in: 0..<24, using: &random) {
    case 0...7: return try trigger(dagID)
    case 8, 9: return try backfill(dagID)
    case 10...12: return try clear(dagID)
    case 13...15:
      guard let run = try anyRun(dagID), let task = run.tasks.randomElement(using: &random) else { return .wake }
      let state = random.pick([TaskState.success, .failed, .skipped])
      return .setTaskState(TaskInstanceKey(run: run.run.number, taskID: task.taskID), state, loaded: run)
    case 16, 17:
      guard let run = try anyRun(dagID) else { return .wake }
      return .setRunState(run: run.run.number, random.pick([.success, .failed, .queued]), loaded: run)
    case 18: return .setPaused(dagID: dagID, true)
    case 19, 20: return .setPaused(dagID: dagID, false)
    case 21:
      return .setPool(
        Pool(
          name: random.pick(["small", "default_pool", "nowhere"]), slots: random.pick([-1, 0, 1, 3, 5]),
          includeDeferred: random.chance(1, of: 2)))
    case 22:
      return random.chance(1, of: 3) ? .deletePool(name: "nowhere") : .setPool(Pool(name: "small", slots: 4))
    default:
      if random.chance(1, of: 3), scheduler.unfinishedRuns.allSatisfy({ scheduler.run($0)!.dagID != dagID }) {
        return .deleteDAG(dagID: dagID)
      }
      guard let backfill = scheduler.openBackfills.randomElement(using: &random) else { return .wake }
      return .cancelBackfill(number: backfill.number)
    }
  }

  private func trigger(_ dagID: String) throws -> Event {
    var runID = random.chance(1, of: 3) ? "run_\(Int.random(in: 0..<20, using: &random))" : nil
    if random.chance(1, of: 20) { runID = random.pick(["scheduled__x", "backfill__2026", "latest"]) }
    let date =
      random.chance(1, of: 2)
      ? World.start.adding(seconds: Double(300 * Int.random(in: -5...40, using: &random))) : nil
    let runs = try store.runs(dagID: dagID).map(\.run)
    return .trigger(
      TriggerRequest(
        dagID: dagID, runID: runID, logicalDate: date, existing: runs.first { $0.runID == runID && runID != nil },
        holder: runs.first { $0.logicalDate == date && date != nil }, takenRunIDs: runs.map(\.runID)))
  }

  private func backfill(_ dagID: String) throws -> Event {
    let from = now.adding(seconds: Double(-300 * Int.random(in: 0...20, using: &random)))
    let to = from.adding(seconds: Double(300 * Int.random(in: -1...6, using: &random)))
    let existing = try store.runs(dagID: dagID)
    return .backfill(
      BackfillRequest(
        dagID: dagID, fromDate: from, toDate: to, maxActiveRuns: random.pick([1, 2, 10]),
        runsBackwards: random.chance(1, of: 3),
        reprocess: random.pick(Backfill.ReprocessBehavior.allCases.map(Optional.some) + [nil]),
        taskRegex: random.pick([nil, nil, "task_[0-5]", "task_.*"]),
        existing: existing.filter { $0.run.logicalDate.map { $0 >= from && $0 <= to } ?? false }))
  }

  private func clear(_ dagID: String) throws -> Event {
    guard let run = try anyRun(dagID) else { return .wake }
    let keys = run.tasks.filter { _ in random.chance(1, of: 2) }
      .map { TaskInstanceKey(run: run.run.number, taskID: $0.taskID) }
    return .clear(ClearRequest(keys: keys, onNewestVersion: random.chance(1, of: 2), loaded: [run]))
  }

  private func anyRun(_ dagID: String) throws -> RunSnapshot? {
    try store.runs(dagID: dagID).randomElement(using: &random)
  }
}
