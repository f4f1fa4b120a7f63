/// Names a version of a secret in Secret Manager: `NAME`, `NAME/versions/V`, or `projects/P/secrets/NAME[/versions/V]`.
/// Regional secrets are not among them: they live behind other endpoints.
package struct SecretName: Codable, Hashable, Sendable {
  package var project: String
  package var secret: String
  /// A number, an alias, or `latest`.
  package var version: String

  /// - Parameter project: of a name that does not say one.
  /// - Returns: nil when `text` is not a secret's name.
  package init?(_ text: String, project: String) {
    var parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)[...]
    self.project = project
    if parts.first == "projects" {
      guard parts.count >= 4, parts[2] == "secrets" else { return nil }
      self.project = parts[1]
      parts = parts.dropFirst(3)
    }
    guard let name = parts.popFirst() else { return nil }
    secret = name
    switch parts.count {
    case 0: version = "latest"
    case 2 where parts.first == "versions": version = parts[parts.startIndex + 1]
    default: return nil
    }
    guard !self.project.isEmpty, Self.isSecretID(secret), Self.isVersion(version) else { return nil }
  }

  /// `projects/P/secrets/NAME/versions/V`.
  package var path: String {
    "projects/\(project)/secrets/\(secret)/versions/\(version)"
  }

  /// Letters, digits, `-` and `_`, at most 255.
  private static func isSecretID(_ text: String) -> Bool {
    (1...255).contains(text.utf8.count) && text.utf8.allSatisfy(isNameByte)
  }

  private static func isVersion(_ text: String) -> Bool {
    (1...63).contains(text.utf8.count) && text.utf8.allSatisfy(isNameByte)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}

extension SecretName: CustomStringConvertible {
  package var description: String { path }
}
