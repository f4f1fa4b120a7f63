import Control
import Dagrun
import Model
import ModelDatabase

@testable import Engine
@testable import Scheduling

/// What people ask for.
extension World {
  func person() {
    let dagID = "dag_\(Int.random(in: 0..<3, using: &random))"
    let runs = database.model.runs(dagID: dagID)
    let run = runs.randomElement(using: &random)
    switch Int.random(in: 0..<28, using: &random) {
    case 0...7: trigger(dagID)
    case 8, 9: backfill(dagID)
    case 10...12:
      guard let run else { return }
      var selection = TaskSelection(dagID: dagID)
      selection.runID = run.run.runID
      selection.taskRegex = random.pick([nil, "task_[0-5]", "1|3|new"])
      selection.withDownstream = random.chance(1, of: 2)
      selection.onlyFailed = random.chance(1, of: 4)
      if random.chance(1, of: 4) { selection.mapIndex = Int32.random(in: 0..<3, using: &random) }
      request(.clear(selection, onNewestVersion: random.chance(1, of: 2)))
    case 13...15:
      guard let run, let task = run.tasks.randomElement(using: &random) else { return }
      let state = random.pick([TaskState.success, .failed, .skipped])
      request(.setTaskState(dagID: dagID, runID: run.run.runID, taskID: task.taskID, mapIndex: task.mapIndex, state))
    case 16, 17:
      guard let run else { return }
      request(.setRunState(dagID: dagID, runID: run.run.runID, random.pick([.success, .failed, .queued])))
    case 18: request(.setPaused(dagID: dagID, true))
    case 19, 20: request(.setPaused(dagID: dagID, false))
    case 21:
      request(
        .setPool(
          name: random.pick(["small", "default_pool", "nowhere"]), slots: random.pick([-1, 0, 1, 3, 5]),
          documentation: "", includeDeferred: random.chance(1, of: 2)))
    case 22: request(random.chance(1, of: 3) ? .deletePool(name: "nowhere") : .ping)
    case 23:
      if random.chance(1, of: 3) { request(.deleteDAG(dagID: dagID)) }
    case 24: follow(run?.run.number ?? 1)
    case 25:
      guard let run, let task = run.tasks.randomElement(using: &random) else { return }
      request(.explain(dagID: dagID, runID: run.run.runID, taskID: task.taskID, mapIndex: task.mapIndex))
    case 26: request(.waiting(runs: runs.map(\.run.number)))
    default:
      guard let backfill = scheduler.openBackfills.randomElement(using: &random) else { return }
      request(.cancelBackfill(number: backfill.number))
    }
  }

  /// Whatever comes of it.
  func request(_ request: ControlRequest) {
    note("\(request)")
    engine.handle(request) { [unowned self] reply in
      if case .refused(let refusal) = reply { note("  refused: \(refusal.kind)") }
    }
  }

  private func trigger(_ dagID: String) {
    var runID = random.chance(1, of: 3) ? "run_\(Int.random(in: 0..<20, using: &random))" : nil
    if random.chance(1, of: 20) { runID = random.pick(["scheduled__x", "backfill__2026", "latest"]) }
    let date =
      random.chance(1, of: 2)
      ? World.start.adding(seconds: Double(300 * Int.random(in: -5...40, using: &random))) : nil
    request(.trigger(dagID: dagID, runID: runID, logicalDate: date, conf: "{}"))
  }

  private func backfill(_ dagID: String) {
    let from = now.adding(seconds: Double(-300 * Int.random(in: 0...20, using: &random)))
    let to = from.adding(seconds: Double(300 * Int.random(in: -1...6, using: &random)))
    var parameters = BackfillParameters(dagID: dagID, fromDate: from, toDate: to)
    parameters.maxActiveRuns = random.pick([1, 2, 10])
    parameters.runsBackwards = random.chance(1, of: 3)
    parameters.reprocess = random.pick(Backfill.ReprocessBehavior.allCases.map(Optional.some) + [nil])
    parameters.taskRegex = random.pick([nil, nil, "task_[0-5]", "task_.*"])
    parameters.isDryRun = random.chance(1, of: 8)
    request(.backfill(parameters))
  }

  private func follow(_ run: Int64) {
    let listener = Listener(run: run)
    note("follow \(run)")
    engine.handle(.follow(run: run)) { reply in
      switch reply {
      case .progress(let progress): listener.last = progress
      default: listener.isGone = true
      }
    }
    listeners.append(listener)
  }
}
