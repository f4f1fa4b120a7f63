import DagBag
import Foundation
import Testing

/// A folder of its own with DAG files and a cache, gone when the test is.
final class TestFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "dagbag-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: dags, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var dags: String { path + "/dags" }

  func write(_ text: String, to name: String) throws {
    let file = URL(filePath: dags + "/" + name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: file, atomically: true, encoding: .utf8)
  }

  /// A new bag, as a new process would make one.
  func bag(describeTimeoutSeconds: Double = 30) -> DagBag {
    var options = DagBag.Options(dagsFolder: dags, cacheFolder: path + "/cache", executable: dagrun)
    options.describeTimeoutSeconds = describeTimeoutSeconds
    // The compiler's own cache of system modules is the same for all, and slow to fill.
    options.moduleCacheFolder = NSTemporaryDirectory() + "dagbag-tests-modules"
    return DagBag(options)
  }
}

/// The executable that the build made beside the tests.
let dagrun = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
  .appending(component: "dagrun").path(percentEncoded: false)

/// The package's folder.
let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().path(percentEncoded: false)
