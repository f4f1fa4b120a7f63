import Foundation
import Model

/// A home in a folder of its own, removed at the end.
func withTemporaryHome<Result>(
  _ name: String = "home", _ body: (Home) async throws -> Result
) async throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dagrun-\(UUID().uuidString)")
  let home = folder.appendingPathComponent(name)
  try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try await body(Home(path: home.path))
}
