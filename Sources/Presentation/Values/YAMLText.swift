internal import Dagrun
internal import Yams

/// Writes YAML with the fields in their order.
package enum YAMLText {
  package static func write(_ value: OutputValue) throws -> String {
    try Yams.serialize(node: node(value), allowUnicode: true)
  }

  private static func node(_ value: OutputValue) -> Node {
    switch value {
    case .null: Node("null", Tag(.null))
    case .bool(let value): Node(value ? "true" : "false", Tag(.bool))
    case .int(let value): Node(String(value), Tag(.int))
    case .double(let value): Node(JSONText.number(value), Tag(.float))
    case .text(let value): text(value)
    // Quoted: a bare date is not a string in YAML, and readers turn it into what they like.
    case .time(let value): Node(value.iso8601, Tag(.str), .doubleQuoted)
    case .json(let text): node(OutputValue(jsonText: text))
    case .list(let values): Node(values.map(node), Tag(.seq), values.isEmpty ? .flow : .block)
    case .object(let record):
      Node(
        record.fields.map { (text($0.name), node($0.value)) }, Tag(.map), record.fields.isEmpty ? .flow : .block)
    }
  }

  /// Quoted where a reader would take the bare text for something else: `no`, `1.0`, `null`, a date.
  private static func text(_ value: String) -> Node {
    // Quoted, so that its control characters can be written as what they are.
    if !ShownText.isPlain(value) { return Node(value, Tag(.str), .doubleQuoted) }
    let resolved = Resolver.default.resolveTag(of: Node(value))
    if value.contains("\n") { return Node(value, Tag(.str), .literal) }
    return Node(value, Tag(.str), resolved == .str ? .any : .doubleQuoted)
  }
}
