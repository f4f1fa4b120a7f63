/// Bytes that come in pieces, as whole lines of text.
package struct LogLineBuffer: Sendable {
  private var text = UTF8StreamDecoder()
  private var pending = ""

  package init() {}

  /// - Returns: the lines that are complete now, each with its end; a line that grows too long comes in pieces.
  package mutating func append(_ bytes: [UInt8]) -> String {
    pending += text.append(bytes)
    guard pending.utf8.count < Self.longestLine else {
      defer { pending = "" }
      return pending
    }
    // By bytes: "\r\n" is one character, and not a newline.
    guard let newline = pending.utf8.lastIndex(of: UInt8(ascii: "\n")) else { return "" }
    let end = pending.utf8.index(after: newline)
    let lines = String(decoding: pending.utf8[..<end], as: UTF8.self)
    pending = String(decoding: pending.utf8[end...], as: UTF8.self)
    return lines
  }

  /// What has no end yet; it gets one.
  package mutating func rest() -> String {
    let rest = pending + text.rest
    (pending, text) = ("", UTF8StreamDecoder())
    return rest.isEmpty || rest.hasSuffix("\n") ? rest : rest + "\n"
  }

  private static let longestLine = 64 << 10
}
