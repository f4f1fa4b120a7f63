import Dagrun
package import Foundation

extension DiscoveryDocument {
  /// What is wrong with the JSON of a resource, at every depth.
  ///
  /// - Parameter method: for the fields that only some methods need.
  package func problems(ofJSON body: Data, schema: String, method: String = "") -> [String] {
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: body) else { return ["\(schema): no JSON"] }
    return problems(of: value, schema: schema, method: method)
  }

  func problems(of value: JSONValue, schema name: String, method: String) -> [String] {
    guard let schema = schemas[name] else { return ["there is no type \(name)"] }
    return problems(of: value, schema, at: name, method: method)
  }

  private func problems(
    of value: JSONValue, _ schema: DiscoverySchema, at place: String, method: String
  ) -> [String] {
    if let reference = schema.reference {
      guard let target = schemas[reference] else { return ["\(place): there is no type \(reference)"] }
      return problems(of: value, target, at: place, method: method)
    }
    switch (schema.type, value) {
    case ("object", .object(let fields)):
      return objectProblems(fields, schema, at: place, method: method)
    case ("array", .array(let elements)):
      guard let items = schema.items else { return [] }
      return elements.enumerated().flatMap { index, element in
        problems(of: element, items, at: "\(place)[\(index)]", method: method)
          + (schema.pattern.map { patternProblems(element, $0, at: "\(place)[\(index)]") } ?? [])
      }
    case ("any", _): return []
    default: return scalarProblems(value, schema, at: place)
    }
  }

  private func objectProblems(
    _ fields: [String: JSONValue], _ schema: DiscoverySchema, at place: String, method: String
  ) -> [String] {
    var problems: [String] = []
    for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
      let inner = "\(place).\(key)"
      if let property = schema.properties?[key] {
        if property.isReadOnly == true { problems.append("\(inner): only Google writes it") }
        problems += self.problems(of: value, property, at: inner, method: method)
      } else if let additional = schema.additionalProperties {
        problems += self.problems(of: value, additional, at: inner, method: method)
      } else {
        problems.append("\(inner): there is no such field")
      }
    }
    for (key, property) in (schema.properties ?? [:]).sorted(by: { $0.key < $1.key })
    where property.annotations?.required?.contains(method) == true && fields[key] == nil {
      problems.append("\(place).\(key): \(method) needs it")
    }
    return problems
  }

  func scalarProblems(_ value: JSONValue, _ schema: DiscoverySchema, at place: String) -> [String] {
    switch (schema.type, value) {
    case ("string", .string(let text)):
      return (schema.pattern.map { patternProblems(value, $0, at: place) } ?? [])
        + (schema.enum.map { $0.contains(text) ? [] : ["\(place): “\(text)” is not one of its values"] } ?? [])
        + formatProblems(text, schema.format, at: place)
    case ("integer", .int(let number)):
      let range: ClosedRange<Int64> =
        schema.format == "uint32" ? 0...Int64(UInt32.max) : Int64(Int32.min)...Int64(Int32.max)
      let low = schema.minimum.flatMap(Int64.init) ?? range.lowerBound
      let high = schema.maximum.flatMap(Int64.init) ?? range.upperBound
      return (low...high).contains(number) ? [] : ["\(place): \(number) is not in \(low)…\(high)"]
    case ("boolean", .bool), ("number", .double), ("number", .int): return []
    default: return ["\(place): is not \(withArticle(schema.type ?? "value"))"]
    }
  }

  /// A parameter of the query: text that must read as its type.
  func textProblems(_ text: String, _ schema: DiscoverySchema, at place: String) -> [String] {
    let value: JSONValue =
      switch schema.type {
      case "integer": Int64(text).map(JSONValue.int) ?? .null
      case "boolean": ["true": JSONValue.bool(true), "false": .bool(false)][text] ?? .null
      case "number": Double(text).map(JSONValue.double) ?? .null
      default: .string(text)
      }
    return scalarProblems(value, schema, at: place)
  }

  private func formatProblems(_ text: String, _ format: String?, at place: String) -> [String] {
    let isRight =
      switch format {
      case "int64": Int64(text) != nil
      case "uint64": UInt64(text) != nil
      case "byte": Data(base64Encoded: text) != nil
      case "google-duration": Self.matches(text, #"-?[0-9]{1,12}(\.[0-9]{1,9})?s"#)
      case "google-datetime", "date-time":
        Self.matches(text, #"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)"#)
      case nil: true
      default: true
      }
    return isRight ? [] : ["\(place): “\(text)” is not \(withArticle(format ?? "value"))"]
  }

  private func withArticle(_ type: String) -> String { (type.first.map("aeio".contains) == true ? "an " : "a ") + type }

  private func patternProblems(_ value: JSONValue, _ pattern: String, at place: String) -> [String] {
    guard case .string(let text) = value else { return [] }
    return Self.matches(text, pattern) ? [] : ["\(place): “\(text)” is not \(pattern)"]
  }

  /// The whole text, as Google means its patterns.
  private static func matches(_ text: String, _ pattern: String) -> Bool {
    // In a set, `9-_` is a digit, a hyphen or an underscore to Google, and an error to others.
    let readable = pattern.replacing("0-9-_", with: "0-9_-")
    guard let expression = try? NSRegularExpression(pattern: "^(?:\(readable))$") else { return false }
    return expression.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) != nil
  }
}
