import Foundation
import Processes

/// What `dagrun build` made: DAG files compiled beforehand, in `bundle/` beside the executable.
///
///     DIR/dagrun                  the executable
///     DIR/libswiftCore.so …       the Swift runtime, found there by the executable's own path
///     DIR/swift-backtrace         names the place of a crash
///     DIR/bundle/manifest.json    the files with their descriptions
///     DIR/bundle/VERSION.so       the files, compiled
///     DIR/dags/                   what lies beside the DAG files, such as the scripts they call: shell tasks start there
struct DAGBundle {
  let files: [DAGFile]

  private struct Manifest: Codable {
    /// `libraryPath` is a name in the bundle's folder.
    var files: [DAGFile]
  }

  /// nil when there is no bundle beside the executable, which then compiles DAG files itself.
  init?(besides executable: String) throws(DagBagError) {
    let folder = Self.folder(of: realPath(executable) ?? executable) + "/bundle"
    guard let bytes = readWholeFile(folder + "/manifest.json") else { return nil }
    do {
      files = try JSONDecoder().decode(Manifest.self, from: Data(bytes)).files.map { file in
        var file = file
        file.libraryPath = folder + "/" + file.libraryPath
        return file
      }
    } catch {
      throw DagBagError("cannot read \(folder)/manifest.json: \(error); make the bundle again with: dagrun build")
    }
  }

  static func make(
    _ folder: String, of files: [DAGFile], dagsFolder: String, executable: String, toolchain: Toolchain
  ) throws(DagBagError) {
    do {
      try makeFolders(folder + "/bundle")
    } catch {
      throw DagBagError("\(error)")
    }
    let executable = realPath(executable) ?? executable
    try copy(executable, to: folder + "/dagrun", mode: nil)
    let libraries = runtimeLibraries([executable] + files.map(\.libraryPath), in: toolchain.runtimeFolder)
    for path in libraries { try copy(path, to: folder + "/" + URL(filePath: path).lastPathComponent, mode: nil) }
    try copyOtherFiles(of: dagsFolder, to: folder + "/dags")
    if let backtracer = toolchain.backtracer { try copy(backtracer, to: folder + "/swift-backtrace", mode: nil) }

    var manifest = Manifest(files: files)
    for index in manifest.files.indices {
      let name = manifest.files[index].version + ".so"
      // For its owner only in the cache; a bundle is for those who may read it.
      try copy(manifest.files[index].libraryPath, to: folder + "/bundle/" + name, mode: 0o644)
      manifest.files[index].libraryPath = name
    }
    guard let bytes = try? JSONEncoder().encode(manifest) else { preconditionFailure("a manifest is always JSON") }
    // Last: until it is there, the folder is not a bundle, and an older one stays whole.
    try AtomicFile.write(bytes, to: folder + "/bundle/manifest.json", mode: 0o644)
  }

  /// The libraries of the Swift runtime that the files need, and those that these need.
  private static func runtimeLibraries(_ files: [String], in folder: String) -> [String] {
    var found: Set<String> = []
    var rest = files
    while let file = rest.popLast() {
      for name in ELFObject.neededLibraries(of: readWholeFile(file) ?? []) {
        let path = folder + "/" + name
        if access(path, R_OK) == 0, found.insert(path).inserted { rest.append(path) }
      }
    }
    return found.sorted()
  }

  private static func copyOtherFiles(of source: String, to folder: String) throws(DagBagError) {
    let source = realPath(source) ?? source
    let names = FileManager.default.enumerator(atPath: source)?.compactMap { $0 as? String }.sorted() ?? []
    do {
      try makeFolders(folder)
      for name in names
      where !name.hasSuffix(".swift") && !name.split(separator: "/").contains(where: { $0.hasPrefix(".") }) {
        // A FIFO or a device cannot be copied.
        guard let path = realPath(source + "/" + name), isRegular(path) else { continue }
        try makeFolders(Self.folder(of: folder + "/" + name))
        try copy(path, to: folder + "/" + name, mode: nil)
      }
    } catch {
      throw error as? DagBagError ?? DagBagError("\(error)")
    }
  }

  private static func isRegular(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// - Parameter mode: nil: that of the source.
  private static func copy(_ source: String, to path: String, mode: mode_t?) throws(DagBagError) {
    let temporary = AtomicFile.temporaryPath(for: path)
    do {
      try FileManager.default.copyItem(atPath: source, toPath: temporary)
    } catch {
      throw DagBagError("cannot copy \(source) to \(path): \(error.localizedDescription)")
    }
    try AtomicFile.publish(temporary, as: path, mode: mode)
  }

  private static func folder(of path: String) -> String {
    URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false).removingTrailingSlash
  }
}
