import COpenSSL
import Foundation
import Processes

@testable import GoogleCloud

/// A folder that goes away with the test.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("dagrun-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// - Returns: the path of the file.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let file = URL(fileURLWithPath: "\(path)/\(name)")
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
    return file.path
  }
}

/// A key made for this run: none lies in the repository.
final class SampleKey: @unchecked Sendable {
  static let shared = SampleKey()
  private let key: OpaquePointer
  /// PKCS#8.
  let pem: String
  /// PKCS#1.
  let oldPEM: String

  private init() {
    key = copenssl_new_rsa_key(2048)
    pem = Self.text { PEM_write_bio_PKCS8PrivateKey($0, $1, nil, nil, 0, nil, nil) }(key)
    oldPEM = Self.text { PEM_write_bio_PrivateKey_traditional($0, $1, nil, nil, 0, nil, nil) }(key)
  }

  private static func text(_ write: @escaping (OpaquePointer?, OpaquePointer) -> Int32) -> (OpaquePointer) -> String {
    { key in
      let bytes = BIO_new(BIO_s_mem())
      defer { BIO_free(bytes) }
      _ = write(bytes, key)
      var buffer = [UInt8](repeating: 0, count: 1 << 14)
      let count = BIO_read(bytes, &buffer, Int32(buffer.count))
      return String(decoding: buffer.prefix(Int(count)), as: UTF8.self)
    }
  }

  func verifies(_ message: String, _ signature: Data) -> Bool {
    let message = Array(message.utf8)
    let signature = Array(signature)
    return copenssl_verify_sha256(key, message, message.count, signature, signature.count) == 1
  }
}

enum Samples {
  static let tokenURL = "https://oauth.example/token"

  static let authorizedUser = json([
    "type": "authorized_user", "client_id": "id", "client_secret": "s3cret", "refresh_token": "r3fresh",
    "token_uri": tokenURL, "quota_project_id": "payer",
  ])

  static func serviceAccount(_ change: [String: Any?] = [:]) -> String {
    var fields: [String: Any] = [
      "type": "service_account", "project_id": "their-project", "private_key_id": "kid-1",
      "private_key": SampleKey.shared.pem, "client_email": "robot@their-project.iam.gserviceaccount.com",
      "token_uri": tokenURL,
    ]
    for (name, value) in change { fields[name] = value }
    return json(fields)
  }

  static func externalAccount(_ source: [String: Any], _ change: [String: Any] = [:]) -> String {
    var fields: [String: Any] = [
      "type": "external_account", "audience": "//iam.googleapis.com/pools/p",
      "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": "https://sts.example/v1/token",
      "credential_source": source,
    ]
    for (name, value) in change { fields[name] = value }
    return json(fields)
  }

  static func json(_ object: Any) -> String {
    String(decoding: try! JSONSerialization.data(withJSONObject: object, options: .sortedKeys), as: UTF8.self)
  }
}
