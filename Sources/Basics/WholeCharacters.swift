/// UTF-8 that comes in pieces, or whose beginning is cut off.
package enum WholeCharacters {
  /// How many of the bytes come before a character at their end that is not complete. Bytes that are not UTF-8 are not
  /// waited for, so that at most three are left.
  package static func count(ofHead bytes: some BidirectionalCollection<UInt8>) -> Int {
    var back = 0
    // A character has at most four bytes; the first of them says how many.
    for byte in bytes.suffix(3).reversed() {
      back += 1
      if byte & 0xC0 == 0x80 { continue }
      let length = byte >= 0xF8 || byte < 0xC0 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
      return length > back ? bytes.count - back : bytes.count
    }
    return bytes.count
  }

  /// The text of bytes that may begin in the middle of a character.
  package static func text(ofTail bytes: [UInt8]) -> String {
    let cut = bytes.prefix(3).prefix { $0 & 0xC0 == 0x80 }.count
    return String(decoding: bytes.dropFirst(cut), as: UTF8.self)
  }
}
