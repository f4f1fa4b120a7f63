package import Foundation
internal import Processes

/// Google's Python packages: their discovery documents and their official clients.
package enum GooglePackages {
  package static let absence = """
    Google's Python packages are not there: run scripts/install-python, or let DAGRUN_PYTHON name a python that has \
    google-api-python-client
    """

  /// `DAGRUN_PYTHON`, or the one that scripts/install-python makes.
  package static let python: URL = {
    if let path = ProcessInfo.processInfo.environment["DAGRUN_PYTHON"], !path.isEmpty {
      return URL(filePath: path)
    }
    // Tests/Support/GoogleDiscovery/THIS
    let package = (0..<4).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }
    return package.appending(path: ".build/python/bin/python3")
  }()

  package static let hasDiscoveryDocuments = (try? discoveryDocuments()) != nil

  package static func discoveryDocuments() throws -> URL { try located.get() }

  private static let located = Result {
    let folder = try run("import googleapiclient.discovery_cache as cache; print(cache.__path__[0])")
      .trimmingCharacters(in: .whitespacesAndNewlines)
    return URL(filePath: folder).appending(path: "documents")
  }

  /// Whether that python has a module: `google.cloud.compute_v1`.
  package static func hasModule(_ name: String) -> Bool { (try? run("import \(name)")) != nil }

  private static func run(_ program: String) throws -> String {
    let ended = try Spawn(python.path, ["-c", program]).run(timeout: 120)
    guard ended.status == .exited(0) else { throw CocoaError(.fileNoSuchFile) }
    return ended.text(1)
  }
}
