internal import Basics
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
  var hex: String { SHA256.hex(of: bytes) }
}
