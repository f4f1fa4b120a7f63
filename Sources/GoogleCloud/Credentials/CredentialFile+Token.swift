internal import Foundation

extension CredentialFile {
  /// Asks Google for a token.
  func token(
    _ http: any HTTPSending, _ world: CloudEnvironment, scopes: [String] = [TokenEndpoint.scope]
  ) async throws(CloudError) -> AccessToken {
    switch self {
    case .serviceAccount(let account):
      try await account.token(TokenEndpoint(http: http, world: world, subject: account.clientEmail), scopes)
    case .authorizedUser(let user):
      try await user.token(TokenEndpoint(http: http, world: world, subject: "the user of gcloud's login"))
    case .externalAccount(let account):
      try await account.token(TokenEndpoint(http: http, world: world, subject: account.audience), scopes)
    case .impersonated(let account):
      try await Impersonation(url: account.serviceAccountImpersonationUrl, delegates: account.delegates)
        .token(from: try await account.source.token(http, world), http, world, scopes)
    }
  }
}

extension ServiceAccountKey {
  /// RFC 7523, as https://developers.google.com/identity/protocols/oauth2/service-account has it.
  func token(_ endpoint: TokenEndpoint, _ scopes: [String]) async throws(CloudError) -> AccessToken {
    func unusable(_ message: String) -> CloudError {
      CloudError(
        .unauthenticated, operation: "sign in as", subject: clientEmail, message: message,
        hint: "make a new key: gcloud iam service-accounts keys create FILE --iam-account \(clientEmail)")
    }
    guard let key = PrivateKey(pem: privateKey) else { throw unusable("its 'private_key' is not an RSA key in PEM") }
    let now = Int(endpoint.world.now().timeIntervalSince1970)
    let claims: [String: any Sendable] = [
      "iss": clientEmail, "aud": "https://oauth2.googleapis.com/token", "scope": scopes.joined(separator: " "),
      "iat": now, "exp": now + 3600,
    ]
    guard let assertion = JSONWebToken.signed(claims: claims, key: key, keyID: privateKeyId) else {
      throw unusable("its 'private_key' cannot sign")
    }
    let answer = try await endpoint.post(
      form: [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion.revealed)],
      to: tokenUri, hiding: [assertion, privateKey]
    ) { body in
      body.contains("invalid_grant")
        ? "the key may have been deleted or the account disabled, or this machine's clock may be wrong" : nil
    }
    return try endpoint.token(answer)
  }
}

extension AuthorizedUser {
  func token(_ endpoint: TokenEndpoint) async throws(CloudError) -> AccessToken {
    let answer = try await endpoint.post(
      form: [
        ("grant_type", "refresh_token"), ("client_id", clientId), ("client_secret", clientSecret.revealed),
        ("refresh_token", refreshToken.revealed),
      ], to: tokenUri ?? "https://oauth2.googleapis.com/token", hiding: [clientSecret, refreshToken]
    ) { body in
      body.contains("invalid_grant") || body.contains("invalid_rapt")
        ? "run 'gcloud auth application-default login'" : nil
    }
    return try endpoint.token(answer)
  }
}
