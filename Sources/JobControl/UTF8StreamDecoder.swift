internal import Basics

/// Bytes that come in pieces, as text: half a character waits for its other half.
package struct UTF8StreamDecoder: Sendable {
  private var pending: [UInt8] = []

  package init() {}

  package mutating func append(_ bytes: [UInt8]) -> String {
    pending += bytes
    let end = WholeCharacters.count(ofHead: pending)
    defer { pending.removeFirst(end) }
    return String(decoding: pending[..<end], as: UTF8.self)
  }

  package var rest: String { String(decoding: pending, as: UTF8.self) }
}
