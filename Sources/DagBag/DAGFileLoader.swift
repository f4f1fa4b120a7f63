import Basics
import Dagrun
import Foundation
import Processes
import Synchronization

/// Everything that one pass over the DAG files needs, found once.
struct DAGFileLoader: Sendable {
  private let compiler: Compiler
  private let describer: Describer
  private let folder: String

  /// Path in the cache -> what it holds, as far as that was read before.
  private let known: [String: FileOutcome]

  /// What is known of a file, and where the cache keeps it; no path when it is not kept.
  typealias Found = (outcome: FileOutcome, path: String?)

  init(_ options: DagBag.Options, known: [String: FileOutcome]) throws(DagBagError) {
    self.known = known
    folder = options.cacheFolder
    try CacheFolder.prepare(folder)
    let shared = try Self.sharedModuleCache()
    compiler = Compiler(
      toolchain: try Toolchain.find(cacheFolder: folder),
      library: try AuthoringLibrary.find(executable: options.executable, cacheFolder: folder), cacheFolder: folder,
      moduleCacheFolder: options.moduleCacheFolder ?? shared ?? Self.moduleCacheFolder(in: folder))
    describer = Describer(
      executable: options.executable, folder: options.dagsFolder, timeoutSeconds: options.describeTimeoutSeconds)
  }

  /// `DAGRUN_MODULE_CACHE`: where homes that come and go share what the compiler makes of the system's headers, which
  /// takes it seconds.
  private static func sharedModuleCache() throws(DagBagError) -> String? {
    guard let path = ProcessInfo.processInfo.environment["DAGRUN_MODULE_CACHE"], !path.isEmpty else { return nil }
    guard path.hasPrefix("/") else {
      throw DagBagError("DAGRUN_MODULE_CACHE is \"\(path)\", and must be an absolute path")
    }
    try CacheFolder.prepare(path)
    return path
  }

  /// The compiler refuses what it has put there when the folder has got another path since, as in a home that was
  /// moved.
  private static func moduleCacheFolder(in folder: String) -> String {
    let path = realPath(folder) ?? folder
    return path + "/modules/" + SHA256.hex(of: Data(path.utf8)).prefix(16)
  }

  func outcome(of source: DAGSource, counts: borrowing Mutex<DagBag.Counts>) throws(DagBagError) -> Found {
    // The contents that are hashed are the contents that are compiled: a file which changes in between is compiled
    // again the next time, because its key is another one then.
    let build: String
    do throws(ImportError) {
      build = try self.build(of: source)
    } catch {
      return (FileOutcome(errors: [error]), nil)
    }
    let refused = path(build, "refused.json")
    let described = path(version(of: build), "described-\(describeKey).json")
    let library = path(build, "so")
    if let known = read(described), known.file.map({ access($0.libraryPath, R_OK) == 0 }) ?? true {
      return (known, described)
    }
    if let known = read(refused) { return (known, refused) }

    let entry = Self.entry(build)
    let isFresh = access(library, R_OK) != 0
    if isFresh {
      counts.withLock { $0.compiled += 1 }
      do {
        switch source.kind {
        case .module: try compiler.compile(source, entry: entry, to: library)
        case .package: try compiler.compilePackage(source, entry: entry, to: library)
        }
      } catch {
        switch error {
        case .machine(let error): throw error
        case .importError(let error):
          let outcome = FileOutcome(errors: [error])
          // The file was edited while the compiler read it: what it said belongs to neither version.
          if isStill(build, source) { keep(outcome, at: refused) }
          return (outcome, nil)
        }
      }
      if !isStill(build, source) {
        unlink(library)
        return try outcome(of: source, counts: counts)
      }
    }
    counts.withLock { $0.described += 1 }
    let answer = try describer.describe(source, library: library, entry: entry)
    if case .notLoaded(let error) = answer {
      // Not kept: the next time it may load.
      guard !isFresh else { return (FileOutcome(errors: [error]), nil) }
      unlink(library)
      return try self.outcome(of: source, counts: counts)
    }
    let version = try noteFilesRead(answer.filesRead, by: build)
    keep(Origin(source: source, builder: compiler.identity, entry: entry), at: path(version, "origin.json"))
    let outcome = Self.outcome(of: answer, source, version: version, library: path(version, "so"), entry: entry)
    let kept = path(version, "described-\(describeKey).json")
    return (outcome, keep(outcome, at: kept) ? kept : nil)
  }

  // A file may read others when it is described: scripts of jobs. The compiled file, the *build*, is named by what it
  // was compiled from; its *version* by what it read besides.

  /// The version of a build if the files that it read the last time are as they are now.
  private func version(of build: String) -> String {
    guard let bytes = readWholeFile(path(build, "reads.json")),
      let paths = try? JSONDecoder().decode([String].self, from: Data(bytes))
    else { return build }
    return Self.version(of: build, paths.map { ($0, (try? readRegularFile($0)).map { Data($0) }) })
  }

  private static func version(of build: String, _ files: [(path: String, contents: Data?)]) -> String {
    guard !files.isEmpty else { return build }
    var hash = ContentHash()
    hash.add("build", build)
    for (path, contents) in files { hash.add(path, contents ?? Data("missing".utf8)) }
    return hash.hex
  }

