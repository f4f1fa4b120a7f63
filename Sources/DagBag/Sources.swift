import Foundation

/// The source of one DAG file: a file, or a folder that is one module.
struct DAGSource: Codable, Sendable {
  enum Kind: String, Codable, Sendable {
    /// One file, or all the files of a folder with a `main.swift`.
    case module
    /// A folder with a `Package.swift`.
    case package
  }

  var kind: Kind
  /// What the user calls it: the file, or the folder. Absolute.
  var path: String
  /// Absolute, sorted.
  var files: [String]

  /// What could not be looked into, which is no reason to leave the rest out.
  typealias Findings = (sources: [DAGSource], errors: [ImportError])

  /// Every DAG file below a folder, by path. Hidden files and folders are left out. A folder with a `Package.swift` or a
  /// `main.swift` is one DAG file; any other folder only groups files.
  ///
  /// - Throws: when the folder itself cannot be read.
  static func find(in folder: String) throws(DagBagError) -> Findings {
    var found: Findings = ([], [])
    do throws(ImportError) {
      try collect(folder, depth: 0, into: &found)
    } catch {
      throw DagBagError("cannot read the folder \(folder): \(error.message)")
    }
    found.sources.sort { $0.path < $1.path }
    return found
  }

  private static func collect(_ folder: String, depth: Int, into found: inout Findings) throws(ImportError) {
    // Deeper is a link that leads back up.
    guard depth < 16 else { return }
    for name in try list(folder) {
      let path = folder + "/" + name
      guard isFolder(path) else {
        if name.hasSuffix(".swift") { found.sources.append(DAGSource(kind: .module, path: path, files: [path])) }
        continue
      }
      do throws(ImportError) {
        try collect(folderOfFiles: path, depth: depth, into: &found)
      } catch {
        found.errors.append(error)
      }
    }
  }

  private static func collect(
    folderOfFiles path: String, depth: Int, into found: inout Findings
  ) throws(ImportError) {
    let inside = try list(path)
    if inside.contains("Package.swift") {
      let files = try filesBelow(path, depth: 0)
      found.sources.append(DAGSource(kind: .package, path: path, files: files))
    } else if inside.contains("main.swift") {
      let files = inside.filter { $0.hasSuffix(".swift") }.map { path + "/" + $0 }
      found.sources.append(DAGSource(kind: .module, path: path, files: files))
    } else {
      try collect(path, depth: depth + 1, into: &found)
    }
  }

  private static func filesBelow(_ folder: String, depth: Int) throws(ImportError) -> [String] {
    var found: [String] = []
    guard depth < 16 else { return found }
    for name in try list(folder) {
      let path = folder + "/" + name
      if isFolder(path) { found += try filesBelow(path, depth: depth + 1) } else { found.append(path) }
    }
    return found
  }

  /// Names in the folder without hidden ones, sorted by their bytes.
  private static func list(_ folder: String) throws(ImportError) -> [String] {
    guard let directory = opendir(folder) else {
      throw ImportError(path: folder, line: nil, message: String(cString: strerror(errno)), stage: .compile)
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
