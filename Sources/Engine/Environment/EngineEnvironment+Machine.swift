internal import Control
internal import DagBag
internal import Dispatch
internal import Executors
internal import Logging
internal import Model
internal import Scheduling
internal import Storage

extension EngineEnvironment {
  /// The home's database, the machine's clock, the folder of DAG files, workers and jobs.
  ///
  /// - Throws: `ControlError`: `unavailable` when the database cannot be opened.
  static func machine(_ options: Engine.Options, queue: DispatchQueue, logger: Logger) throws -> EngineEnvironment {
    let store: Store
    do {
      store = try Store(path: options.home.databasePath)
    } catch {
      throw ControlError(.unavailable, error.description)
    }
    var files = DagBag.Options(
      dagsFolder: options.dagsFolder, cacheFolder: options.cacheFolder ?? options.home.cachePath,
      executable: options.executable)
    files.moduleCacheFolder = options.moduleCacheFolder
    return EngineEnvironment(
      store: store, limits: options.limits, clock: WallClock(queue: queue),
      dagSource: FolderDAGSource(DagBag(files), folder: options.dagsFolder, queue: queue)
    ) { host in
      let computeEngine = ComputeEngineExecutor(
        .init(access: options.jobAccess, retention: options.jobRetention), home: options.home, store: store,
        host: host, logger: logger)
      // Without a scheduler, jobs are only looked for.
      guard options.mode != .offline else { return [computeEngine] }
      let local = try LocalExecutor(
        .init(
          program: options.workerProgram, workersFolder: options.home.workersPath,
          workingDirectory: options.dagsFolder, graceSeconds: options.graceSeconds),
        host: host, logger: logger)
      return [local, computeEngine]
    }
  }
}

extension Engine.Options {
  fileprivate var limits: Limits {
    switch mode {
    case .scheduler: Limits(parallelism: parallelism)
    case .command: Limits(parallelism: parallelism, makesScheduledRuns: false)
    case .offline: Limits.offline
    }
  }
}
