import Testing

@testable import JobControl

@Suite struct LogLineBufferTests {
  @Test func `half a character of a log waits for its other half`() {
    var text = UTF8StreamDecoder()
    let bytes = Array("aé€😀".utf8)
    var result = ""
    for byte in bytes { result += text.append([byte]) }
    #expect(result + text.rest == "aé€😀")
  }

  @Test func `a log comes in whole lines, whatever the pieces`() {
    var lines = LogLineBuffer()
    var pieces: [String] = []
    for byte in Array("aé€\n😀\r\n\nend".utf8) { pieces.append(lines.append([byte])) }
    #expect(pieces.filter { !$0.isEmpty } == ["aé€\n", "😀\r\n", "\n"])
    #expect(lines.rest() == "end\n")
    #expect(lines.rest() == "")
    #expect(lines.append(Array("one\ntwo\nthr".utf8)) == "one\ntwo\n")
  }

  @Test func `a line without an end does not grow for ever`() {
    var lines = LogLineBuffer()
    var text = ""
    for _ in 0..<100 { text += lines.append([UInt8](repeating: UInt8(ascii: "x"), count: 1024)) }
    #expect(text.utf8.count >= 64 << 10)
    text += lines.rest()
    #expect(text == String(repeating: "x", count: 100 << 10) + "\n")
  }
}
