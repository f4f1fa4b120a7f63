internal import Foundation

/// Trades a token for one of a service account: IAM Credentials' `generateAccessToken`.
struct Impersonation: Sendable {
  /// `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/EMAIL:generateAccessToken`.
  var url: String
  var delegates: [String]
  var lifetimeSeconds: Int

  init(url: String, delegates: [String] = [], lifetimeSeconds: Int = 3600) {
    self.url = url
    self.delegates = delegates
    self.lifetimeSeconds = lifetimeSeconds
  }

  func token(
    from source: AccessToken, _ http: any HTTPSending, _ world: CloudEnvironment, _ scopes: [String]
  ) async throws(CloudError) -> AccessToken {
    let endpoint = TokenEndpoint(http: http, world: world, subject: email ?? "the impersonated account")
    let question = Question(delegates: delegates, scope: scopes, lifetime: "\(lifetimeSeconds)s")
    try endpoint.requireSafe(url)
    guard let body = try? JSONEncoder().encode(question) else { preconditionFailure("plain texts are JSON") }
    let request = HTTPRequest(
      "POST", url,
      headers: [
        (name: "Content-Type", value: "application/json"),
        (name: "Authorization", value: "Bearer \(source.secret.revealed)"),
      ], body: body)
    let answer = try await endpoint.send(request, hiding: [source.secret]) { body in
      body.contains("PERMISSION_DENIED")
        ? "grant roles/iam.serviceAccountTokenCreator on \(email ?? "the account")" : nil
    }
    let token = try endpoint.decode(Answer.self, answer)
    return AccessToken(token.accessToken, expiresAt: Self.date(token.expireTime))
  }

  var email: String? {
    guard let start = url.range(of: "/serviceAccounts/"), let end = url.range(of: ":generateAccessToken") else {
      return nil
    }
    return start.upperBound <= end.lowerBound ? String(url[start.upperBound..<end.lowerBound]) : nil
  }

  /// Of email addresses with commas between them, each of which may act as the next one; nil for anything else.
  init?(chain: String) {
    let accounts = chain.split(separator: ",", omittingEmptySubsequences: false)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    guard accounts.allSatisfy(Self.isEmailAddress), let last = accounts.last else { return nil }
    self.init(
      url: "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/\(last):generateAccessToken",
      delegates: accounts.dropLast().map { "projects/-/serviceAccounts/\($0)" })
  }

  /// As of a service account: it is put into an address.
  private static func isEmailAddress(_ text: String) -> Bool {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    return parts.count == 2
      && parts.allSatisfy { part in
        !part.isEmpty
          && part.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
              || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
              || [UInt8(ascii: "-"), UInt8(ascii: ".")].contains(byte)
          }
      }
  }

  /// RFC 3339, with or without a fraction of the second.
  private static func date(_ text: String) -> Date? {
    let formatter = ISO8601DateFormatter()
    if let date = formatter.date(from: text) { return date }
    formatter.formatOptions.insert(.withFractionalSeconds)
    return formatter.date(from: text)
  }

  private struct Question: Encodable {
    var delegates: [String]
    var scope: [String]
    var lifetime: String
  }

  private struct Answer: Decodable {
    var accessToken: Secret
    var expireTime: String
  }
}
