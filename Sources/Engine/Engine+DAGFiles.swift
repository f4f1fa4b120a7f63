internal import DagBag
internal import Dagrun
internal import Dispatch
internal import Foundation
internal import Glibc
internal import Logging
internal import Processes
internal import Scheduling
internal import Storage

/// What the engine knows of the DAG files.
struct DAGFiles {
  var importErrors: [ImportError] = []
  /// Versions that the database has.
  var savedVersions: Set<VersionKey> = []
  /// What the folder looked like when it was last read.
  var stamp: FolderStamp?
  var isLoading = false
  /// Since the engine was started.
  var hasLoaded = false
  /// To be called when the folder has been read, by the reading that is under way, or by the next one.
  var waitersForThis: [() -> Void] = []
  var waitersForNext: [() -> Void] = []
  /// Why the folder as a whole could not be read.
  var problem: DagBagError?

  struct VersionKey: Hashable {
    var dagID: String
    var version: String
  }
}

extension Engine {
  func watchDAGFiles() {
    do throws(SystemError) {
      watcher = try FolderWatcher(options.dagsFolder, queue: queue) { [weak self] in self?.reloadDAGFiles {} }
    } catch {
      logger.warning(
        "changes of DAG files are noticed only when a command asks for them", metadata: ["reason": "\(error)"])
    }
  }

  /// Calls back when what is in the folder now has been read; at once when that was read already.
  func withCurrentDAGFiles(_ body: @escaping () -> Void) {
    guard let stamp = dagFiles.stamp, stamp == FolderStamp(options.dagsFolder) else { return reloadDAGFiles(body) }
    if dagFiles.isLoading { dagFiles.waitersForThis.append(body) } else { body() }
  }

  /// Compiling happens off the queue: tasks go on meanwhile.
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
    dagFiles.stamp = FolderStamp(options.dagsFolder)
    let (bag, pools) = (bag, poolNames)
    let finish = Unchecked { [weak self] (loaded: Result<BagContents, DagBagError>) in
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
    DispatchQueue.global().async { [queue] in
      let loaded = load(bag, pools: pools)
      queue.async { finish.body(loaded) }
    }
  }

  private func take(_ loaded: Result<BagContents, DagBagError>) {
    let contents: BagContents
    switch loaded {
    case .success(let read): contents = read
    case .failure(let error):
      dagFiles.problem = error
      // A command's request is refused with the same words.
      logger.log(
        level: options.mode == .scheduler ? .error : .info, "the DAG files cannot be read",
        metadata: ["reason": "\(error)"])
      return
    }
    dagFiles.problem = nil
    for error in contents.importErrors where !dagFiles.importErrors.contains(error) {
      logger.warning("a DAG file cannot be used", metadata: ["reason": "\(error)"])
    }
    dagFiles.importErrors = contents.importErrors
    do throws(StoreError) {
      try save(contents)
    } catch {
      logger.error("the DAG files cannot be stored", metadata: ["reason": "\(error)"])
      dagFiles.stamp = nil
      return
    }
    var plans: [DAGPlan] = []
    for file in contents.files {
      for dag in file.dags {
        let known = scheduler.plan(ofDAG: dag.id)
        plans.append(known?.version == file.version ? known! : DAGPlan(dag, version: file.version))
      }
    }
    pending.append(PendingEvent(.dagsLoaded(plans)))
  }

  private func save(_ contents: BagContents) throws(StoreError) {
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
  func importError(_ dagID: String) -> ControlRefusal? {
    if let problem = dagFiles.problem {
      return ControlRefusal(.unavailable, "DAG \"\(dagID)\" cannot run: no DAG file can be used\n\(problem)")
    }
    let source = scheduler.dagRecord(dagID)?.version.flatMap { try? store.version($0, dagID: dagID)?.sourcePath }
    let error = dagFiles.importErrors.first { error in
      error.path == source || mentions(dagID, error.path)
    }
    return error.map { error in
      let details = error.details.map { "\n\($0)" } ?? ""
      return ControlRefusal(.importError, "DAG \"\(dagID)\" cannot run: its file is broken\n\(error)\(details)")
    }
  }

  /// A file that does not compile cannot say which DAGs it has.
  private func mentions(_ dagID: String, _ path: String) -> Bool {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return false }
    return text.contains("\"\(dagID)\"")
  }
}

private func load(_ bag: DagBag, pools: Set<String>) -> Result<BagContents, DagBagError> {
  Result { () throws(DagBagError) in try bag.load(pools: pools) }
}

/// Carries a closure that is confined to the engine's queue to another thread and back.
struct Unchecked<Body>: @unchecked Sendable {
  let body: Body

  init(_ body: Body) { self.body = body }
}

/// Names, sizes and times of all files of a folder: equal, if none was changed.
struct FolderStamp: Equatable {
  private var entries: [Entry] = []

  private struct Entry: Equatable {
    var path: String
    var inode: UInt
    var size: Int
    var seconds: Int
    var nanoseconds: Int
  }

  /// nil when there is no such folder.
  init?(_ folder: String) {
    guard add(folder) else { return nil }
  }

  private mutating func add(_ folder: String) -> Bool {
    guard let directory = opendir(folder) else { return false }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      // Hidden folders are other programs' own, such as .build.
      if !name.hasPrefix(".") { names.append(name) }
    }
    for name in names.sorted() {
      let path = folder + "/" + name
      var status = stat()
      guard stat(path, &status) == 0 else { continue }
      entries.append(
        Entry(
          path: path, inode: UInt(status.st_ino), size: Int(status.st_size), seconds: status.st_mtim.tv_sec,
          nanoseconds: status.st_mtim.tv_nsec))
      if status.st_mode & S_IFMT == S_IFDIR { _ = add(path) }
    }
    return true
  }
}
