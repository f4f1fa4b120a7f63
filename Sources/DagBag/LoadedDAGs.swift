package import Dagrun
internal import Foundation
internal import Processes

/// What the DAG files say, and what is wrong with them. In the order of the files' paths, always.
package struct LoadedDAGs: Sendable {
  package var files: [DAGFile] = []
  package var importErrors: [ImportError] = []
  /// What does not stop a file from being used, and its author should know.
  package var warnings: [ImportError] = []

  package init() {}
}

/// A DAG file that compiled and was described.
package struct DAGFile: Codable, Hashable, Sendable {
  /// Absolute: the file, or the folder of a module.
  package var path: String
  /// Content hash of all that the compiled file was made from. Names the version in the cache and in the database.
  package var version: String
  package var libraryPath: String
  /// The function in the library which runs the file's top-level code (`loadDAGFile`).
  package var entry: String
  package var dags: [DAGDescription]

  package init(path: String, version: String, libraryPath: String, entry: String, dags: [DAGDescription]) {
    self.path = path
    self.version = version
    self.libraryPath = libraryPath
    self.entry = entry
    self.dags = dags
  }
}

/// Why a DAG file cannot be used.
package struct ImportError: Error, Codable, Hashable, Sendable {
  package enum Stage: String, Codable, Sendable {
    /// The compiler, or the linker, refused it.
    case compile
    /// It compiled, and running its top-level code showed what is wrong.
    case describe
  }

  package var path: String
  /// nil when no line is to blame.
  package var line: Int?
  /// In one line.
  package var message: String
  package var stage: Stage
  /// All that the compiler said, or that the file printed before it crashed, as it was written.
  package var details: String?

  package init(path: String, line: Int?, message: String, stage: Stage, details: String? = nil) {
    self.path = path
    self.line = line
    self.message = message
    self.stage = stage
    self.details = details
  }
}

extension ImportError {
  /// A file that does not compile cannot say which DAGs it has; one that has the id in quotes has this one, most
  /// likely. A module or a package has it when one of its files does.
  package func mentions(_ dagID: String) -> Bool {
    var files = [path]
    // The line at fault may be in one file of a module, and the id in another.
    let folder = (path as NSString).deletingLastPathComponent
    let isModule = FileManager.default.fileExists(atPath: folder + "/main.swift")
    if let tree = try? FolderTree(isModule ? folder : path) {
      files += tree.folders.flatMap(\.files).map(\.path).filter { $0.hasSuffix(".swift") }
    }
    let quoted = "\"\(dagID)\""
    return files.contains { file in
      (try? readRegularFile(file, limitBytes: 16 << 20)).map { String(decoding: $0, as: UTF8.self).contains(quoted) }
        ?? false
    }
  }
}

extension ImportError: CustomStringConvertible {
  package var description: String { "\(path)\(line.map { ":\($0)" } ?? ""): \(message)" }
}

/// DAG files cannot be read, compiled or described at all, whatever is in them.
package struct DagBagError: Error, Hashable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}
