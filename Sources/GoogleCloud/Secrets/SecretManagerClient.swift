package import Foundation

/// Secret Manager, to check that a job's secrets can be read, and to read them.
package struct SecretManagerClient: Sendable {
  let transport: any CloudTransport

  package init(transport: any CloudTransport) {
    self.transport = transport
  }

  package func access(_ name: SecretName) async throws(CloudError) -> SecretValue {
    let path = name.path.split(separator: "/").map { CloudPath.encoded(String($0)) }.joined(separator: "/")
    let answer = try await transport.answer(
      AccessAnswer.self,
      to: CloudRequest(
        .secretManager, .get, "\(path):access", operation: "read secret", subject: name.path))
    return SecretValue(answer.payload?.data ?? Data())
  }
}

/// A secret's bytes. Shows itself nowhere.
package struct SecretValue: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
  package let bytes: Data

  package init(_ bytes: Data) { self.bytes = bytes }

  package var description: String { "<secret>" }
  package var debugDescription: String { "<secret>" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

private struct AccessAnswer: Decodable {
  var payload: Payload?

  struct Payload: Decodable { var data: Data? }
}
