import AirflowPlugin
import Foundation

/// This program with its libraries, in one file beside the Airflow plugin.
enum BundledBinary {
  static let name = ComposerEnvironment.archiveName

  /// - Returns: the file's path.
  static func put(into folder: String, _ session: Session) throws -> String {
    let path = folder + "/" + name
    guard access(folder + "/.", W_OK) == 0 else { throw cannotWrite(path) }
    let portable = try PortableBinary(Workspace.executable)
    session.errors.line("machines that run it have to have: \(portable.needs)")
    // Beside it: whoever reads it meanwhile has the old one or the new one.
    let temporary = folder + "/.\(name).\(UUID().uuidString)"
    let staging = FileManager.default.temporaryDirectory.path + "/dagrun-\(UUID().uuidString)"
    defer {
      try? FileManager.default.removeItem(atPath: staging)
      try? FileManager.default.removeItem(atPath: temporary)
    }
    try portable.pack(into: temporary, staging: staging)
    guard rename(temporary, path) == 0 else { throw cannotWrite(path) }
    return path
  }

  private static func cannotWrite(_ path: String) -> UserError {
    UserError(
      .unavailable, "cannot write \(path): \(String(cString: strerror(errno)))",
      hint: "nothing was written; name a file in a folder that is there and can be written")
  }
}
