import Dagrun
import Model

/// From what is stored to what is in memory.
extension Scheduler {
  mutating func restore(_ snapshot: Snapshot) {
    step.lend(snapshot.plans)
    for pool in snapshot.pools { admission.setPool(pool) }
    for record in snapshot.dags {
      dagIndices[record.dagID] = dags.count
      var dag = DAGEntry(record)
      dag.usedLogicalDates = AscendingList((snapshot.usedLogicalDates[record.dagID] ?? []).sorted())
      dags.append(dag)
      if let version = record.version {
        setPlan(step.lentPlan(record.dagID, version: version), of: dags.count - 1)
      }
    }
    for backfill in snapshot.backfills where backfill.completedAt == nil {
      backfills[backfill.number] = BackfillEntry(backfill)
    }
    for run in snapshot.runs { restore(run) }
    for index in dags.indices { setNextDue(index) }
    step = StepBuilder()
  }

  private mutating func restore(_ snapshot: RunSnapshot) {
    let run = snapshot.run
    guard let dag = dagIndices[run.dagID], let plan = plan(of: run, dag: dag) else {
      preconditionFailure("run \(run.number): the snapshot has no plan of \(run.dagID) in version \(run.version)")
    }
    if run.state.isFinished {
      if !plan.pastTaskIDs.isEmpty {
        // The past is a matter of states.
        var past = snapshot
        past.choices = [:]
        dags[dag].history.add(RunEntry(past, plan: plan, dag: dag))
      }
      return
    }
    let index = insert(snapshot, plan: plan, dag: dag)
    resume(index)
    if run.state == .running { armDAGRunTimeout(index) }
  }

  /// Puts the tasks of a run that just came into memory, or was planned anew, where their states say.
  mutating func resume(_ run: RunIndex) {
    for instance in runs[run].instances {
      let place = InstanceIndex(run: run, offset: instance)
      switch runs[run][instance].state {
      case .scheduled:
        if runs[run].planned(instance).isEmpty { hold(place) } else { enqueue(place) }
      case .running: armExecutionTimeout(place)
      case .upForRetry, .upForReschedule: armRetry(place)
      case .none, .removed, .queued, .success, .restarting, .failed, .upstreamFailed, .skipped, .deferred,
        .awaitingInput:
        break
      }
    }
  }

  /// The plan of the version that a run is on, with the run's selection of tasks. nil: it is not at hand.
  func plan(of run: DAGRun, dag: Int) -> DAGPlan? {
    let current = dags[dag].plan
    guard
      let base = current?.version == run.version
        ? current : step.lentPlan(run.dagID, version: run.version)
    else { return nil }
    return select(base, run.taskRegex, dag: dag)
  }

  /// Runs of one backfill share the plan of their selection.
  func select(_ base: DAGPlan, _ regex: String?, dag: Int) -> DAGPlan {
    guard let regex else { return base }
    let same = dags[dag].runs.last { number in
      let plan = runs[runs.index(of: number)!].plan
      return plan.version == base.version && plan.taskRegex == regex
    }
    if let same { return runs[runs.index(of: same)!].plan }
    return base.selectingAsStored(regex)
  }

  /// Looks around once after a restart: what was due meanwhile, and what is there to start.
  mutating func scanAfterRestore() {
    needsInitialScan = false
    for dag in dags.indices {
      step.scheduleLater(dag)
      step.promoteLater(dag)
    }
    for backfill in backfills.keys.sorted() { step.promoteLater(backfill: backfill) }
    for run in runs.all where runs[run].run.state == .running {
      releaseHeldEmpties(run)
      evaluateWaiting(run)
      check(run)
    }
  }
}
