import Foundation
import Testing

@testable import CloudEmulator

/// Others' programs take our emulator for Google.
struct JudgeTests {
  private func withEmulator(_ judge: (CloudEmulator) async throws -> String) async throws -> String {
    var options = EmulatorOptions()
    options.timing.pullSeconds = 2
    options.timing.pendingSeconds = 0.01
    options.timing.runningSeconds = 0.02
    let emulator = try await CloudEmulator.start(options)
    let verdict: String
    do { verdict = try await judge(emulator) } catch {
      await emulator.stop()
      throw error
    }
    await emulator.stop()
    return verdict
  }

  @Test(.enabled(if: Judge.hasPython, "\(Judge.pythonAbsence)"))
  func `Google's client for Compute Engine finds nothing wrong`() async throws {
    let verdict = try await withEmulator { try await Judge.python("compute.py", "http://\($0.address)") }
    #expect(verdict == "ok")
  }

  @Test(.enabled(if: Judge.hasPython, "\(Judge.pythonAbsence)"))
  func `Google's client for Pub Sub finds nothing wrong`() async throws {
    let verdict = try await withEmulator { try await Judge.python("pubsub.py", "http://\($0.address)") }
    #expect(verdict == "ok")
  }

  @Test(.enabled(if: Tool.gcloud != nil, "\(Tool.gcloudAbsence)"))
  func `gcloud finds nothing wrong`() async throws {
    let folder = URL.temporaryDirectory.appending(path: "dagrun-gcloud-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let verdict = try await withEmulator { try await Judge.shell("gcloud.sh", $0.address, folder) }
    #expect(verdict == "ok")
  }

  /// The judge is judged: it must not ask for more than Google gives.
  @Test(
    .enabled(if: Judge.hasPython, "\(Judge.pythonAbsence)"),
    .enabled(if: GooglesPubSubEmulator.program != nil, "\(GooglesPubSubEmulator.absence)"))
  func `Google's own emulator of Pub Sub passes the same judge`() async throws {
    let emulator = try await GooglesPubSubEmulator.start()
    defer { emulator.stop() }
    #expect(try await Judge.python("pubsub.py", "http://\(emulator.address)") == "ok")
  }
}
