package import DagBag
internal import Dispatch
package import Processes

/// Where an engine has its DAGs from. Confined to the engine's queue.
package protocol DAGSource: AnyObject {
  /// Reads all there are, and calls back on the queue, never from within this call.
  ///
  /// - Parameter pools: the names that tasks may give as theirs.
  func load(pools: Set<String>, _ done: @escaping (Result<LoadedDAGs, DagBagError>) -> Void)
  /// What is there now is what was last read, or is being read.
  var isCurrent: Bool { get }
  /// What was read last counts for nothing.
  func forget()
  /// Calls back on the queue when something changes.
  func watch(_ changed: @escaping () -> Void) throws(SystemError)
  func stop()
}

/// The folder of DAG files. Compiling happens off the queue: tasks continue meanwhile.
final class FolderDAGSource: DAGSource {
  private let bag: DagBag
  private let folder: String
  private let queue: DispatchQueue
  private var stamp: FolderStamp?
  private var watcher: FolderWatcher?

  init(_ bag: DagBag, folder: String, queue: DispatchQueue) {
    (self.bag, self.folder, self.queue) = (bag, folder, queue)
  }

  func load(pools: Set<String>, _ done: @escaping (Result<LoadedDAGs, DagBagError>) -> Void) {
    stamp = FolderStamp(folder)
    let done = UncheckedSendableBox(done)
    DispatchQueue.global().async { [queue, bag] in
      let loaded = Result { () throws(DagBagError) in try bag.load(pools: pools) }
      queue.async { done.body(loaded) }
    }
  }

  var isCurrent: Bool { stamp != nil && stamp == FolderStamp(folder) }

  func forget() { stamp = nil }

  func watch(_ changed: @escaping () -> Void) throws(SystemError) {
    watcher = try FolderWatcher(folder, queue: queue, changed: changed)
  }

  func stop() { watcher = nil }
}
