import Foundation
import Processes

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

  /// What could not be looked into, which is no reason to leave the rest out; and what was left out because it is read
  /// already.
  struct Findings {
    var sources: [DAGSource] = []
    var errors: [ImportError] = []
    var warnings: [ImportError] = []
  }

  /// Every DAG file below a folder, by path. Hidden files and folders are left out. A folder with a `Package.swift` or
  /// a `main.swift` is one DAG file; any other folder only groups files.
  ///
  /// - Throws: when the folder itself cannot be read.
  static func find(in folder: String) throws(DagBagError) -> Findings {
    let tree: FolderTree
    do throws(FileProblem) {
      tree = try FolderTree(folder) { !$0.contains("Package.swift") && !$0.contains("main.swift") }
    } catch {
      throw DagBagError("cannot read the folder \(folder): \(error)")
    }
    var found = Findings()
    for index in tree.folders.indices { found.add(tree.folders[index], isRoot: index == 0, of: tree) }
    for name in tree.unnameable where name.isFolder || name.path.hasSuffix(".swift") {
      found.error(name.path, "its name is not UTF-8; rename it")
    }
    for other in tree.repeats where other.file?.name.hasSuffix(".swift") ?? true {
      // In a package its own tree has it.
      guard !tree.folders[other.folder].isLeaf else { continue }
      let what = other.file == nil ? "the folder" : "the file"
      let place = other.original.map { "is read already, as \($0)" } ?? "contains the folder of the DAG files"
      found.warnings.append(
        ImportError(
          path: other.path, line: nil, message: "left out: \(what) that it leads to \(place)", stage: .compile))
    }
    if tree.isCutShort {
      found.error(folder, "there are too many files below it to look at all; a link may lead out of it")
    }
    found.sources.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    return found
  }
}

extension DAGSource.Findings {
  fileprivate mutating func error(_ path: String, _ message: String) {
    errors.append(ImportError(path: path, line: nil, message: message, stage: .compile))
  }

  fileprivate mutating func add(_ folder: FolderTree.Folder, isRoot: Bool, of tree: FolderTree) {
    if let problem = folder.problem { return error(folder.path, "cannot read the folder: \(problem)") }
    let files = folder.files.filter { $0.name.hasSuffix(".swift") }.map(\.path)
    guard folder.isLeaf else {
      if files.isEmpty, folder.folders.isEmpty, !isRoot, folder.path.hasSuffix(".swift") {
        error(folder.path, "it is a folder without DAG files, and its name is that of a file")
      }
      sources += files.map { DAGSource(kind: .module, path: $0, files: [$0]) }
      return
    }
    guard folder.files.contains(where: { $0.name == "Package.swift" }) else {
      sources.append(DAGSource(kind: .module, path: folder.path, files: files))
      return
    }
    do throws(FileProblem) {
      let package = try FolderTree(folder.path)
      let all = package.folders.flatMap(\.files) + package.repeats.compactMap(\.file)
      let paths = all.map(\.path).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      sources.append(DAGSource(kind: .package, path: folder.path, files: paths))
      for below in package.folders {
        if let problem = below.problem { error(below.path, "cannot read the folder: \(problem)") }
      }
      if package.isCutShort { error(folder.path, "there are too many files in the package") }
    } catch {
      self.error(folder.path, "cannot read the folder: \(error)")
    }
  }
}
