import Dispatch
import Foundation
import GoogleDiscovery
import Processes

/// A program of others that talks to an emulator as it would to Google, and says "ok" or what is wrong.
enum Judge {
  /// Tests/Judges
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Judges").path

  static let hasPython =
    GooglePackages.hasModule("google.cloud.compute_v1") && GooglePackages.hasModule("google.pubsub_v1")
  static let pythonAbsence =
    "google-cloud-compute and google-cloud-pubsub are not there: run scripts/install-python, or let DAGRUN_PYTHON name a python that has them"

  /// - Returns: what the judge printed: `ok`, or what is wrong.
  static func python(_ script: String, _ arguments: String...) async throws -> String {
    try await run(GooglePackages.python.path, ["\(folder)/\(script)"] + arguments)
  }

  static func shell(_ script: String, _ arguments: String...) async throws -> String {
    try await run("bash", ["\(folder)/\(script)"] + arguments)
  }

  private static func run(_ executable: String, _ arguments: [String]) async throws -> String {
    let environment = ProcessInfo.processInfo.environment.filter { name, _ in
      // Nothing of the machine's own Google configuration, and no proxy in between.
      !["CLOUDSDK_", "GOOGLE_", "PUBSUB_", "STORAGE_"].contains { name.hasPrefix($0) }
        && !name.lowercased().hasSuffix("_proxy")
    }
    let spawn = Spawn(executable, arguments, environment: environment)
    // It blocks its thread, and must not be one of Swift's few.
    let ended = try await withCheckedThrowingContinuation {
      (continuation: CheckedContinuation<CapturedProcess, any Error>) in
      DispatchQueue.global().async { continuation.resume(with: Result { try spawn.run(timeout: 300) }) }
    }
    let output = ended.text(1).trimmingCharacters(in: .whitespacesAndNewlines)
    guard ended.status.isSuccess else {
      return "\(ended.status)\(ended.hasTimedOut ? ", the time was up" : "")\n\(output)\n\(ended.text(2).suffix(3000))"
    }
    return output.split(separator: "\n").last.map(String.init) ?? ""
  }
}

/// Programs that may not be there.
enum Tool {
  static let gcloud = path(of: "gcloud")
  static let gcloudAbsence = "gcloud is not there"

  static func path(of name: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
      .first(where: FileManager.default.isExecutableFile(atPath:))
  }
}
