import DagBag
import Dagrun
import Foundation
import Model
import Presentation
import Scheduling
import Storage

/// What the files of a dags folder say: their DAGs, and what is wrong with them.
struct DAGFiles: Sendable {
  /// By id.
  let dags: [DAGDescription]
  let importErrors: [ImportError]
  /// What does not stop a file from being used, and its author should know.
  let warnings: [ImportError]
  let folder: String
  let files: [DAGFile]

  init(_ contents: LoadedDAGs, folder: String) {
    dags = contents.files.flatMap(\.dags).sorted { $0.id < $1.id }
    importErrors = contents.importErrors
    warnings = contents.warnings
    files = contents.files
    self.folder = folder
  }

  /// - Throws: exit code 4 when the DAG is in a file that is broken, and 3 when there is no such DAG.
  func dag(_ id: String) throws -> DAGDescription {
    if let dag = dags.first(where: { $0.id == id }) { return dag }
    throw userError(aboutMissing: id)
  }

  /// The compiled file that has the DAG.
  func file(of id: String) -> DAGFile? { files.first { $0.dags.contains { $0.id == id } } }

  func userError(aboutMissing id: String) -> UserError {
    let errors = importErrors.filter { $0.mentions(id) }
    guard !errors.isEmpty else {
      return UserError(notFound: "DAG", id, among: dags.map(\.id), hint: "'dagrun dags list' lists those of \(folder)")
    }
    let texts = errors.map { $0.text(style: Style(isColoured: false)) }.joined()
    return UserError(
      .importErrors,
      "DAG '\(id)' cannot be loaded: its file has \(errors.count == 1 ? "an import error" : "import errors")",
      hint: texts)
  }

  /// Said by every command that lists DAGs, so that a missing one is not a riddle.
  func mentionImportErrors(to session: Session) {
    guard !importErrors.isEmpty else { return }
    let files = Set(importErrors.map(\.path)).count
    session.errors.line(
      "\(files) \(files == 1 ? "file has" : "files have") import errors: see 'dagrun dags list-import-errors'")
  }
}

extension ImportError {
  /// The field names are those of Airflow's REST API v2 (`ImportErrorResponse`), and the line.
  var record: OutputObject {
    [
      "filename": .text(path), "line": .optional(line), "stage": .text(stage.rawValue), "message": .text(message),
      "stack_trace": .text(details ?? message),
    ]
  }

  /// The place and the reason; below it, everything that the compiler said.
  func text(style: Style) -> String {
    let path = ShownText.line(path)
    let place = line.map { "\(path):\($0)" } ?? path
    var text = "\(style.bold(place)): \(ShownText.line(message))\n"
    for line in (details ?? "").split(whereSeparator: \.isNewline) where stage == .compile || line.count < 200 {
      text += "    \(line)\n"
    }
    return text
  }
}

extension Workspace {
  /// Compiles what has changed. No user code runs in this process.
  func dagFiles() async throws -> DAGFiles { try dagFilesWithPools() }

  func dagFilesWithPools() throws -> DAGFiles {
    try checkDAGsFolder()
    try home.make()
    return DAGFiles(try dagBag.load(pools: Set(try pools().map(\.pool.name))), folder: places.dagsFolder)
  }

  /// For another scheduler than dagrun's, which has pools of its own.
  func dagFilesForOthers() throws -> DAGFiles {
    try checkDAGsFolder()
    try home.make()
    return DAGFiles(try dagBag.load(), folder: places.dagsFolder)
  }

  /// What `dagrun build` made has its files beside the executable, and needs no folder.
  func checkDAGsFolder() throws {
    guard !Self.isBundle, !FileManager.default.fileExists(atPath: places.dagsFolder) else { return }
    throw UserError(
      .wrongUsage, "there is no folder \(places.dagsFolder)",
      hint: "make it, or name another one with --dags-folder or DAGRUN_DAGS_FOLDER")
  }

  static var isBundle: Bool { bundledDAGsFolder != nil }

  /// What lay beside the DAG files, where this binary is one that `dagrun build` made.
  static var bundledDAGsFolder: String? {
    let folder = URL(filePath: executable).deletingLastPathComponent().path
    return FileManager.default.fileExists(atPath: folder + "/bundle/manifest.json") ? folder + "/dags" : nil
  }

  var dagBag: DagBag {
    DagBag(DagBag.Options(dagsFolder: places.dagsFolder, cacheFolder: cacheFolder, executable: Self.executable))
  }

  /// This binary: what describes DAG files, and what workers are.
  static var executable: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
  }
}
