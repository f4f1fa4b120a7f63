package import Foundation

/// A text that must not be seen: printed, logged or dumped it is `[secret]`.
package struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// For the request that it goes into, and nothing else.
  package let revealed: String

  package init(_ revealed: String) { self.revealed = revealed }

  package var description: String { "[secret]" }
  package var debugDescription: String { "[secret]" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

extension Secret: Decodable {
  package init(from decoder: any Decoder) throws {
    revealed = try decoder.singleValueContainer().decode(String.self)
  }
}

extension String {
  /// What others say about a secret may quote it.
  func hiding(_ secrets: [Secret]) -> String {
    secrets.reduce(self) { text, secret in
      secret.revealed.isEmpty ? text : text.replacingOccurrences(of: secret.revealed, with: "[secret]")
    }
  }
}

/// What a request shows to be let in.
package struct AccessToken: Hashable, Sendable {
  package var secret: Secret
  /// nil: nobody knows.
  package var expiresAt: Date?

  package init(_ secret: Secret, expiresAt: Date?) {
    self.secret = secret
    self.expiresAt = expiresAt
  }
}

/// A token, and in whose name its use is counted.
package struct Grant: Hashable, Sendable {
  /// nil: requests go without.
  package var token: AccessToken?
  /// The project whose quota is used (`x-goog-user-project`).
  package var quotaProject: String?

  package init(token: AccessToken?, quotaProject: String? = nil) {
    self.token = token
    self.quotaProject = quotaProject
  }
}
