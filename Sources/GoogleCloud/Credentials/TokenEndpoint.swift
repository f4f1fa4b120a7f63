internal import Basics
internal import Foundation

/// Asks for tokens, with the retries of google-auth: 408, 429, 500, 503, 504 and lost connections, a few times.
struct TokenEndpoint: Sendable {
  static let retriedStatuses: Set<Int> = [408, 429, 500, 503, 504]
  static let sends = 4
  /// What every token of ours is for; what it may do is decided by roles.
  static let scope = "https://www.googleapis.com/auth/cloud-platform"

  let http: any HTTPSending
  let world: CloudEnvironment
  /// For errors: "cannot sign in as `subject`".
  let subject: String

  /// - Parameters:
  ///   - secrets: are not in the error, should the answer quote them.
  ///   - hint: what to do when the answer is no.
  func send(
    _ request: HTTPRequest, hiding secrets: [Secret], hint: (_ body: String) -> String? = { _ in nil }
  ) async throws(CloudError) -> HTTPResponse {
    var request = request
    request.timeoutSeconds = 30
    request.limitBytes = 1 << 20
    let pause = Backoff(firstSeconds: 1, longestSeconds: 60)
    for number in 1...Self.sends {
      let failure: CloudError
      switch await outcome(of: request) {
      case .success(let answer):
        if (200..<300).contains(answer.status) { return answer }
        failure = refused(answer, hiding: secrets, hint: hint)
        if !Self.retriedStatuses.contains(answer.status) { throw failure }
      case .failure(let error):
        failure = CloudError(error, operation: "sign in as", subject: subject)
        switch error.kind {
        case .nameNotFound, .noConnection, .timeout, .lost: break
        case .unusable, .untrusted, .tooLong, .notWritten, .cancelled: throw failure
        }
      }
      if number == Self.sends { throw failure }
      try await world.pause(
        pause.seconds(doublings: number - 1) * (0.5 + world.random()), "sign in as", subject)
    }
    preconditionFailure("the last send returns or throws")
  }

  private func outcome(of request: HTTPRequest) async -> Result<HTTPResponse, HTTPFailure> {
    do throws(HTTPFailure) { return .success(try await http.send(request)) } catch { return .failure(error) }
  }

  func post(
    form: [(String, String)], to url: String, headers: [(name: String, value: String)] = [], hiding secrets: [Secret],
    hint: (_ body: String) -> String? = { _ in nil }
  ) async throws(CloudError) -> HTTPResponse {
    try requireSafe(url)
    let body = form.map { "\(CloudPath.encoded($0.0))=\(CloudPath.encoded($0.1))" }.joined(separator: "&")
    let type = (name: "Content-Type", value: "application/x-www-form-urlencoded")
    return try await send(
      HTTPRequest("POST", url, headers: [type] + headers, body: Data(body.utf8)), hiding: secrets, hint: hint)
  }

  /// What goes there are keys and tokens: it must not be read on the way. A file of credentials names the address, and
  /// is not believed. On this machine is the emulator.
  func requireSafe(_ url: String) throws(CloudError) {
    let isSecure = url.lowercased().hasPrefix("https://")
    guard isSecure || Transfer.host(of: url).map(Transfer.isLoopback) == true else {
      throw CloudError(
        .invalid, operation: "sign in as", subject: subject,
        message: "its credentials would be sent to \(Transfer.withoutQuery(url)), which is not https",
        hint: "write https:// there, or make the file of credentials anew")
    }
  }

  func decode<Value: Decodable>(_ type: Value.Type, _ answer: HTTPResponse) throws(CloudError) -> Value {
    do { return try JSONDecoder.ofSnakeCase.decode(type, from: answer.body) } catch {
      throw CloudError(
        .badAnswer, operation: "sign in as", subject: subject, message: "the answer is not what was asked for",
        status: answer.status)
    }
  }

  /// `{"access_token", "expires_in"}`, as OAuth's endpoints and the metadata server answer.
  func token(_ answer: HTTPResponse) throws(CloudError) -> AccessToken {
    let token = try decode(OAuthToken.self, answer)
    return AccessToken(token.accessToken, expiresAt: token.expiresIn.map { world.now().addingTimeInterval($0) })
  }

  private func refused(
    _ answer: HTTPResponse, hiding secrets: [Secret], hint: (_ body: String) -> String?
  ) -> CloudError {
    let fault = try? JSONDecoder.ofSnakeCase.decode(Fault.self, from: answer.body)
    let words = [fault?.code, fault?.text].compactMap { $0 }.joined(separator: ": ")
    let isTransient = Self.retriedStatuses.contains(answer.status)
    return CloudError(
      isTransient ? .unavailable : .unauthenticated, operation: "sign in as", subject: subject,
      message: words.isEmpty ? "status \(answer.status)" : String(words.hiding(secrets).prefix(500)),
      status: answer.status, code: fault?.code, hint: hint(String(decoding: answer.body.prefix(1 << 16), as: UTF8.self))
    )
  }

  private struct OAuthToken: Decodable {
    var accessToken: Secret
    var expiresIn: Double?
  }

  /// `{"error": "invalid_grant", "error_description": "…"}`, or Google's `{"error": {"status", "message"}}`.
  private struct Fault: Decodable {
    var code: String?
    var text: String?

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: Keys.self)
      if let name = try? values.decode(String.self, forKey: .error) {
        code = name
        text = try? values.decode(String.self, forKey: .errorDescription)
      } else {
        let details = try values.decode(Details.self, forKey: .error)
        code = details.status
        text = details.message
      }
    }

    enum Keys: String, CodingKey { case error, errorDescription }
    struct Details: Decodable {
      var status: String?
      var message: String?
    }
  }
}
