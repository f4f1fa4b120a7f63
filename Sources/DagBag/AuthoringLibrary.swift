import Basics
import Foundation
import Processes

/// The `Dagrun.swiftmodule` that DAG files are compiled against, in a folder where there is nothing else: other modules
/// that happen to lie beside it, as in a build folder, must not be found by accident.
struct AuthoringLibrary: Sendable {
  /// For `-I`.
  let folder: String
  let hash: String

  /// - Parameter executable: the `dagrun` that will load the compiled files, and so must be of the same build.
  static func find(executable: String, cacheFolder: String) throws(DagBagError) -> AuthoringLibrary {
    let executable = realPath(executable) ?? executable
    let besides = URL(filePath: executable).deletingLastPathComponent().path(percentEncoded: false)
      .removingTrailingSlash
    let override = ProcessInfo.processInfo.environment["DAGRUN_LIBRARY_PATH"].flatMap { $0.isEmpty ? nil : [$0] }
    let candidates = override ?? [besides + "/Modules", besides + "/../lib/dagrun", besides]
    let name = "Dagrun.swiftmodule"
    for folder in candidates {
      guard let bytes = readWholeFile(folder + "/" + name) else { continue }
      let hash = SHA256.hex(of: Data(bytes))
      let copy = cacheFolder + "/library/" + hash
      if access(copy + "/" + name, R_OK) != 0 {
        do {
          try makeFolders(copy, mode: 0o700)
        } catch {
          throw DagBagError("\(error)")
        }
        try AtomicFile.write(Data(bytes), to: copy + "/" + name)
      }
      return AuthoringLibrary(folder: copy, hash: hash)
    }
    throw DagBagError(
      "cannot find \(name), which DAG files are compiled against; looked in \(candidates.joined(separator: ", ")); set "
        + "DAGRUN_LIBRARY_PATH to its folder, or install dagrun again")
  }
}
