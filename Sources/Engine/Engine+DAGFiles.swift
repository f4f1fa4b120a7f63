internal import Basics
internal import Control
internal import DagBag
internal import Dagrun
internal import Dispatch
internal import Foundation
internal import Glibc
internal import Logging
internal import Model
internal import Processes
internal import Scheduling
internal import Storage

/// What the engine knows of the DAG files.
struct DAGFiles {
  var importErrors: [ImportError] = []
  /// Versions that the database has.
  var savedVersions: Set<VersionKey> = []
  var isLoading = false
  /// Since the engine was started.
  var hasLoaded = false
  /// To be called when the folder has been read, by the reading that is under way, or by the next one.
  var waitersForThis: [() -> Void] = []
  var waitersForNext: [() -> Void] = []
  /// Why what is in the folder now is not what the scheduler knows: it could not be read, or not be stored.
  var problem: String?
  /// How often in a row.
  var failures = 0
  var isRetryDue = false

  struct VersionKey: Hashable {
    var dagID: String
    var version: String
  }
}

extension Engine {
  func watchDAGFiles() {
    do throws(SystemError) {
      try dagSource.watch { [weak self] in self?.reloadDAGFiles {} }
    } catch {
      logger.warning(
        "changes of DAG files are noticed only when a command asks for them", metadata: ["reason": "\(error)"])
    }
  }

  /// Calls back when what is in the folder now has been read; at once when that was read already.
  func withCurrentDAGFiles(_ body: @escaping () -> Void) {
    guard dagSource.isCurrent else { return reloadDAGFiles(body) }
    if dagFiles.isLoading { dagFiles.waitersForThis.append(body) } else { body() }
  }

  func reloadDAGFiles(_ done: @escaping () -> Void) {
    dispatchPrecondition(condition: .onQueue(queue))
    // What is being read may be older than what was asked for.
    dagFiles.waitersForNext.append(done)
    if !dagFiles.isLoading { startLoading() }
  }

  private func startLoading() {
    dagFiles.isLoading = true
    dagFiles.waitersForThis = dagFiles.waitersForNext
    dagFiles.waitersForNext = []
    dagSource.load(pools: poolNames) { [weak self] loaded in
      guard let self, !isStopped else { return }
      dagFiles.isLoading = false
      take(loaded)
      if !dagFiles.hasLoaded {
        // Now the scheduler looks around: a run that is due is on what the files say today.
        dagFiles.hasLoaded = true
        pending.append(PendingEvent(.wake))
      }
      let waiters = dagFiles.waitersForThis
      dagFiles.waitersForThis = []
      if !dagFiles.waitersForNext.isEmpty { startLoading() }
      handlePending()
      for waiter in waiters { waiter() }
      tellIfIdle()
      // A scheduler is there for long, and reads files seldom.
      if options.mode == .scheduler { giveBackMemory() }
    }
  }

  private func take(_ loaded: Result<LoadedDAGs, DagBagError>) {
    let contents: LoadedDAGs
    switch loaded {
    case .success(let read): contents = read
    case .failure(let error):
      guard failed("no DAG file can be used\n\(error)") else { return }
      // A command's request is refused with the same words.
      logger.log(
        level: options.mode == .scheduler ? .error : .info, "the DAG files cannot be read",
        metadata: ["reason": "\(error)"])
      return
    }
    for error in contents.importErrors where !dagFiles.importErrors.contains(error) {
      logger.warning("a DAG file cannot be used", metadata: ["reason": "\(error)"])
    }
    dagFiles.importErrors = contents.importErrors
    do throws(StoreError) {
      try save(contents)
    } catch {
      failed("what the DAG files say now cannot be stored\n\(error)")
      logger.error("the DAG files cannot be stored", metadata: ["reason": "\(error)"])
      return
    }
    dagFiles.problem = nil
    dagFiles.failures = 0
    var plans: [DAGPlan] = []
    for file in contents.files {
      for dag in file.dags {
        let known = scheduler.plan(ofDAG: dag.id)
        plans.append(known?.version == file.version ? known! : DAGPlan(dag, version: file.version))
      }
    }
    pending.append(PendingEvent(.dagsLoaded(plans)))
  }

  /// The machine is to blame, so it is tried again: by the next request, and by the clock.
  ///
  /// - Returns: whether that is news.
  @discardableResult
  private func failed(_ problem: String) -> Bool {
    defer { retryLoading() }
    guard problem != dagFiles.problem else { return false }
    dagFiles.problem = problem
    return true
  }

  private func retryLoading() {
    dagSource.forget()
    dagFiles.failures += 1
    guard options.mode == .scheduler, !dagFiles.isRetryDue else { return }
    dagFiles.isRetryDue = true
    let delay = Backoff(firstSeconds: 2, longestSeconds: 60).seconds(doublings: dagFiles.failures - 1)
    clock.after(delay) { [weak self] in
      guard let self, !isStopped else { return }
      dagFiles.isRetryDue = false
      guard dagFiles.problem != nil, !dagFiles.isLoading else { return }
      reloadDAGFiles {}
    }
  }

  /// A run is on what the file says now, or there is none: never on the version before, as if nothing had happened.
  func refusalOfUnreadFiles(_ request: ControlRequest) -> ControlError? {
    guard let problem = dagFiles.problem else { return nil }
    switch request {
    case .trigger(let dagID, _, _, _): return ControlError(.unavailable, "DAG \"\(dagID)\" cannot run: \(problem)")
    case .backfill, .clear(_, onNewestVersion: true): return ControlError(.unavailable, "nothing can run: \(problem)")
    default: return nil
    }
  }

  private func save(_ contents: LoadedDAGs) throws(StoreError) {
    var versions: [StoredVersion] = []
    var keys: [DAGFiles.VersionKey] = []
    for file in contents.files {
      for dag in file.dags {
        let key = DAGFiles.VersionKey(dagID: dag.id, version: file.version)
        guard !dagFiles.savedVersions.contains(key) else { continue }
        // A description was read from JSON, so it can be written as JSON.
        let description = try! JSONEncoder().encode(dag)
        versions.append(
          StoredVersion(
            version: file.version, dagID: dag.id, description: String(decoding: description, as: UTF8.self),
            libraryPath: file.libraryPath, entryName: file.entry, sourcePath: file.path))
        keys.append(key)
      }
    }
    try store.saveVersions(versions)
    dagFiles.savedVersions.formUnion(keys)
  }

  private var poolNames: Set<String> { Set(scheduler.poolUsage.map(\.pool.name)) }

  /// Why a DAG that somebody names is not there, when its file is broken, or when no file can be read at all.
  func importError(_ dagID: String) -> ControlError? {
    if let problem = dagFiles.problem {
      return ControlError(.unavailable, "DAG \"\(dagID)\" cannot run: \(problem)")
    }
    do throws(StoreError) {
      // The scheduler forgets the version of a DAG whose file is broken; its runs do not.
      var known = scheduler.dagRecord(dagID)?.version
      if known == nil { known = try store.latestRun(dagID: dagID)?.version }
      var source: String?
      if let known { source = try store.version(known, dagID: dagID)?.sourcePath }
      let error = dagFiles.importErrors.first { $0.path == source || $0.mentions(dagID) }
      return error.map { error in
        let details = error.details.map { "\n\($0)" } ?? ""
        return ControlError(.importError, "DAG \"\(dagID)\" cannot run: its file is broken\n\(error)\(details)")
      }
    } catch {
      return ControlError(.unavailable, "\(error)")
    }
  }
}
