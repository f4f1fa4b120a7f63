internal import Foundation

/// A JSON value.
enum JSON: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([String: JSON])

  init(parsing data: Data) throws {
    self = try JSONDecoder().decode(JSON.self, from: data)
  }

  /// Keys in order, so that equal values are equal bytes.
  var data: Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    // Only a number that is not finite cannot be encoded, and no JSON text has one.
    return (try? encoder.encode(self)) ?? Data("null".utf8)
  }

  /// Null where there is no such field, or this is not an object.
  subscript(key: String) -> JSON {
    get {
      guard case .object(let fields) = self else { return .null }
      return fields[key] ?? .null
    }
    set {
      guard case .object(var fields) = self else { return }
      fields[key] = newValue == .null ? nil : newValue
      self = .object(fields)
    }
  }

  var text: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  var flag: Bool? {
    guard case .bool(let flag) = self else { return nil }
    return flag
  }

  /// A whole number, or the text of one, as Google writes 64-bit numbers.
  var whole: Int? {
    switch self {
    case .integer(let value): Int(value)
    case .string(let text): Int(text)
    case .number(let value): Int(exactly: value)
    case .null, .bool, .array, .object: nil
    }
  }

  /// Empty where this is not an array.
  var elements: [JSON] {
    guard case .array(let elements) = self else { return [] }
    return elements
  }

  /// Empty where this is not an object.
  var fields: [String: JSON] {
    guard case .object(let fields) = self else { return [:] }
    return fields
  }

  /// The fields whose values are texts: labels, attributes.
  var texts: [String: String] { fields.compactMapValues(\.text) }

  init(texts: [String: String]) {
    self = .object(texts.mapValues(JSON.string))
  }
}

extension JSON: Codable {
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([String: JSON].self) {
      self = .object(value)
    } else if let value = try? container.decode([JSON].self) {
      self = .array(value)
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else {
      self = .null
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  init(stringLiteral value: String) { self = .string(value) }
  init(integerLiteral value: Int64) { self = .integer(value) }
  init(booleanLiteral value: Bool) { self = .bool(value) }
  init(arrayLiteral elements: JSON...) { self = .array(elements) }
  /// Null values are left out.
  init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object([:])
    for (key, value) in elements { self[key] = value }
  }
}
