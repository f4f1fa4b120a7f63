internal import COpenSSL
internal import Foundation

/// Sums over bytes.
enum Digest {
  static func md5(_ data: Data) -> Data {
    var digest = [UInt8](repeating: 0, count: 16)
    var length: UInt32 = 0
    let isDone = data.withUnsafeBytes { EVP_Digest($0.baseAddress, $0.count, &digest, &length, EVP_md5(), nil) }
    // A system may forbid MD5; the field is then without use, and no client of ours reads it.
    return isDone == 1 ? Data(digest) : Data()
  }

  /// Castagnoli's, as Google's APIs give it.
  static func crc32c(_ data: Data) -> UInt32 {
    ~data.reduce(~UInt32(0)) { crc, byte in
      var crc = crc ^ UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82f6_3b78 : crc >> 1 }
      return crc
    }
  }
}
