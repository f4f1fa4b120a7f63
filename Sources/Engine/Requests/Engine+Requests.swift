internal import Control
internal import Dagrun
internal import Dispatch
internal import Executors
internal import Glibc
internal import Model
internal import Processes
internal import Scheduling
internal import Storage

/// What commands ask for.
extension Engine {
  /// A request that came over the socket.
  func handle(_ request: ControlRequest, from connection: ControlConnection) {
    let follower = handle(request) { connection.reply($0) }
    if let follower { connection.onClose = { [weak self] in self?.followers.remove(follower) } }
  }

  /// - Parameter reply: called on the queue; once, or for `follow` until the run has ended.
  /// - Returns: the follower that was made, for whoever may lose interest.
  @discardableResult
  func handle(_ request: ControlRequest, reply: @escaping (ControlReply) -> Void) -> Follower? {
    dispatchPrecondition(condition: .onQueue(queue))
    return timed(request) { start(request, reply: reply) }
  }

  private func timed<Result>(_ request: ControlRequest, _ body: () -> Result) -> Result {
    guard let report = options.onQueueTime else { return body() }
    let start = threadSeconds()
    defer { report(request, threadSeconds() - start) }
    return body()
  }

  private func start(_ request: ControlRequest, reply: @escaping (ControlReply) -> Void) -> Follower? {
    guard !isStopped else {
      reply(.refused(ControlError(.gone, "the scheduler was stopped")))
      return nil
    }
    switch request {
    case .ping: reply(.status(status))
    case .reload: reloadDAGFiles { reply(.done) }
    case .cancelJob(let name):
      let isDriven = executors.contains { $0.cancel(named: name) }
      reply(isDriven ? .done : .refused(ControlError(.notFound, "the scheduler drives no job \(name)")))
    case .leaveJob(let name):
      let isDriven = executors.contains { $0.release(named: name) }
      reply(isDriven ? .done : .refused(ControlError(.notFound, "not driven")))
    case .follow(let run): return follow(run, reply)
    case .explain(let dagID, let runID, let taskID):
      answer(reply) { () throws(ControlError) in try explain(dagID: dagID, runID: runID, taskID: taskID) }
    case .waiting(let runs): reply(.waiting(WaitingRuns(scheduler.waiting(ofRuns: runs, at: clock.now()))))
    case .trigger, .backfill, .clear, .setTaskState, .setRunState, .endStuckRun, .setPaused, .deleteDAG:
      // Somebody may have saved the file a moment ago.
      withCurrentDAGFiles { [self] in
        if let refusal = refusalOfUnreadFiles(request) { return reply(.refused(refusal)) }
        timed(request) { translateAndSubmit(request, reply) }
      }
    case .cancelBackfill, .setPool, .deletePool:
      translateAndSubmit(request, reply)
    }
    return nil
  }

  private func translateAndSubmit(_ request: ControlRequest, _ reply: @escaping (ControlReply) -> Void) {
    guard failedCommits == nil else {
      return reply(.refused(unwritable))
    }
    do throws(ControlError) {
      switch try translation.translate(request) {
      case .answer(let answer): reply(answer)
      case .event(let event, let answer):
        submit(event, plans: try plans(of: event)) { [self] result in
          if case .success(.backfill(let backfill, _)) = result {
            return whenMade(backfill.number) { [self] in
              self.answer(reply) { () throws(ControlError) in try answer(try result.get()) }
            }
          }
          self.answer(reply) { () throws(ControlError) in try answer(try result.get()) }
        }
      }
    } catch {
      reply(.refused(error))
    }
  }

  private func answer(
    _ reply: (ControlReply) -> Void, _ body: () throws(ControlError) -> ControlReply
  ) {
    do throws(ControlError) {
      reply(try body())
    } catch {
      reply(.refused(error))
    }
  }

  private var unwritable: ControlError {
    ControlError(.unavailable, "the database cannot be written at the moment\n\(commitProblem ?? "")")
  }

