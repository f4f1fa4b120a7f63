internal import Control
internal import Dagrun
internal import Executors
internal import Logging
internal import Model
internal import Scheduling

/// What became of the tries that were under way when the last scheduler ended.
extension Engine {
  /// Asks each executor what became of its tries, and acts on it: takes the result, or launches what has not begun.
  ///
  /// - Throws: when it cannot be found out.
  func recover() throws {
    let active = scheduler.activeTries
    let tries = active.compactMap(recoverable)
    var relaunches: [TryKey] = []
    for executor in executors {
      let own = tries.filter { $0.task.executorID == executor.id }
      let found = try executor.recover(own, lastBootID: lastScheduler?.bootID)
      for activeTry in own {
        let key = activeTry.key
        switch found[key] {
        case .running?: break
        case .ended(let result)?: report(.ended(key, result))
        case .failed(let error)?: launchFailed(key, error)
        case .neverBegan?, nil:
          if activeTry.mustStop { finish(key, .stoppedBeforeStart(at: clock.now())) } else { relaunches.append(key) }
        }
      }
    }
    for activeTry in tries where !executors.contains(where: { $0.id == activeTry.task.executorID }) {
      // It ends there, with the reason.
      relaunches.append(activeTry.key)
    }
    removeOrphans(except: Set(active.map(\.key) + scheduler.deferredTries))
    if !active.isEmpty {
      logger.notice("took over from an earlier scheduler", metadata: ["tasks": "\(active.count)"])
    }
    // Before anything is committed that may stop them.
    for key in relaunches { launch(key) }
    handlePending()
  }

  private func recoverable(_ activeTry: Scheduler.ActiveTry) -> ActiveTry? {
    let key = activeTry.key
    guard let run = scheduler.run(key.run), let plan = scheduler.plan(ofRun: key.run),
      let position = plan.position(of: key.taskID)
    else { return nil }
    // The last scheduler may have stopped it for its timeout, and this one's timers have not fired yet.
    let mustStop = activeTry.state == .restarting || scheduler.hasTimedOut(key, at: clock.now())
    return ActiveTry(
      key, of: plan.description.tasks[position], dagID: run.dagID, runID: run.runID,
      logFolder: options.home.logFolder(dagID: run.dagID, runID: run.runID), mustStop: mustStop)
  }

  private func removeOrphans(except wanted: Set<TryKey>) {
    for executor in executors {
      do {
        try executor.removeOrphans(except: wanted)
      } catch {
        logger.error(
          "what nobody waits for could not be removed; dagrun job gc does",
          metadata: ["executor": "\(executor.id.rawValue)", "reason": "\(error)"])
      }
    }
  }
}
