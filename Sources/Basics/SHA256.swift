internal import COpenSSL
package import Foundation

/// By libcrypto, which the process has loaded anyway for TLS. A pure function: it may be used where nothing else may
/// act.
package enum SHA256 {
  /// 32 bytes.
  package static func digest(of bytes: some ContiguousBytes) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let isDone = bytes.withUnsafeBytes { EVP_Digest($0.baseAddress, $0.count, &digest, &length, EVP_sha256(), nil) }
    precondition(isDone == 1 && length == 32, "libcrypto has no SHA-256")
    return digest
  }

  /// 64 digits.
  package static func hex(of bytes: some ContiguousBytes) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let digest = digest(of: bytes)
    return String(unsafeUninitializedCapacity: 64) { buffer in
      for (index, byte) in digest.enumerated() {
        buffer[2 * index] = digits[Int(byte >> 4)]
        buffer[2 * index + 1] = digits[Int(byte & 15)]
      }
      return 64
    }
  }
}
