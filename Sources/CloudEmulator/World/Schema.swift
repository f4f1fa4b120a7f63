internal import Foundation

/// Which fields a message may have, and of what type. Checked at every depth, as the front door of Google's APIs
/// does: a misspelt field is an error there, never ignored.
struct Schema: Hashable, Sendable {
  private indirect enum Kind: Hashable, Sendable {
    case string, boolean, integer, int64, number, bytes, any
    case choice(Set<String>)
    case list(Kind)
    case map(Kind)
    case message(String)
  }

  private var messages: [String: [String: Kind]] = [:]

  /// A message's name at the margin; below it, indented, its fields as `name:type`. Types: `string`, `boolean`,
  /// `integer`, `int64`, `number`, `bytes`, `any`, `A|B` (an enumeration), `[type]`, `{type}` (a map), a message's
  /// name.
  init(_ text: String) {
    var current = ""
    for line in text.split(separator: "\n") {
      guard line.first == " " else {
        current = String(line)
        messages[current] = [:]
        continue
      }
      for field in line.split(separator: " ") {
        let parts = field.split(separator: ":", maxSplits: 1)
        messages[current]?[String(parts[0])] = Self.kind(parts[1])
      }
    }
  }

  private static func kind(_ text: Substring) -> Kind {
    switch text {
    case "string": return .string
    case "boolean": return .boolean
    case "integer": return .integer
    case "int64": return .int64
    case "number": return .number
    case "bytes": return .bytes
    case "any": return .any
    default:
      if text.first == "[" { return .list(kind(text.dropFirst().dropLast())) }
      if text.first == "{" { return .map(kind(text.dropFirst().dropLast())) }
      if text.contains("|") { return .choice(Set(text.split(separator: "|").map(String.init))) }
      return .message(String(text))
    }
  }

  /// - Parameter ignoresUnknown: a field that a message does not have is not an error; all others are checked.
  func check(_ body: JSON, is message: String, ignoresUnknown: Bool = false) throws(APIFailure) {
    try check(body, .message(message), at: "", ignoresUnknown)
  }

  private func check(_ value: JSON, _ kind: Kind, at path: String, _ ignoresUnknown: Bool) throws(APIFailure) {
    switch (kind, value) {
    case (_, .null), (.any, _), (.string, .string), (.boolean, .bool), (.number, .number), (.number, .integer): return
    case (.integer, _), (.int64, _):
      guard value.whole != nil else { throw mismatch(value, kind, path) }
    case (.bytes, .string(let text)):
      guard Data(base64Encoded: text.replacing("-", with: "+").replacing("_", with: "/").paddedBase64) != nil else {
        throw mismatch(value, kind, path)
      }
    case (.choice(let names), .string(let name)):
      guard names.contains(name) else { throw mismatch(value, kind, path) }
    // Google's clients for Python send the numbers of enumerations.
    case (.choice, .integer): return
    case (.list(let element), .array(let elements)):
      for (index, value) in elements.enumerated() { try check(value, element, at: "\(path)[\(index)]", ignoresUnknown) }
    case (.map(let element), .object(let fields)):
      for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
        try check(value, element, at: path + (path.isEmpty ? "" : ".") + name, ignoresUnknown)
      }
    case (.message(let message), .object(let fields)):
      let known = messages[message] ?? [:]
      for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
        guard let kind = known[name] else {
          if ignoresUnknown { continue }
          let place = path.isEmpty ? "" : " at '\(path)'"
          throw .badRequest("Invalid JSON payload received. Unknown name \"\(name)\"\(place): Cannot find field.")
        }
        try check(value, kind, at: path + (path.isEmpty ? "" : ".") + name, ignoresUnknown)
      }
    case (.string, _), (.boolean, _), (.number, _), (.bytes, _), (.choice, _), (.list, _), (.map, _), (.message, _):
      throw mismatch(value, kind, path)
    }
  }

  private func mismatch(_ value: JSON, _ kind: Kind, _ path: String) -> APIFailure {
    let type =
      switch kind {
      case .string: "TYPE_STRING"
      case .boolean: "TYPE_BOOL"
      case .integer: "TYPE_INT32"
      case .int64: "TYPE_INT64"
      case .number: "TYPE_DOUBLE"
      case .bytes: "TYPE_BYTES"
      case .any: "TYPE_ANY"
      case .choice: "TYPE_ENUM"
      case .list: "TYPE_LIST"
      case .map: "TYPE_MAP"
      case .message(let name): "type.googleapis.com/google.cloud.\(name)"
      }
    return .badRequest("Invalid value at '\(path)' (\(type)), \(String(decoding: value.data, as: UTF8.self))")
  }
}

extension String {
  /// With the `=` that some leave out.
  var paddedBase64: String { self + String(repeating: "=", count: (4 - utf8.count % 4) % 4) }
}
