internal import Dagrun
internal import Foundation
internal import Glibc
internal import Logging
internal import Model
internal import Processes
internal import Scheduling
internal import Workers

/// What became of the tries that were under way when the last scheduler ended.
extension Engine {
  /// Finds out what became of each try, and goes on with it: takes its result, watches its worker, or launches it.
  ///
  /// - Throws: when it cannot be found out.
  func recover() throws(SystemError) {
    let workers = try findWorkers()
    let active = scheduler.activeTries
    var wanted: Set<TryKey> = []
    var relaunches: [Scheduler.ActiveTry] = []
    for activeTry in active {
      let key = activeTry.key
      wanted.insert(key)
      if recoverJobs(activeTry, relaunch: { relaunches.append(activeTry) }) { continue }
      switch AdoptionDecision(key, workers, schedulerBoot: lastScheduler?.bootID, boot: bootID) {
      case .finished(let result, let folder): tryEnded(key, .reported(takingLog(key, folder, for: result)))
      case .adopt(let folder): watch(key, workers.first { $0.folder == folder }!, isStray: false)
      case .died(let folder): died(key, workers.first { $0.folder == folder }!.journal, folder)
      case .lost: finish(key, TaskResult(.lost(.machineWentDown)))
      case .launch:
        if activeTry.state == .restarting {
          tryEnded(key, .stoppedBeforeStart)
        } else {
          relaunches.append(activeTry)
        }
      }
    }
    removeStrayJobs(except: wanted.union(scheduler.deferredTries))
    for worker in workers where worker.isWithinTry {
      guard let last = worker.journal.last, !wanted.contains(last.key) else { continue }
      if worker.isAlive {
        watch(last.key, worker, isStray: true)
      } else if worker.journal.bootID == bootID {
        WorkerFolder.killSurvivors(worker.folder, worker.journal)
      }
    }
    if !active.isEmpty {
      logger.notice("took over from an earlier scheduler", metadata: ["tasks": "\(active.count)"])
    }
    // Before anything is committed that may stop them.
    for activeTry in relaunches { launch(activeTry.key) }
    // The journals are removed when it is committed what they say.
    handlePending()
    removeFolders(of: workers)
  }

  private func findWorkers() throws(SystemError) -> [FoundWorker] {
    let folder = options.home.workersPath
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw SystemError("list the folder \(folder)")
    }
    var found: [FoundWorker] = []
    for name in names.sorted() {
      if let worker = try FoundWorker(folder: folder + "/" + name, boot: bootID) { found.append(worker) }
    }
    return found
  }

  private func watch(_ key: TryKey, _ worker: FoundWorker, isStray: Bool) {
    guard let process = ProcessDescriptor(worker.journal.worker) else {
      // It has ended since it was looked at.
      if !isStray { adoptedWorkerEnded(folder: worker.folder, key) }
      return
    }
    adopted?.watch(.init(folder: worker.folder, key: key, process: process, isStray: isStray))
    if isStray || !scheduler.mayBegin(key) {
      process.signal(SIGTERM)
      process.signal(SIGCONT)
      killLater(key)
    }
  }

  func adoptedWorkerEnded(_ worker: AdoptedWorkers.Worker) {
    if worker.isStray {
      if let journal = WorkerJournal(folder: worker.folder), journal.last?.result == nil {
        WorkerFolder.killSurvivors(worker.folder, journal)
      }
      WorkerFolder.remove(worker.folder)
    } else {
      adoptedWorkerEnded(folder: worker.folder, worker.key)
      handlePending()
    }
  }

  private func adoptedWorkerEnded(folder: String, _ key: TryKey) {
    let journal = WorkerJournal(folder: folder)
    guard let last = journal?.last, last.key == key else { return finish(key, TaskResult(workerEnded: nil)) }
    if let result = last.result {
      tryEnded(key, .reported(takingLog(key, folder, for: result)))
      pool?.removeWhenCommitted(folder)
    } else if last.isAbandoned {
      pool?.removeWhenCommitted(folder)
      if scheduler.mayBegin(key) {
        launch(key)
      } else {
        tryEnded(key, .stoppedBeforeStart)
      }
    } else {
      died(key, journal!, folder)
      pool?.removeWhenCommitted(folder)
    }
  }

  /// A task of another account leaves its log to the scheduler.
  private func takingLog(_ key: TryKey, _ folder: String, for result: TaskResult) -> TaskResult {
    guard let path = logPath(of: key) else { return result }
    return result.adding(loss: WorkerFolder.takeLog(folder, logPath: path))
  }

  private func died(_ key: TryKey, _ journal: WorkerJournal, _ folder: String) {
    let logPath = logPath(of: key)
    var loss: String?
    if let logPath {
      loss = WorkerFolder.cleanUp(
        folder, journal: journal, logPath: logPath,
        note: "the task's process died while no scheduler was there to see how")
    }
    finish(key, TaskResult(workerEnded: nil, loss: loss))
  }

  /// Of workers that have ended, and whose results are committed.
  private func removeFolders(of workers: [FoundWorker]) {
    guard failedCommits == nil else { return }
    let alive = Set(workers.filter(\.isAlive).map(\.folder))
    let names = (try? FileManager.default.contentsOfDirectory(atPath: options.home.workersPath)) ?? []
    for name in names {
      let path = options.home.workersPath + "/" + name
      if !alive.contains(path), pool?.owns(path) != true { WorkerFolder.remove(path) }
    }
  }
}
