internal import Foundation

/// Google's token endpoints: assertions that a service account has signed, refresh tokens, token exchange,
/// impersonation.
///
/// Tokens are random, and live for an hour. A refused grant says why in OAuth's words, never with what was sent.
struct TokenModel {
  static let email = "dagrun@emulator.iam.gserviceaccount.com"
  static let lifetimeSeconds = 3600.0

  /// Ends in `/`: `http://127.0.0.1:8085/`.
  let address: String
  private let key: SigningKey
  private let keyID: String
  private var tokens: [String: Token] = [:]
  private(set) var issued = 0

  init(address: String, key: SigningKey) {
    self.address = address
    self.key = key
    keyID = (0..<5).map { _ in String(UInt32.random(in: .min ... .max), radix: 16) }.joined()
  }

  private struct Token {
    var end: Date
    /// Of the VM whose metadata server gave it; nil: it is a person's.
    var machineAccount: String?
  }

  /// A file that `GOOGLE_APPLICATION_CREDENTIALS` can name.
  var serviceAccountFile: JSON {
    [
      "type": "service_account", "project_id": "emulator", "private_key_id": .string(keyID),
      "private_key": .string(key.privatePEM), "client_email": .string(Self.email),
      "client_id": "100000000000000000001", "auth_uri": .string("\(address)o/oauth2/auth"),
      "token_uri": .string("\(address)token"), "universe_domain": "googleapis.com",
    ]
  }

  func isValid(_ token: String?, at now: Date) -> Bool {
    guard let token, let end = tokens[token]?.end else { return false }
    return end > now
  }

  /// nil where a token is not a VM's.
  func machineAccount(of token: String?) -> String? { token.flatMap { tokens[$0]?.machineAccount } }

  mutating func issue(at now: Date, toMachineOf account: String? = nil) -> AccessToken {
    issued += 1
    tokens = tokens.count > 10_000 ? tokens.filter { $0.value.end > now } : tokens
    let random = (0..<4).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined()
    let token = AccessToken(
      value: "ya29.emulator.\(random)", expiresAt: now.addingTimeInterval(Self.lifetimeSeconds))
    tokens[token.value] = Token(end: token.expiresAt, machineAccount: account)
    return token
  }

  /// Every token is void from now on: what a client does about a 401 can be seen.
  mutating func revokeAll() { tokens = [:] }

  /// `POST /token`, and `/v1/token` of the Security Token Service.
  mutating func grant(_ request: APIRequest, at now: Date) -> APIResponse {
    let isJSON = request.headers["content-type"]?.hasPrefix("application/json") == true
    let fields: [String: String] =
      isJSON
      ? ((try? JSON(parsing: request.body)) ?? [:]).texts
      : Dictionary(
        APIRequest.form(String(decoding: request.body, as: UTF8.self)).map { ($0.name, $0.value) },
        uniquingKeysWith: { $1 })
    switch fields["grant_type"] ?? fields["grantType"] {
    case "urn:ietf:params:oauth:grant-type:jwt-bearer"?:
      if let why = refusal(of: fields["assertion"] ?? "", at: now) { return Self.refused("invalid_grant", why) }
      return granted(at: now)
    case "refresh_token"?:
      guard let token = fields["refresh_token"], !token.isEmpty, fields["client_id"] != nil else {
        return Self.refused("invalid_request", "Missing required parameter: refresh_token or client_id")
      }
      guard !token.contains("revoked") else {
        return Self.refused("invalid_grant", "Token has been expired or revoked.")
      }
      return granted(at: now)
    case "urn:ietf:params:oauth:grant-type:token-exchange"?:
      guard let token = fields["subject_token"] ?? fields["subjectToken"], !token.isEmpty,
        fields["audience"] != nil
      else { return Self.refused("invalid_request", "Missing required parameter: subject_token or audience") }
      return granted(at: now, more: ["issued_token_type": "urn:ietf:params:oauth:token-type:access_token"])
    case let other:
      return Self.refused("unsupported_grant_type", "Invalid grant_type: \(other ?? "none")")
    }
  }

  /// `POST /v1/projects/-/serviceAccounts/EMAIL:generateAccessToken`
  mutating func impersonate(_ request: APIRequest, at now: Date) -> APIResponse {
    guard isValid(request.bearerToken, at: now) else { return APIFailure.unauthenticated.response }
    let token = issue(at: now)
    return .json([
      "accessToken": .string(token.value), "expireTime": .string(token.expiresAt.formatted(.iso8601)),
    ])
  }

  private mutating func granted(at now: Date, more: [String: JSON] = [:]) -> APIResponse {
    let token = issue(at: now)
    var json: JSON = [
      "access_token": .string(token.value), "expires_in": .integer(Int64(Self.lifetimeSeconds)), "token_type": "Bearer",
    ]
    for (name, value) in more { json[name] = value }
    return .json(json)
  }

  private static func refused(_ error: String, _ description: String) -> APIResponse {
    .json(["error": .string(error), "error_description": .string(description)], status: 400)
  }

  // MARK: Assertions

  /// Why an assertion is refused; nil: it is good.
  private func refusal(of assertion: String, at now: Date) -> String? {
    let parts = assertion.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3, let head = Self.json(parts[0]), let claims = Self.json(parts[1]),
      let signature = Self.bytes(parts[2])
    else { return "Invalid JWT: it must have three parts in base64url." }
    guard head["alg"].text == "RS256" else { return "Invalid JWT: its algorithm must be RS256." }
    guard head["kid"] == .null || head["kid"].text == keyID else {
      return "Invalid JWT: the key of the service account is another one."
    }
    guard key.verify(signature, of: Data("\(parts[0]).\(parts[1])".utf8)) else { return "Invalid JWT Signature." }
    guard claims["iss"].text == Self.email else { return "Invalid grant: account not found" }
    guard let audience = claims["aud"].text,
      [address + "token", "https://oauth2.googleapis.com/token"].contains(audience)
    else { return "Invalid JWT: the audience must be the address of the token endpoint." }
    guard let from = claims["iat"].whole, let to = claims["exp"].whole else {
      return
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat "
        + "and exp values in the JWT claim."
    }
    let time = now.timeIntervalSince1970
    guard Double(from) <= time + 300, Double(to) > time - 300, Double(to) - Double(from) <= 3600 else {
      return
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat "
        + "and exp values in the JWT claim."
    }
    guard claims["scope"].text?.isEmpty == false || claims["target_audience"].text != nil else {
      return "Invalid JWT: it asks for no scope."
    }
    return nil
  }

  private static func bytes(_ base64url: String) -> Data? {
    Data(base64Encoded: base64url.replacing("-", with: "+").replacing("_", with: "/").paddedBase64)
  }

  private static func json(_ part: String) -> JSON? {
    bytes(part).flatMap { try? JSON(parsing: $0) }
  }
}
