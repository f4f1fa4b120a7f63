import Dagrun
import Foundation
import Processes
import Synchronization

/// Finds, compiles, describes and caches DAG files. The only module that knows the Swift compiler.
///
///     source --hash--> key --compile--> KEY.so --describe--> KEY-….json
///
/// The cache is addressed by content: the key hashes the sources, the compiler, its flags and the authoring library, so
/// an entry never changes, and an unchanged file costs its reading. Failures are entries too. No user code runs in this
/// process.
package final class DagBag: Sendable {
  package struct Options: Sendable {
    package var dagsFolder: String
    package var cacheFolder: String
    /// The `dagrun` that describes files and runs their tasks.
    package var executable: String
    /// Describing a file takes at most so long.
    package var describeTimeoutSeconds = 30.0
    /// Where the compiler keeps what it makes of the system's headers; nil: in the cache folder.
    package var moduleCacheFolder: String?

    package init(dagsFolder: String, cacheFolder: String, executable: String) {
      self.dagsFolder = dagsFolder
      self.cacheFolder = cacheFolder
      self.executable = executable
    }
  }

  package let options: Options
  private let counts = Mutex(Counts())
  private let hasTidied = Atomic(false)
  /// What this object has read of the cache, by path: a large description is not read again while its file is the same.
  private let known = Mutex([String: FileOutcome]())

  /// What had to be done since the bag was made; an unchanged folder adds nothing.
  package struct Counts: Hashable, Sendable {
    package var compiled = 0
    package var described = 0

    package init(compiled: Int = 0, described: Int = 0) {
      self.compiled = compiled
      self.described = described
    }
  }

  package init(_ options: Options) {
    // The process that describes a file has another working directory.
    var options = options
    for path in [\Options.dagsFolder, \.cacheFolder, \.executable] {
      // As the user wrote it otherwise: links are not followed, so that messages name the path that the user knows.
      options[keyPath: path] =
        URL(filePath: options[keyPath: path]).standardized.path(percentEncoded: false).removingTrailingSlash
    }
    self.options = options
  }

  package var workDone: Counts { counts.withLock { $0 } }

  /// Reads every DAG file, compiling and describing those that have changed, on all cores.
  ///
  /// - Parameter pools: the names of the pools there are; nil: tasks may name any.
  /// - Throws: when the folder cannot be read, or there is no compiler; never because of what is in a file.
  package func load(pools: Set<String>? = nil) throws(DagBagError) -> LoadedDAGs {
    var contents = LoadedDAGs()
    if let bundle = try DAGBundle(besides: options.executable) {
      for file in bundle.files { contents.add(FileOutcome(file: file), pools: pools) }
      return contents
    }
    let found = try DAGSource.find(in: options.dagsFolder)
    let sources = found.sources
    contents.importErrors += found.errors
    contents.warnings += found.warnings
    if sources.isEmpty { return contents }
    let loader = try DAGFileLoader(options, known: known.withLock { $0 })
    if !hasTidied.exchange(true, ordering: .relaxed) { AtomicFile.removeLeftovers(in: options.cacheFolder) }
    let outcomes = Mutex([Int: Result<DAGFileLoader.Found, DagBagError>]())
    DispatchQueue.concurrentPerform(iterations: sources.count) { index in
      let outcome: Result<DAGFileLoader.Found, DagBagError>
      do throws(DagBagError) {
        outcome = .success(try loader.outcome(of: sources[index], counts: counts))
      } catch {
        outcome = .failure(error)
      }
      outcomes.withLock { $0[index] = outcome }
    }
    let results = outcomes.withLock { $0 }
    var read: [String: FileOutcome] = [:]
    for index in sources.indices {
      let found = try results[index]!.get()
      if let path = found.path { read[path] = found.outcome }
      contents.add(found.outcome, pools: pools)
    }
    known.withLock { $0 = read }
    return contents
  }

  /// A version that was compiled before, for runs that were planned with it; nil when the cache does not have it, or it
  /// was compiled for another build of dagrun, which cannot load it.
  package func file(version: String) throws(DagBagError) -> DAGFile? {
    if let bundle = try DAGBundle(besides: options.executable) { return bundle.files.first { $0.version == version } }
    return try DAGFileLoader(options, known: [:]).stored(version: version)
  }

  /// The DAG files were compiled beforehand and lie beside the executable: there need be no DAGs folder.
  package var isBundled: Bool { get throws(DagBagError) { try DAGBundle(besides: options.executable) != nil } }

  /// Makes a folder with which a machine without the Swift toolchain can run: this executable, the compiled files with
  /// their descriptions, and the Swift runtime.
  ///
  /// - Returns: what is in it. Nothing is made when a file has an import error.
  package func build(into folder: String) throws(DagBagError) -> LoadedDAGs {
    let contents = try load()
    guard contents.importErrors.isEmpty else { return contents }
    let runtime = try Toolchain.find(cacheFolder: options.cacheFolder)
    try DAGBundle.make(
      folder, of: contents.files, dagsFolder: options.dagsFolder, executable: options.executable, toolchain: runtime)
    return contents
  }
}

/// What the cache knows of one version of a file.
struct FileOutcome: Codable, Sendable {
  var file: DAGFile?
  var errors: [ImportError] = []
  var warnings: [ImportError] = []
}

extension LoadedDAGs {
  /// Adds a file's outcome, and what only the whole folder can show to be wrong.
  mutating func add(_ outcome: FileOutcome, pools: Set<String>?) {
    importErrors += outcome.errors
    warnings += outcome.warnings
    guard let file = outcome.file else { return }
    var problems: [ImportError] = []
    for dag in file.dags {
      func problem(_ message: String, _ location: SourceLocation) {
        problems.append(ImportError(path: location.file, line: location.line, message: message, stage: .describe))
      }
      if let other = files.first(where: { $0.dags.contains { $0.id == dag.id } }) {
        problem("there is a DAG \"\(dag.id)\" in \(other.path) already", dag.location)
      }
      guard let pools else { continue }
      for task in dag.tasks where !pools.contains(task.pool) {
        let hint = Identifier.closest(to: task.pool, in: pools.sorted()).map { "did you mean \"\($0)\"?" }
        problem(
          "task \"\(task.id)\": there is no pool \"\(task.pool)\"; \(hint ?? "make it with: dagrun pools set \(task.pool) SLOTS DESCRIPTION")",
          task.location)
      }
    }
    if problems.isEmpty { files.append(file) } else { importErrors += problems }
  }
}
