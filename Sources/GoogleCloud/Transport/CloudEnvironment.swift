package import Foundation

/// What requests and credentials take from outside besides the network, so that a test can drive it.
package struct CloudEnvironment: Sendable {
  package var environment: [String: String]
  /// By the calendar: for what expires.
  package var now: @Sendable () -> Date = { Date() }
  /// On a clock that only goes forward: for deadlines.
  package var uptimeSeconds: @Sendable () -> Double = { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }
  package var sleep: @Sendable (_ seconds: Double) async throws -> Void = { try await Task.sleep(for: .seconds($0)) }
  /// From 0 to 1.
  package var random: @Sendable () -> Double = { Double.random(in: 0...1) }

  package init(environment: [String: String]) { self.environment = environment }

  /// nil when it is not set, or empty.
  func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

  /// Ends at once when the task is cancelled.
  func pause(_ seconds: Double, _ operation: String, _ subject: String) async throws(CloudError) {
    do { try await sleep(seconds) } catch {
      throw CloudError(.cancelled, operation: operation, subject: subject, message: "cancelled")
    }
  }
}
