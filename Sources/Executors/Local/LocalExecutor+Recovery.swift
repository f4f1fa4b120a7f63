internal import Foundation
internal import Glibc
package import Model
internal import Processes
internal import Workers

/// What became of the tries of the last engine's workers.
extension LocalExecutor {
  package func recover(_ tries: [ActiveTry], lastBootID: String?) throws -> [TryKey: Recovery] {
    let workers = try findWorkers()
    var found: [TryKey: Recovery] = [:]
    for activeTry in tries {
      let key = activeTry.key
      found[key] =
        switch AdoptionDecision(key, workers, schedulerBoot: lastBootID, boot: bootID) {
        case .finished(let result, let folder):
          // A task of another account leaves its log to the scheduler.
          .ended(result.adding(loss: WorkerFolder.takeLog(folder, logPath: activeTry.logPath)))
        case .adopt(let folder): watch(activeTry, workers.first { $0.folder == folder }!)
        case .died(let folder):
          .ended(diedResult(activeTry.logPath, workers.first { $0.folder == folder }!.journal, folder))
        case .lost: .ended(TaskResult(.lost(.machineWentDown)))
        case .launch: .neverBegan
        }
    }
    endOrphans(workers, except: found)
    // When it is committed what they say.
    let alive = Set(workers.filter(\.isAlive).map(\.folder))
    for folder in try folders() where !alive.contains(folder) && !pool.owns(folder) {
      pool.removeWhenCommitted(folder)
    }
    return found
  }

  private func findWorkers() throws(SystemError) -> [WorkerOnDisk] {
    var found: [WorkerOnDisk] = []
    for folder in try folders() {
      if let worker = try WorkerOnDisk(folder: folder, boot: bootID) { found.append(worker) }
    }
    return found
  }

  private func folders() throws(SystemError) -> [String] {
    do {
      let names = try FileManager.default.contentsOfDirectory(atPath: options.workersFolder)
      return names.sorted().map { options.workersFolder + "/" + $0 }
    } catch {
      throw SystemError("list the folder \(options.workersFolder)")
    }
  }

  private func watch(_ activeTry: ActiveTry, _ worker: WorkerOnDisk) -> Recovery {
    guard let process = ProcessDescriptor(worker.journal.worker) else {
      // It has ended since it was looked at.
      pool.removeWhenCommitted(worker.folder)
      switch end(of: activeTry.key, logPath: activeTry.logPath, folder: worker.folder) {
      case .neverBegan: return .neverBegan
      case .ended(_, let result): return .ended(result)
      case .began, .orphansRemoved: return .running
      }
    }
    adopted.watch(.init(folder: worker.folder, key: activeTry.key, process: process, logPath: activeTry.logPath))
    if activeTry.mustStop { _ = stop(activeTry.key) }
    return .running
  }

  /// Tries that the database does not know as active: their results interest nobody.
  private func endOrphans(_ workers: [WorkerOnDisk], except wanted: [TryKey: Recovery]) {
    for worker in workers where worker.isWithinTry {
      guard let last = worker.journal.last, wanted[last.key] == nil else { continue }
      if worker.isAlive, let process = ProcessDescriptor(worker.journal.worker) {
        adopted.watch(.init(folder: worker.folder, key: last.key, process: process, logPath: nil))
        _ = stop(last.key)
      } else if worker.journal.bootID == bootID {
        WorkerFolder.killSurvivors(worker.folder, worker.journal)
      }
    }
  }

  func adoptedWorkerEnded(_ worker: AdoptedWorkers.Worker) {
    if let logPath = worker.logPath {
      host.report(end(of: worker.key, logPath: logPath, folder: worker.folder))
      pool.removeWhenCommitted(worker.folder)
      host.handleEvents()
    } else {
      if let journal = WorkerJournal(folder: worker.folder), journal.last?.result == nil {
        WorkerFolder.killSurvivors(worker.folder, journal)
      }
      WorkerFolder.remove(worker.folder)
    }
  }

  private func end(of key: TryKey, logPath: String, folder: String) -> ExecutorEvent {
    let journal = WorkerJournal(folder: folder)
    guard let journal, let last = journal.last, last.key == key else {
      return .ended(key, TaskResult(workerEnded: nil))
    }
    if let result = last.result {
      return .ended(key, result.adding(loss: WorkerFolder.takeLog(folder, logPath: logPath)))
    }
    if last.isAbandoned { return .neverBegan(key) }
    return .ended(key, diedResult(logPath, journal, folder))
  }

  private func diedResult(_ logPath: String, _ journal: WorkerJournal, _ folder: String) -> TaskResult {
    let loss = WorkerFolder.cleanUp(
      folder, journal: journal, logPath: logPath,
      note: "the task's process died while no scheduler was there to see how")
    return TaskResult(workerEnded: nil, loss: loss)
  }
}
