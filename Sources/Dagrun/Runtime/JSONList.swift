internal import Foundation

/// The elements of a list in JSON text, each as JSON text of its own. Finds where they begin and end, without reading
/// what they are.
package struct JSONList: Sendable {
  private let text: [UInt8]
  private var elements: [Range<Int>] = []

  /// nil: the text is no list.
  ///
  /// - Parameter json: valid JSON. Of a text in it, what the text says: a shell task writes its list as text.
  package init?(_ json: String) {
    let bytes = Array(json.utf8)
    switch bytes.first(where: { !Self.isSpace($0) }) {
    case UInt8(ascii: "["): text = bytes
    case UInt8(ascii: "\""):
      // Anything may stand in a text, so it is read once as a whole.
      guard let written = try? JSONDecoder().decode(String.self, from: Data(bytes)),
        written.utf8.first(where: { !Self.isSpace($0) }) == UInt8(ascii: "["),
        (try? JSONDecoder().decode(JSONValue.self, from: Data(written.utf8))) != nil
      else { return nil }
      text = Array(written.utf8)
    default: return nil
    }
    findElements()
  }

  /// - Parameter elements: JSON texts.
  package init(_ elements: [String]) {
    var text: [UInt8] = []
    for element in elements {
      let start = text.count
      text += element.utf8
      self.elements.append(start..<text.count)
    }
    self.text = text
  }

  package var count: Int { elements.count }

  /// JSON text.
  package subscript(index: Int) -> String { String(decoding: text[elements[index]], as: UTF8.self) }

  private mutating func findElements() {
    var depth = 0
    var isInString = false
    var isEscaped = false
    /// Of the current element, without the white space around it.
    var start: Int?
    var end = 0
    for (index, byte) in text.enumerated() {
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
        end = index + 1
        continue
      }
      if Self.isSpace(byte) { continue }
      switch byte {
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        depth += 1
        if depth == 1 { continue }
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        depth -= 1
      case UInt8(ascii: "\""): isInString = true
      default: break
      }
      if depth == 0 || (depth == 1 && byte == UInt8(ascii: ",")) {
        if let first = start { elements.append(first..<end) }
        start = nil
        continue
      }
      start = start ?? index
      end = index + 1
    }
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}

extension TaskMapping {
  /// An instance's element of each list, as JSON texts; nil: there is no such instance.
  ///
  /// - Parameter all: the lists, in their order.
  package func elements(at mapIndex: Int, of all: [JSONList]) -> [String]? {
    let indices = indices(at: mapIndex, all.map(\.count))
    guard zip(all, indices).allSatisfy({ 0 <= $1 && $1 < $0.count }) else { return nil }
    return zip(all, indices).map { $0[$1] }
  }
}
