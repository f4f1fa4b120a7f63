internal import COpenSSL
internal import Foundation

/// An RSA key that signs.
final class PrivateKey: @unchecked Sendable {
  // Never changed once made; OpenSSL lets many threads sign by one key.
  private let key: OpaquePointer

  /// PEM, PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA PRIVATE KEY`); nil for anything else.
  init?(pem: Secret) {
    var text = pem.revealed
    let key = text.withUTF8 { copenssl_rsa_private_key($0.baseAddress, Int32(clamping: $0.count)) }
    guard let key else { return nil }
    self.key = key
  }

  deinit { EVP_PKEY_free(key) }

  /// RS256: RSASSA-PKCS1-v1_5 with SHA-256. nil when OpenSSL refuses, as it does a key that is too short.
  func signature(of message: [UInt8]) -> [UInt8]? {
    var length = Int(EVP_PKEY_get_size(key))
    var signature = [UInt8](repeating: 0, count: length)
    guard copenssl_sign_sha256(key, message, message.count, &signature, &length) == 1 else { return nil }
    return Array(signature.prefix(length))
  }
}

/// A JSON Web Token (RFC 7519), signed by RS256.
enum JSONWebToken {
  static func signed(claims: [String: any Sendable], key: PrivateKey, keyID: String?) -> Secret? {
    var header = ["alg": "RS256", "typ": "JWT"]
    header["kid"] = keyID
    guard let head = encoded(header), let payload = encoded(claims),
      let signature = key.signature(of: Array("\(head).\(payload)".utf8))
    else { return nil }
    return Secret("\(head).\(payload).\(base64URL(Data(signature)))")
  }

  private static func encoded(_ object: [String: any Sendable]) -> String? {
    let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
    return (try? JSONSerialization.data(withJSONObject: object, options: options)).map(base64URL)
  }

  /// RFC 4648, section 5, without padding.
  static func base64URL(_ data: Data) -> String {
    data.base64EncodedString().replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
      .replacingOccurrences(of: "=", with: "")
  }
}