  private var translation: RequestResolver {
    RequestResolver(
      store: store, plan: { [self] in scheduler.plan(ofDAG: $0) },
      pools: { [self] in scheduler.poolUsage.map(\.pool) },
      dagIDs: { [self] in scheduler.dagRecords.filter { $0.version != nil }.map(\.dagID) },
      importError: { [self] in importError($0) }, now: clock.now())
  }

  /// Runs that have ended are on versions that the scheduler may not hold.
  private func plans(of event: Event) throws(ControlError) -> [DAGPlan] {
    do {
      return try plans(ofFinished: event.loadedRuns)
    } catch {
      throw ControlError(.unavailable, "\(error)")
    }
  }

  func plans(ofFinished runs: [RunSnapshot]) throws(StoreError) -> [DAGPlan] {
    var plans: [DAGPlan] = []
    for snapshot in runs where scheduler.run(snapshot.run.number) == nil {
      let run = snapshot.run
      if scheduler.plan(ofDAG: run.dagID)?.version == run.version { continue }
      if plans.contains(where: { $0.dagID == run.dagID && $0.version == run.version }) { continue }
      if let plan = try store.plan(dagID: run.dagID, version: run.version) { plans.append(plan) }
    }
    return plans
  }

  private var status: SchedulerStatus {
    SchedulerStatus(
      pid: getpid(), version: options.version, startedAt: startedAt, runningTasks: scheduler.activeTasks,
      unfinishedRuns: scheduler.unfinishedRunCount)
  }

  /// How a try went only the database knows; what a task waits for, only the scheduler.
  private func explain(dagID: String, runID: String, taskID: String) throws(ControlError) -> ControlReply {
    let run = try translation.run(dagID: dagID, runID: runID).run
    let key = TaskInstanceKey(run: run.number, taskID: taskID)
    do {
      guard let task = try store.taskInstance(key) else {
        throw ControlError(.unknownTask(dagID: dagID, taskID: taskID))
      }
      let state = task.instance.state
      let why = state == .removed ? Scheduler.whyRemoved(dagID: dagID) : nil
      let stored = [task.reason ?? why, task.choice?.description, task.loss].compactMap { $0 }
      let waits = state.isFinished ? [] : scheduler.explain(key, at: clock.now()).map(\.description)
      return .reasons(state: state.rawValue, waits + stored)
    } catch {
      throw (error as? ControlError) ?? ControlError(.unavailable, "\(error)")
    }
  }

  private func follow(_ run: Int64, _ reply: @escaping (ControlReply) -> Void) -> Follower? {
    let snapshot: RunSnapshot?
    var reasons: [String: String] = [:]
    do {
      snapshot = try scheduler.snapshot(ofRun: run) ?? store.runSnapshots(numbers: [run]).first
      if snapshot?.tasks.contains(where: { $0.state.isFinished && $0.state != .success }) == true {
        for task in try store.taskInstances(run: run) { reasons[task.instance.taskID] = task.reason }
      }
    } catch {
      reply(.refused(ControlError(.unavailable, "\(error)")))
      return nil
    }
    guard let snapshot else {
      reply(.refused(ControlError(.notFound, "no run number \(run)")))
      return nil
    }
    let follower = Follower(snapshot, reasons: reasons, send: reply)
    if !follower.hasEnded { followers.add(follower) }
    return follower
  }
}

extension Event {
  fileprivate var loadedRuns: [RunSnapshot] {
    switch self {
    case .backfill(let request): request.existing.filter { !$0.tasks.isEmpty }
    case .clear(let request): request.loaded
    case .setTaskState(_, _, let loaded), .setRunState(_, _, let loaded), .endStuckRun(_, let loaded):
      loaded.map { [$0] } ?? []
    case .dagsLoaded, .plansLoaded, .taskStarted, .taskFinished, .triggerFired, .wake,
      .trigger, .continueBackfill, .cancelBackfill, .setPaused, .setPool, .deletePool, .deleteDAG:
      []
    }
  }
}
