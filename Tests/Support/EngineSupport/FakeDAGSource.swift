package import DagBag
package import Dagrun
package import Engine
package import Processes

/// DAGs that no compiler has seen.
package final class FakeDAGSource: DAGSource {
  package var contents = LoadedDAGs() { didSet { isCurrent = false } }
  /// Of the engine that runs now.
  package var clock: (any EngineClock)?
  package private(set) var isCurrent = false
  package var changed: () -> Void = {}
  /// How long reading takes, in seconds.
  package var loadSeconds = 0.0

  package init(_ dags: [DAGDescription] = []) { contents.files = dags.map { Self.file($0, version: "1") } }

  package static func file(_ dag: DAGDescription, version: String) -> DAGFile {
    DAGFile(
      path: "/dags/\(dag.id).swift", version: version, libraryPath: "/cache/\(version).so", entry: "entry",
      dags: [dag])
  }

  package func load(pools: Set<String>, _ done: @escaping (Result<LoadedDAGs, DagBagError>) -> Void) {
    isCurrent = true
    let contents = contents
    clock?.after(loadSeconds) { done(.success(contents)) }
  }

  package func forget() { isCurrent = false }
  package func watch(_ changed: @escaping () -> Void) throws(SystemError) { self.changed = changed }
  package func stop() { changed = {} }
}
