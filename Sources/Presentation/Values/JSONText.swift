internal import Dagrun

/// Writes JSON with the fields in their order. (Foundation's encoder sorts them or shuffles them.)
package enum JSONText {
  /// Two spaces a level, a field a line.
  package static func pretty(_ value: OutputValue) -> String {
    var text = ""
    write(value, indent: 0, isPretty: true, into: &text)
    return text
  }

  package static func compact(_ value: OutputValue) -> String {
    var text = ""
    write(value, indent: 0, isPretty: false, into: &text)
    return text
  }

  /// The shortest digits that read back as the same number; JSON has no infinities, so those are null.
  package static func number(_ value: Double) -> String {
    guard value.isFinite else { return "null" }
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func write(_ value: OutputValue, indent: Int, isPretty: Bool, into text: inout String) {
    switch value {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .int(let value): text += String(value)
    case .double(let value): text += number(value)
    case .text(let value): JSONValue.quote(value, to: &text)
    case .time(let value): JSONValue.quote(value.iso8601, to: &text)
    case .json(let json): text += json
    case .list(let values):
      writeItems(values, brackets: ("[", "]"), indent: indent, isPretty: isPretty, into: &text) { item, text in
        write(item, indent: indent + 1, isPretty: isPretty, into: &text)
      }
    case .object(let record):
      writeItems(record.fields, brackets: ("{", "}"), indent: indent, isPretty: isPretty, into: &text) { field, text in
        JSONValue.quote(field.name, to: &text)
        text += isPretty ? ": " : ":"
        write(field.value, indent: indent + 1, isPretty: isPretty, into: &text)
      }
    }
  }

  private static func writeItems<Item>(
    _ items: [Item], brackets: (String, String), indent: Int, isPretty: Bool, into text: inout String,
    writeItem: (Item, inout String) -> Void
  ) {
    text += brackets.0
    for (index, item) in items.enumerated() {
      if index > 0 { text += "," }
      if isPretty { text += "\n" + String(repeating: "  ", count: indent + 1) }
      writeItem(item, &text)
    }
    if isPretty && !items.isEmpty { text += "\n" + String(repeating: "  ", count: indent) }
    text += brackets.1
  }
}
