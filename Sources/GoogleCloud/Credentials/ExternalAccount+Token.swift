internal import Foundation

/// Workload identity federation: a token of somebody else's is exchanged for one of Google's by the Security Token
/// Service (RFC 8693; AIP-4117), and that, if asked, for one of a service account.
extension ExternalAccount {
  func token(_ endpoint: TokenEndpoint, _ scopes: [String]) async throws(CloudError) -> AccessToken {
    let subject = try await subjectToken(endpoint)
    var form = [
      ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("audience", audience),
      ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
      ("subject_token_type", subjectTokenType), ("subject_token", subject.revealed),
      // The first token only opens the door to the account, whatever that may do.
      ("scope", serviceAccountImpersonationUrl == nil ? scopes.joined(separator: " ") : TokenEndpoint.scope),
    ]
    var headers: [(name: String, value: String)] = []
    if let clientId {
      let pair = Data("\(clientId):\(clientSecret?.revealed ?? "")".utf8).base64EncodedString()
      headers.append((name: "Authorization", value: "Basic \(pair)"))
    } else if let project = workforcePoolUserProject,
      let options = try? JSONSerialization.data(withJSONObject: ["userProject": project])
    {
      form.append(("options", String(decoding: options, as: UTF8.self)))
    }
    let secrets = [subject] + (clientSecret.map { [$0] } ?? [])
    let answer = try await endpoint.post(form: form, to: tokenUrl, headers: headers, hiding: secrets)
    let token = try endpoint.token(answer)
    guard let url = serviceAccountImpersonationUrl else { return token }
    let lifetime = serviceAccountImpersonation?.tokenLifetimeSeconds ?? 3600
    return try await Impersonation(url: url, lifetimeSeconds: lifetime)
      .token(from: token, endpoint.http, endpoint.world, scopes)
  }

  private func subjectToken(_ endpoint: TokenEndpoint) async throws(CloudError) -> Secret {
    let source = credentialSource
    if let path = source.file {
      let bytes: Data
      do { bytes = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
        throw unusable("cannot read the token file \(path)", hint: "whatever writes it must run first")
      }
      return try read(bytes, from: "the token file \(path)")
    }
    if let url = source.url {
      let headers = (source.headers ?? [:]).sorted { $0.key < $1.key }
      let request = HTTPRequest("GET", url, headers: headers.map { (name: $0.key, value: $0.value.revealed) })
      let answer = try await endpoint.send(request, hiding: headers.map(\.value))
      return try read(answer.body, from: Transfer.withoutQuery(url))
    }
    if let executable = source.executable { return try await TokenProgram(self, executable).token(endpoint.world) }
    if let environment = source.environmentId {
      throw unusable(
        "its credential_source is '\(environment.prefix(20))'", hint: "dagrun reads file, url and executable sources")
    }
    throw unusable("its credential_source has no file, url or executable", hint: nil)
  }

  /// A text, or a field of a JSON object.
  private func read(_ bytes: Data, from place: String) throws(CloudError) -> Secret {
    let token: String?
    switch credentialSource.format?.type ?? "text" {
    case "text": token = String(decoding: bytes, as: UTF8.self)
    case "json":
      guard let field = credentialSource.format?.subjectTokenFieldName else {
        throw unusable("its credential_source.format has no subject_token_field_name", hint: nil)
      }
      let object = try? JSONSerialization.jsonObject(with: bytes) as? [String: Any]
      token = object?[field] as? String
      if token == nil { throw unusable("\(place) is not a JSON object with a text '\(field)'", hint: nil) }
    default: throw unusable("its credential_source.format is neither text nor json", hint: nil)
    }
    guard let token = token?.trimmingCharacters(in: .whitespacesAndNewlines), !token.isEmpty else {
      throw unusable("\(place) is empty", hint: nil)
    }
    return Secret(token)
  }

  func unusable(_ message: String, hint: String?) -> CloudError {
    CloudError(.unauthenticated, operation: "sign in as", subject: audience, message: message, hint: hint)
  }
}
