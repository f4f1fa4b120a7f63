package import Dagrun
internal import Foundation

/// A value on its way to a table, JSON or YAML. Unlike `JSONValue` it keeps the order of an object's fields, so that
/// what people read stays where they expect it.
package indirect enum OutputValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case text(String)
  case time(Timestamp)
  case list([OutputValue])
  case object(OutputObject)
  /// JSON text, which is printed as it is: reading it would cost time, and the last digits of large numbers.
  case json(String)

  package init(_ value: JSONValue) {
    switch value {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .int(let value): self = .int(value)
    case .double(let value): self = .double(value)
    case .string(let value): self = .text(value)
    case .array(let values): self = .list(values.map(OutputValue.init))
    case .object(let fields):
      let sorted = fields.sorted { $0.key < $1.key }
      self = .object(OutputObject(sorted.map { ($0.key, OutputValue($0.value)) }))
    }
  }

  package static func int(_ value: Int) -> OutputValue { .int(Int64(value)) }
  package static func int(_ value: Int32) -> OutputValue { .int(Int64(value)) }
  package static func optional(_ value: String?) -> OutputValue { value.map(OutputValue.text) ?? .null }
  package static func optional(_ value: Timestamp?) -> OutputValue { value.map(OutputValue.time) ?? .null }
  package static func optional(_ value: Double?) -> OutputValue { value.map(OutputValue.double) ?? .null }
  package static func optional(_ value: Int?) -> OutputValue { value.map { .int($0) } ?? .null }

  /// In one cell of a table. Nothing for null.
  package var cell: String {
    switch self {
    case .null: ""
    case .bool(let value): value ? "true" : "false"
    case .int(let value): String(value)
    case .double(let value): JSONText.number(value)
    case .text(let value): ShownText.escape(value)
    case .time(let value): value.iso8601
    case .list(let values): values.map(\.cell).joined(separator: ", ")
    case .object: JSONText.compact(self)
    case .json(let text): ShownText.escape(text)
    }
  }
}

/// Named values in an order.
package struct OutputObject: Hashable, Sendable {
  package struct Field: Hashable, Sendable {
    package var name: String
    package var value: OutputValue
  }

  package private(set) var fields: [Field]

  package init(_ fields: [(String, OutputValue)]) {
    self.fields = fields.map { Field(name: $0.0, value: $0.1) }
  }

  package subscript(name: String) -> OutputValue? { fields.first { $0.name == name }?.value }

  package mutating func append(_ name: String, _ value: OutputValue) { fields.append(Field(name: name, value: value)) }
}

extension OutputObject: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral elements: (String, OutputValue)...) { self.init(elements) }
}

extension OutputValue {
  /// JSON text from the database; what is not JSON stays a text.
  package init(jsonText: String) {
    let value = try? JSONDecoder().decode(JSONValue.self, from: Data(jsonText.utf8))
    self = value.map { OutputValue($0) } ?? .text(jsonText)
  }

  /// As its JSON says it, keys sorted.
  package init(encoding value: some Encodable) throws {
    self = OutputValue(try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value)))
  }
}
