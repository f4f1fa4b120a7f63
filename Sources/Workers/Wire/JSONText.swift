/// Whether bytes are one JSON value (RFC 8259). What a worker reports as an output is user code's word for it: it is
/// read again by other tasks, by the database and by whoever lists it.
enum JSONText {
  /// More than any coder takes apart.
  private static let mostDepth = 1_000

  static func isValid(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      var scanner = Scanner(bytes: bytes)
      return scanner.value()
    }
  }

  private struct Scanner {
    let bytes: UnsafeBufferPointer<UInt8>
    var offset = 0

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
      guard next == UInt8(ascii: character) else { return false }
      offset += 1
      return true
    }

    private mutating func skipBlanks() {
      while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { offset += 1 }
    }

    /// Without recursion: `open` has what each value is inside of.
    mutating func value() -> Bool {
      var open: [UInt8] = []
      while true {
        skipBlanks()
        if let kind = next, kind == UInt8(ascii: "{") || kind == UInt8(ascii: "[") {
          offset += 1
          skipBlanks()
          let isObject = kind == UInt8(ascii: "{")
          if !(isObject ? skip("}") : skip("]")) {
            open.append(kind)
            // On to its first value.
            guard open.count <= mostDepth, !isObject || key() else { return false }
            continue
          }
        } else if !scalar() {
          return false
        }
        guard close(&open) else { return false }
        if open.isEmpty { return offset == bytes.count }
      }
    }

    private mutating func scalar() -> Bool {
      switch next {
      case UInt8(ascii: "\""): string()
      case UInt8(ascii: "t"): word("true")
      case UInt8(ascii: "f"): word("false")
      case UInt8(ascii: "n"): word("null")
      default: number()
      }
    }

    /// After a value: closes what it is the last of, or continues to the next.
    private mutating func close(_ open: inout [UInt8]) -> Bool {
      skipBlanks()
      while let last = open.last {
        if skip(",") { return last != UInt8(ascii: "{") || key() }
        guard last == UInt8(ascii: "{") ? skip("}") : skip("]") else { return false }
        open.removeLast()
        skipBlanks()
      }
      return true
    }

    private mutating func key() -> Bool {
      skipBlanks()
      guard string() else { return false }
      skipBlanks()
      return skip(":")
    }

    private mutating func word(_ word: StaticString) -> Bool {
      guard bytes.count - offset >= word.utf8CodeUnitCount else { return false }
      for index in 0..<word.utf8CodeUnitCount where bytes[offset + index] != word.utf8Start[index] { return false }
      offset += word.utf8CodeUnitCount
      return true
    }

    private mutating func string() -> Bool {
      guard skip("\"") else { return false }
      while let byte = next {
        offset += 1
        if byte == UInt8(ascii: "\"") { return true }
        if byte < 0x20 { return false }
        guard byte == UInt8(ascii: "\\") else { continue }
        guard let escaped = next else { return false }
        offset += 1
        if escaped == UInt8(ascii: "u") {
          for _ in 0..<4 {
            guard let digit = next, Character(Unicode.Scalar(digit)).isHexDigit else { return false }
            offset += 1
          }
        } else if !"\"\\/bfnrt".utf8.contains(escaped) {
          return false
        }
      }
      return false
    }

    private mutating func number() -> Bool {
      _ = skip("-")
      if !skip("0") { guard digits() else { return false } }
      if skip(".") { guard digits() else { return false } }
      guard skip("e") || skip("E") else { return true }
      if !skip("+") { _ = skip("-") }
      return digits()
    }

    private mutating func digits() -> Bool {
      let start = offset
      while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { offset += 1 }
      return offset > start
    }
  }
}
