internal import Foundation

/// Text on its way to a person. What tasks, files and answers say may hold characters that a terminal obeys: it clears
/// the screen, changes its title, writes to the clipboard, or shows a line as if dagrun had said it. They are shown,
/// not sent.
///
///     "\u{1B}[2J"   \x1b[2J
///     "\u{202E}"    \u{202e}       turns the direction of what follows
package enum ShownText {
  package enum Spelling {
    /// `\x1b`
    case text
    /// `\u001b`, which JSON and YAML in double quotes read as the character itself.
    case data
  }

  /// - Parameter keepsLines: newlines and tabs stay; else they are shown too, so that one line stays one line.
  package static func escape(_ text: String, keepsLines: Bool = true, as spelling: Spelling = .text) -> String {
    // Most texts need nothing, and are long when it matters.
    guard text.utf8.contains(where: { $0 < 0x20 && !(keepsLines && $0 == 0x0A) || $0 >= 0x7F }),
      text.unicodeScalars.contains(where: { isObeyed($0, keepsLines) })
    else { return text }
    var shown = ""
    for scalar in text.unicodeScalars {
      if isObeyed(scalar, keepsLines) {
        shown += escaped(scalar, spelling)
      } else {
        shown.unicodeScalars.append(scalar)
      }
    }
    return shown
  }

  /// On one line, whatever it holds.
  package static func line(_ text: String) -> String { escape(text, keepsLines: false) }

  package static func isPlain(_ text: String) -> Bool { !text.unicodeScalars.contains { isObeyed($0, true) } }

  private static func isObeyed(_ scalar: Unicode.Scalar, _ keepsLines: Bool) -> Bool {
    switch scalar.value {
    case 0x09, 0x0A: !keepsLines
    case ..<0x20, 0x7F..<0xA0: true
    case ..<0x61C: false
    // Marks that change the direction of text, and the separators of lines and paragraphs.
    case 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    // Invisible: zero width, and the tags that spell a hidden text.
    case 0x200B, 0x2060...0x2064, 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F: true
    default: false
    }
  }

  private static func escaped(_ scalar: Unicode.Scalar, _ spelling: Spelling) -> String {
    switch (spelling, scalar) {
    case (.text, "\n"): return "\\n"
    case (.text, "\t"): return "\\t"
    case (.text, _):
      return scalar.value < 0x100 ? "\\x" + hex(scalar.value, 2) : "\\u{" + String(scalar.value, radix: 16) + "}"
    case (.data, "\r"), (.data, "\u{E0000}"..."\u{E007F}"):
      // The one may stand between values, and the other has no spelling that both have.
      return String(scalar)
    case (.data, _):
      return UTF16.encode(scalar)!.map { "\\u" + hex(UInt32($0), 4) }.joined()
    }
  }

  private static func hex(_ value: UInt32, _ digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}

extension ShownText {
  /// Stands for the escape character in what dagrun itself writes: colours. No text from elsewhere can hold it, because
  /// it is drawn anew by each process.
  package static let mark: String = {
    // Characters that stand for nothing, and never will.
    let range: ClosedRange<UInt32> = 0xFDD0...0xFDEF
    return String(String.UnicodeScalarView((0..<12).map { _ in Unicode.Scalar(UInt32.random(in: range))! }))
  }()

  /// As a terminal gets it.
  package static func finish(_ text: String, keepsLines: Bool = true) -> String {
    let shown = escape(text, keepsLines: keepsLines)
    guard shown.utf8.contains(0xEF), shown.contains(mark) else { return shown }
    return shown.replacingOccurrences(of: mark, with: "\u{1B}", options: .literal)
  }
}
