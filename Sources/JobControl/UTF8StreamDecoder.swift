/// Bytes that come in pieces, as text: half a character waits for its other half.
package struct UTF8StreamDecoder: Sendable {
  private var pending: [UInt8] = []

  package init() {}

  package mutating func append(_ bytes: [UInt8]) -> String {
    pending += bytes
    var end = pending.count
    // A character has at most four bytes; the first of them says how many.
    for back in 1...3 where back <= pending.count {
      let byte = pending[pending.count - back]
      guard byte & 0xC0 == 0xC0 else {
        if byte & 0x80 == 0 { break }
        continue
      }
      let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
      if length > back { end = pending.count - back }
      break
    }
    defer { pending.removeFirst(end) }
    return String(decoding: pending[..<end], as: UTF8.self)
  }

  package var rest: String { String(decoding: pending, as: UTF8.self) }
}
