import Dagrun
import Model

/// Two schedulers are equal when they hold the same and would decide the same. What is derived and may lie about in
/// different order (heaps, slots, timers that have fired) is compared by what it stands for.
extension Scheduler: Equatable {
  package static func == (left: Scheduler, right: Scheduler) -> Bool { left.difference(from: right) == nil }

  /// What differs, in words for a person who has to find out why; nil: nothing.
  package func difference(from other: Scheduler) -> String? {
    let mine = overview
    let others = other.overview
    for index in mine.indices where mine[index] != others[index] { return "\(mine[index]) is not \(others[index])" }
    if let difference = historyDifference(from: other) { return difference }
    for number in unfinishedRuns {
      if let difference = runDifference(number, from: other) { return difference }
    }
    return nil
  }

  /// Everything but the runs themselves.
  private var overview: [String] {
    var lines = ["\(limits), last run \(lastRunNumber), last backfill \(lastBackfillNumber)"]
    lines.append("active tasks \(activeTasks), \(admission.localTasks) of them here, unfinished runs \(unfinishedRuns)")
    let dags = dagRecords.map { record in
      let dag = self.dags[dagIndices[record.dagID]!]
      return "\(record) in version \(dag.plan?.version ?? "none"), used dates \(Array(dag.usedLogicalDates)), "
        + "runs \(Array(dag.runs)), "
        + "\(dag.unfinishedLive) unfinished, \(dag.runningLive) running"
    }
    lines.append("DAGs \(dags)")
    lines.append(
      "pools \(admission.existingPools.map { "\($0.pool!) used \($0.activeSlots) and \($0.deferredSlots)" })")
    let backfills = self.backfills.sorted { $0.key < $1.key }.map {
      "\($0.value.backfill) with \($0.value.unfinished) unfinished, \($0.value.running) running"
    }
    lines.append("backfills \(backfills)")
    return lines
  }

  /// Only DAGs whose newest version asks for it have their history stored.
  private func historyDifference(from other: Scheduler) -> String? {
    for record in dagRecords {
      let mine = dags[dagIndices[record.dagID]!]
      let others = other.dags[other.dagIndices[record.dagID]!]
      if mine.hasPast, mine.history != others.history {
        return "history of \(record.dagID): \(mine.history) is not \(others.history)"
      }
    }
    return nil
  }

  private func runDifference(_ number: Int64, from other: Scheduler) -> String? {
    let mine = runs[runs.index(of: number)!]
    let others = other.runs[other.runs.index(of: number)!]
    if mine.run != others.run { return "run \(number): \(mine.run) is not \(others.run)" }
    if mine.plan.version != others.plan.version || mine.plan.taskRegex != others.plan.taskRegex {
      return "run \(number): version \(mine.plan.version) is not \(others.plan.version)"
    }
    if mine.instancesOutsidePlan != others.instancesOutsidePlan {
      return "run \(number): \(mine.instancesOutsidePlan) is not \(others.instancesOutsidePlan)"
    }
    if mine.choices != others.choices { return "run \(number): choices \(mine.choices) are not \(others.choices)" }
    let active = admission.activeTasks(of: runs.index(of: number)!)
    let othersActive = other.admission.activeTasks(of: other.runs.index(of: number)!)
    if active != othersActive { return "run \(number): \(active) active tasks, not \(othersActive)" }
    if mine.counts != others.counts || mine.unfinished != others.unfinished {
      return "run \(number): counts \(mine.counts) are not \(others.counts)"
    }
    for (instance, other) in zip(mine.instances, others.instances) {
      if mine.key(instance) == others.key(other), mine[instance].isSame(as: others[other]) { continue }
      return "\(mine.key(instance)): \(mine[instance]) is not \(others.key(other)): \(others[other])"
    }
    return nil
  }
}
