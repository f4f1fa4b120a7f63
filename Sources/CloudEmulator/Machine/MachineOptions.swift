package import Foundation

/// What VMs find on this machine, and how they are started.
package struct MachineOptions: Sendable {
  /// The program that is the first process of a VM, and how it is asked to be that: `dagrun virtual-machine`.
  package var program: [String]
  /// An access token for a VM's service account, as its metadata server hands out.
  package var issueToken: @Sendable (_ serviceAccount: String, _ scopes: [String]) async -> MachineToken
  /// `http://127.0.0.1:PORT` of the emulated Cloud Storage, for the stand-in of gcsfuse.
  package var storageEndpoint: String?
  /// Images that cannot be pulled, beside those whose names contain `does-not-exist`.
  package var missingImages: Set<String> = []

  package init(
    program: [String],
    issueToken: @escaping @Sendable (_ serviceAccount: String, _ scopes: [String]) async -> MachineToken
  ) {
    self.program = program
    self.issueToken = issueToken
  }
}

package struct MachineToken: Hashable, Sendable {
  package var value: String
  package var expiresAt: Date

  package init(value: String, expiresAt: Date) {
    self.value = value
    self.expiresAt = expiresAt
  }
}
