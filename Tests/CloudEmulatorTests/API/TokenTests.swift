import COpenSSL
import Foundation
import Testing

@testable import CloudEmulator

struct TokenTests {
  /// Signs as a client does, with what is in the file.
  struct Signer {
    var file: JSON

    func assertion(_ change: (inout JSON, inout JSON) -> Void = { _, _ in }, at now: Date) -> String {
      var head: JSON = ["alg": "RS256", "typ": "JWT", "kid": file["private_key_id"]]
      let time = Int64(now.timeIntervalSince1970)
      var claims: JSON = [
        "iss": file["client_email"], "aud": file["token_uri"],
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "iat": .integer(time), "exp": .integer(time + 3600),
      ]
      change(&head, &claims)
      let text = Self.base64url(head.data) + "." + Self.base64url(claims.data)
      return text + "." + Self.base64url(sign(Data(text.utf8)))
    }

    private func sign(_ data: Data) -> Data {
      let pem = file["private_key"].text ?? ""
      let memory = pem.withCString { BIO_new_mem_buf($0, Int32(pem.utf8.count)) }
      defer { BIO_free(memory) }
      let key = PEM_read_bio_PrivateKey(memory, nil, nil, nil)
      defer { EVP_PKEY_free(key) }
      let context = EVP_MD_CTX_new()
      defer { EVP_MD_CTX_free(context) }
      var length = 512
      var signature = [UInt8](repeating: 0, count: length)
      let bytes = [UInt8](data)
      precondition(EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1)
      precondition(EVP_DigestSign(context, &signature, &length, bytes, bytes.count) == 1)
      return Data(signature.prefix(length))
    }

    private static func base64url(_ data: Data) -> String {
      data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
  }

  func grant(_ cloud: inout TestCloud, _ fields: [String: String]) throws -> TestCloud.Answer {
    let form = fields.map { name, value in
      "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")"
    }.joined(separator: "&")
    return try cloud.send(
      "POST", "/token", headers: ["content-type": "application/x-www-form-urlencoded"], data: Data(form.utf8))
  }

  static let signed = "urn:ietf:params:oauth:grant-type:jwt-bearer"

  @Test func `a good assertion has a token, which opens every service for an hour`() throws {
    var cloud = TestCloud { $0.requiresTokens = true }
    let assertion = Signer(file: cloud.emulation.tokens.serviceAccountFile).assertion(at: cloud.now)
    let token = try grant(&cloud, ["grant_type": Self.signed, "assertion": assertion])
    #expect(token.status == 200)
    #expect(token.json["token_type"] == "Bearer")
    #expect(token.json["expires_in"] == 3600)
    let headers = ["authorization": "Bearer \(token.json["access_token"].text ?? "")"]
    for path in ["/compute/v1/projects/proj/zones", "/v1/projects/proj/topics", "/storage/v1/b"] {
      #expect(try cloud.send("GET", path, headers: headers).status == 200, "\(path)")
      let refused = try cloud.send("GET", path)
      #expect(refused.status == 401, "\(path)")
      #expect(refused.code == "UNAUTHENTICATED")
      #expect(try cloud.send("GET", path, headers: ["authorization": "Bearer wrong"]).status == 401)
    }
    cloud.pass(3600)
    #expect(try cloud.send("GET", "/v1/projects/proj/topics", headers: headers).status == 401)
  }

  @Test(arguments: [
    "signature", "issuer", "audience", "expired", "from the future", "too long", "algorithm", "key", "scope", "form",
  ])
  func `an assertion that is not right in every part is refused`(part: String) throws {
    var cloud = TestCloud()
    let signer = Signer(file: cloud.emulation.tokens.serviceAccountFile)
    let time = Int64(cloud.now.timeIntervalSince1970)
    var assertion = signer.assertion(
      { head, claims in
        switch part {
        case "issuer": claims["iss"] = "somebody@else"
        case "audience": claims["aud"] = "https://elsewhere/token"
        case "expired":
          claims["iat"] = .integer(time - 7200)
          claims["exp"] = .integer(time - 3600)
        case "from the future":
          claims["iat"] = .integer(time + 3000)
          claims["exp"] = .integer(time + 6000)
        case "too long": claims["exp"] = .integer(time + 3601)
        case "algorithm": head["alg"] = "none"
        case "key": head["kid"] = "another"
        case "scope": claims["scope"] = ""
        default: break
        }
      }, at: cloud.now)
    if part == "signature" {
      let other = signer.assertion({ _, claims in claims["scope"] = "other" }, at: cloud.now)
      assertion =
        assertion.split(separator: ".").dropLast().joined(separator: ".") + "."
        + (other.split(separator: ".").last ?? "")
    }
    if part == "form" { assertion = "a.b" }
    let answer = try grant(&cloud, ["grant_type": Self.signed, "assertion": assertion])
    #expect(answer.status == 400)
    #expect(answer.json["error"] == "invalid_grant")
    // Never what was sent.
    #expect(!String(decoding: answer.body, as: UTF8.self).contains(assertion))
  }

  @Test func `refresh tokens and token exchanges are granted, revoked ones are not`() throws {
    var cloud = TestCloud()
    let refresh = ["grant_type": "refresh_token", "client_id": "a", "client_secret": "b"]
    #expect(try grant(&cloud, refresh.merging(["refresh_token": "x"]) { $1 }).json["access_token"].text != nil)
    let revoked = try grant(&cloud, refresh.merging(["refresh_token": "revoked"]) { $1 })
    #expect(revoked.json["error"] == "invalid_grant")
    let exchange = try cloud.send(
      "POST", "/v1/token",
      [
        "grantType": "urn:ietf:params:oauth:grant-type:token-exchange", "audience": "//iam.googleapis.com/x",
        "subjectToken": "t",
      ], headers: ["content-type": "application/json"])
    #expect(exchange.json["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token")
    let token = exchange.json["access_token"].text ?? ""
    let path = "/v1/projects/-/serviceAccounts/a@b:generateAccessToken"
    let impersonated = try cloud.send("POST", path, ["scope": ["x"]], headers: ["authorization": "Bearer \(token)"])
    #expect(impersonated.json["accessToken"].text != nil)
    #expect(try cloud.send("POST", path).status == 401)
    #expect(try grant(&cloud, ["grant_type": "magic"]).json["error"] == "unsupported_grant_type")
  }

  @Test func `a VM's token is as good, until all are revoked`() throws {
    var cloud = TestCloud { $0.requiresTokens = true }
    let token = cloud.emulation.tokens.issue(at: cloud.now)
    let headers = ["authorization": "Bearer \(token.value)"]
    #expect(try cloud.send("GET", "/v1/projects/proj/topics", headers: headers).status == 200)
    cloud.emulation.tokens.revokeAll()
    #expect(try cloud.send("GET", "/v1/projects/proj/topics", headers: headers).status == 401)
  }
}
