package import Foundation

/// Google's Compute Engine, Pub/Sub, Cloud Storage and Secret Manager, as far as jobs need them, on loopback.
///
/// `docs/emulator.md` says what is emulated, and what is not.
package final class CloudEmulator: Sendable {
  /// `127.0.0.1:PORT`
  package let address: String
  package let port: Int
  /// Where its VMs, objects and `service-account.json` are kept.
  package let folder: String

  /// Listens when it returns.
  package static func start(_ options: EmulatorOptions = EmulatorOptions()) async throws -> CloudEmulator {
    throw CancellationError()
  }

  /// What Google's tools and dagrun must have in their environment to come here.
  package var environment: [String: String] {
    [
      "PUBSUB_EMULATOR_HOST": address,
      "STORAGE_EMULATOR_HOST": "http://\(address)",
      "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": "http://\(address)/compute/v1/",
      "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": "http://\(address)/",
      "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": "http://\(address)/storage/v1/",
      "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER": "http://\(address)/",
    ]
  }

  package func inventory() async -> Inventory { Inventory() }

  /// - Returns: the rule's id.
  @discardableResult
  package func addFault(_ rule: FaultRule) async -> String { "" }
  /// Nil: all of them.
  package func removeFault(_ id: String?) async {}
  /// Notice, grace, end. False: there is no such RUNNING instance.
  @discardableResult
  package func preempt(instance name: String, graceSeconds: Double? = nil) async -> Bool { false }

  /// A file of credentials that its token endpoint accepts (`GOOGLE_APPLICATION_CREDENTIALS`), as JSON.
  package func serviceAccountJSON() async throws -> Data { Data() }

  /// Refuses new connections, ends held requests and all VMs, removes what it has kept in a temporary folder.
  package func stop() async {}

  private init(address: String, port: Int, folder: String) {
    self.address = address
    self.port = port
    self.folder = folder
  }
}
