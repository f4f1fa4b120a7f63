import Foundation
import Presentation
import Testing

@testable import CLI

@Suite struct ShownTextTests {
  private static let obeyed: [UInt32] =
    Array(0..<0x20).filter { $0 != 0x09 && $0 != 0x0A } + Array(0x7F..<0xA0)
    + [0x61C, 0x200B, 0x200E, 0x200F] + Array(0x2028...0x202E) + Array(0x2060...0x2064) + Array(0x2066...0x2069)
    + [0xFEFF, 0xE0041]

  @Test func `every character that a terminal obeys is shown, by every way out`() throws {
    for value in Self.obeyed {
      let scalar = try #require(Unicode.Scalar(value))
      let text = "a\(scalar)b"
      let test = TestSession()
      test.session.output.write(text)
      test.session.output.line(text)
      test.session.output.paragraph(text)
      let record: OutputObject = [
        "name": .text(text), "list": .list([.text(text)]), "object": .object(["x": .text(text)]),
      ]
      for format in [OutputFormat.table, .plain] {
        try record.print(format, to: test.session)
        try Listing(records: [record], columns: ["name", "list", "object"], whenEmpty: "").print(
          format, to: test.session)
      }
      test.session.errors.write(UserError(.notFound, text, hint: text).text)
      let all = test.output + test.errors
      #expect(!all.unicodeScalars.contains(scalar), "U+\(String(value, radix: 16)): \(all.debugDescription)")
    }
  }

  @Test func `data reads the same, and holds none of them`() throws {
    for value in Self.obeyed where value < 0x10000 && value != 0x0D {
      let scalar = try #require(Unicode.Scalar(value))
      let text = "a\(scalar)b"
      let record: OutputObject = ["name": .text(text), "\(scalar)": .int(1)]
      let test = TestSession()
      try record.print(.json, to: test.session)
      let json = try JSONSerialization.jsonObject(with: Data(test.output.utf8)) as? [String: Any]
      #expect(json?["name"] as? String == text)
      let yaml = TestSession()
      try record.print(.yaml, to: yaml.session)
      for output in [test.output, yaml.output] {
        #expect(!output.unicodeScalars.contains(scalar), "U+\(String(value, radix: 16)): \(output.debugDescription)")
      }
    }
  }

  @Test func `one line stays one line, and what is plain stays as it is`() {
    let test = TestSession()
    test.session.output.line("a\nerror: b\tc\r\nd")
    #expect(test.output == "a\\nerror: b\\tc\\x0d\\nd\n")
    #expect(ShownText.escape("Größe 日本 🎉\n\ttext") == "Größe 日本 🎉\n\ttext")
  }

  @Test func `a further line of a sentence is indented`() {
    let test = TestSession()
    test.session.errors.paragraph("what\nerror: forged")
    #expect(test.errors == "what\n  error: forged\n")
  }

  @Test func `colours are dagrun's own, and no text can have them`() {
    let output = Output(isTerminal: true, columns: 80, isColoured: true) { text in
      #expect(text == "\u{1B}[31mred\u{1B}[0m \\x1b[31mfalse\n")
    }
    output.line(output.style.red("red") + " \u{1B}[31mfalse")
  }
}
