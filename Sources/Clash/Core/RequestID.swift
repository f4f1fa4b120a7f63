internal import Basics
package import Foundation

extension SHA256 {
  /// The parts cannot run into each other: each is preceded by its length.
  static func digest(ofParts parts: [String]) -> [UInt8] {
    digest(of: Array(parts.map { "\($0.utf8.count) \($0)" }.joined(separator: " ").utf8))
  }
}

extension UUID {
  /// The same for the same parts, in any process at any time (version 8 of RFC 9562: "custom").
  package static func derived(from parts: [String]) -> UUID {
    var bytes = Array(SHA256.digest(ofParts: parts).prefix(16))
    bytes[6] = bytes[6] & 0x0f | 0x80
    bytes[8] = bytes[8] & 0x3f | 0x80
    return bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
  }
}