  /// - Returns: the version, whose library is there now.
  private func noteFilesRead(
    _ files: [FileDescription.ReadFile], by build: String
  ) throws(DagBagError) -> String {
    let contents = Dictionary(files.map { ($0.path, $0.contents) }) { $1 }.sorted { $0.key < $1.key }
    let reads = path(build, "reads.json")
    if !contents.isEmpty || access(reads, F_OK) == 0 { try write(contents.map(\.key), to: reads) }
    let version = Self.version(of: build, contents.map { ($0.key, $0.value) })
    if version != build, link(path(build, "so"), path(version, "so")) != 0, errno != EEXIST {
      throw DagBagError("cannot make \(path(version, "so")): \(String(cString: strerror(errno)))")
    }
    return version
  }

  /// What a compiled file was made of and for: enough to describe it again when the source is another by now.
  private struct Origin: Codable {
    var source: DAGSource
    var builder: String
    var entry: String
  }

  /// Of a version whose files have changed since, another build of dagrun can say only what they are now.
  func stored(version: String) throws(DagBagError) -> DAGFile? {
    let library = path(version, "so")
    guard access(library, R_OK) == 0 else { return nil }
    let described = path(version, "described-\(describeKey).json")
    if let known = read(described) { return known.file }
    // Another build of dagrun has described it. This one can load it if it was compiled for the same library.
    guard let bytes = readWholeFile(path(version, "origin.json")),
      let origin = try? JSONDecoder().decode(Origin.self, from: Data(bytes)), origin.builder == compiler.identity
    else { return nil }
    let answer = try describer.describe(origin.source, library: library, entry: origin.entry)
    let outcome = Self.outcome(of: answer, origin.source, version: version, library: library, entry: origin.entry)
    keep(outcome, at: described)
    return outcome.file
  }

  private static func outcome(
    of answer: Describer.DescribeOutcome, _ source: DAGSource, version: String, library: String, entry: String
  ) -> FileOutcome {
    switch answer {
    case .failed(let error), .notLoaded(let error): return FileOutcome(errors: [error])
    case .described(let description, let printed):
      var outcome = FileOutcome()
      if let line = printed.split(whereSeparator: \.isNewline).first {
        outcome.warnings.append(
          ImportError(
            path: source.path, line: nil,
            message: "the file's top-level code printed while it was described: \(line.prefix(200))", stage: .describe,
            details: printed))
      }
      for problem in description.problems {
        let path = problem.location.file.isEmpty ? source.path : problem.location.file
        outcome.errors.append(
          ImportError(path: path, line: problem.location.line, message: problem.message, stage: .describe))
      }
      outcome.errors.sort { ($0.path, $0.line ?? 0) < ($1.path, $1.line ?? 0) }
      if description.dags.isEmpty && outcome.errors.isEmpty {
        outcome.errors.append(
          ImportError(
            path: source.path, line: nil,
            message:
              "the file describes no DAG; write DAG(\"id\") { … }, or move it into the folder of the module it belongs to",
            stage: .describe))
      }
      if outcome.errors.isEmpty {
        outcome.file = DAGFile(
          path: source.path, version: version, libraryPath: library, entry: entry, dags: description.dags)
      }
      return outcome
    }
  }

  private func isStill(_ build: String, _ source: DAGSource) -> Bool { (try? self.build(of: source)) == build }

  private func build(of source: DAGSource) throws(ImportError) -> String {
    var hash = ContentHash()
    compiler.addKey(to: &hash)
    hash.add("path", source.path)
    for file in source.files {
      let bytes: [UInt8]
      do throws(FileProblem) {
        bytes = try readRegularFile(file, limitBytes: file.hasSuffix(".swift") ? 16 << 20 : 1 << 30)
      } catch {
        throw ImportError(path: file, line: nil, message: "cannot read the file: \(error)", stage: .compile)
      }
      hash.add(file, bytes)
    }
    return hash.hex
  }

  private var describeKey: String {
    var hash = ContentHash()
    describer.addKey(to: &hash)
    return String(hash.hex.prefix(16))
  }

  static func entry(_ build: String) -> String { "dagrun_file_" + build.prefix(16) }

  private func path(_ version: String, _ suffix: String) -> String { "\(folder)/\(version).\(suffix)" }

  private func read(_ path: String) -> FileOutcome? {
    if let outcome = known[path] { return outcome }
    guard let bytes = readWholeFile(path) else { return nil }
    return try? JSONDecoder().decode(FileOutcome.self, from: Data(bytes))
  }

  /// What is found out again where it cannot be kept: on a full disk, or one that can only be read.
  @discardableResult
  private func keep(_ value: some Encodable, at path: String) -> Bool { (try? write(value, to: path)) != nil }

  private func write(_ value: some Encodable, to path: String) throws(DagBagError) {
    guard let bytes = try? JSONEncoder().encode(value) else { preconditionFailure("what is cached is always JSON") }
    try AtomicFile.write(bytes, to: path)
  }
}
