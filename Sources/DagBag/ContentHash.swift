internal import COpenSSL
internal import Foundation

/// The SHA-256 of a list of named parts. Lengths are hashed too, so that no two lists give the same bytes.
struct ContentHash {
  private var bytes = Data()

  mutating func add(_ name: String, _ content: some Sequence<UInt8>) {
    let content = Data(content)
    bytes.append(contentsOf: "\(name.utf8.count) \(name) \(content.count) ".utf8)
    bytes.append(content)
  }

  mutating func add(_ name: String, _ text: String) { add(name, text.utf8) }

  /// 64 hexadecimal digits.
  var hex: String { Self.hex(of: bytes) }

  static func hex(of data: Data) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let isDone = data.withUnsafeBytes {
      EVP_Digest($0.baseAddress, $0.count, &digest, &length, EVP_sha256(), nil)
    }
    precondition(isDone == 1 && length == 32, "libcrypto has no SHA-256")
    let digits = Array("0123456789abcdef".utf8)
    return String(unsafeUninitializedCapacity: 64) { buffer in
      for (index, byte) in digest.enumerated() {
        buffer[2 * index] = digits[Int(byte >> 4)]
        buffer[2 * index + 1] = digits[Int(byte & 15)]
      }
      return 64
    }
  }
}
