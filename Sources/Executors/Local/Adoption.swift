internal import Model
internal import Processes
internal import Workers

/// What a restarted scheduler does about a try that was under way when the last one ended.
enum AdoptionDecision: Hashable {
  /// It has ended; this is how.
  case finished(TaskResult, folder: String)
  /// Its worker is still at it. `folder` is the worker's.
  case adopt(folder: String)
  /// It began, and its worker has died. What is left of it has to be killed.
  case died(folder: String)
  /// It never began.
  case launch
  /// The machine went down meanwhile, so that nobody can say whether it began.
  case lost
}

/// A worker's folder, read after the last scheduler was gone.
struct WorkerOnDisk: Hashable {
  var folder: String
  var journal: WorkerJournal
  /// The very process that wrote the journal still runs.
  var isAlive: Bool
}

extension WorkerOnDisk {
  /// nil when there is no journal: it was killed before it had begun one, and has done nothing.
  ///
  /// - Throws: when the journal cannot be read: nobody knows then what has begun.
  init?(folder: String, boot: String) throws(SystemError) {
    try self.init(folder: folder) { () throws(SystemError) in
      try WorkerJournal.read(in: folder)
    } isAlive: {
      $0.bootID == boot && $0.worker.isAlive
    }
  }

  /// Of a worker that is dead, the journal is read after its death: it may have ended its try, and itself, a moment
  /// after the journal was read first.
  init?(
    folder: String, read: () throws(SystemError) -> WorkerJournal?, isAlive: (WorkerJournal) -> Bool
  ) throws(SystemError) {
    guard let first = try read() else { return nil }
    if isAlive(first) {
      self.init(folder: folder, journal: first, isAlive: true)
    } else {
      self.init(folder: folder, journal: try read() ?? first, isAlive: false)
    }
  }

  /// It was at a try, and has not ended it.
  var isWithinTry: Bool { journal.last.map { $0.result == nil && !$0.isAbandoned } ?? false }
}

extension AdoptionDecision {
  /// Decides about one try that the database has as active.
  ///
  /// The journals were read after the process of the last scheduler had ended. From then on no worker begins a try: it
  /// writes `started` first and looks for its scheduler second. So a try without an entry has not begun, and never will
  /// by itself.
  ///
  /// - Parameters:
  ///   - schedulerBoot: boot id of the machine when the last scheduler took its lock; nil when unknown.
  ///   - boot: the boot id now.
  init(_ key: TryKey, _ workers: [WorkerOnDisk], schedulerBoot: String?, boot: String) {
    self = Self.decide(key, workers, schedulerBoot, boot)
  }

  private static func decide(
    _ key: TryKey, _ workers: [WorkerOnDisk], _ schedulerBoot: String?, _ boot: String
  ) -> AdoptionDecision {
    let entries = workers.filter { $0.journal.last?.key == key }
    // An entry that was abandoned says only that this worker did not run it; another one may have.
    for worker in entries {
      if let result = worker.journal.last?.result { return .finished(result, folder: worker.folder) }
    }
    for worker in entries where worker.journal.last?.isAbandoned == false {
      if worker.journal.bootID != boot { return .lost }
      return worker.isAlive ? .adopt(folder: worker.folder) : .died(folder: worker.folder)
    }
    // A journal is not synced: what the machine took with it is not known to be missing.
    if let schedulerBoot, schedulerBoot != boot { return .lost }
    return .launch
  }
}
