internal import COpenSSL
package import Foundation

/// SHA-256 by libcrypto, which the process has loaded anyway for TLS. A pure function, so it may be used in the core: the
/// same bytes always give the same digest.
enum Digest {
  static func sha256(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let isDone = EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil)
    precondition(isDone == 1 && length == 32, "libcrypto has no SHA-256")
    return digest
  }

  /// The parts cannot run into each other: each is preceded by its length.
  static func sha256(parts: [String]) -> [UInt8] {
    sha256(parts.map { "\($0.utf8.count) \($0)" }.joined(separator: " "))
  }
}

extension UUID {
  /// The same for the same parts, whoever makes it and whenever (version 8 of RFC 9562: "custom").
  package static func derived(from parts: [String]) -> UUID {
    var bytes = Array(Digest.sha256(parts: parts).prefix(16))
    bytes[6] = bytes[6] & 0x0f | 0x80
    bytes[8] = bytes[8] & 0x3f | 0x80
    return bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
  }
}
