import Foundation

extension DAGDescription {
  /// What a run's parameters are: the defaults, overridden by what the run was given, each checked.
  ///
  /// As in Airflow, a run may be given keys that the DAG does not declare; tasks can read them. A key that is nearly a
  /// declared one is refused: it is a slip, and the run would silently continue with the default.
  ///
  /// - Parameter conf: JSON text of an object; empty text counts as `{}`.
  package func resolveParameters(conf: String) throws(ParameterError) -> [String: JSONValue] {
    var values: [String: JSONValue] = [:]
    for parameter in parameters { values[parameter.name] = parameter.defaultValue }
    let given = try readConf(conf)
    for (name, value) in given.sorted(by: { $0.key < $1.key }) {
      guard let parameter = parameters.first(where: { $0.name == name }) else {
        let missing = parameters.map(\.name).filter { given[$0] == nil }
        if let meant = Identifier.closest(to: name, in: missing) {
          throw ParameterError("DAG \"\(id)\" has no parameter \"\(name)\"; did you mean \"\(meant)\"?")
        }
        values[name] = value
        continue
      }
      values[name] = try parameter.check(value)
    }
    for parameter in parameters where values[parameter.name] == nil {
      throw ParameterError(
        "DAG \"\(id)\" needs parameter \"\(parameter.name)\" (\(parameter.allowed)); give it with -c "
          + "'{\"\(parameter.name)\": …}'")
    }
    return values
  }

  private func readConf(_ text: String) throws(ParameterError) -> [String: JSONValue] {
    if text.allSatisfy(\.isWhitespace) { return [:] }
    let value: JSONValue
    do {
      value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    } catch {
      throw ParameterError("the conf is not JSON: \(Self.reason(error)): \(text.prefix(200))")
    }
    guard case .object(let object) = value else {
      throw ParameterError("the conf must be a JSON object such as {\"key\": \"value\"}, not \(text.prefix(200))")
    }
    return object
  }

  private static func reason(_ error: any Error) -> String {
    guard case DecodingError.dataCorrupted(let context)? = error as? DecodingError else { return "\(error)" }
    let underlying = (context.underlyingError as NSError?)?.userInfo[NSDebugDescriptionErrorKey] as? String
    return underlying ?? context.debugDescription
  }
}

extension ParameterDescription {
  /// The value in the form that tasks get (a whole number for a double becomes one).
  package func check(_ value: JSONValue) throws(ParameterError) -> JSONValue {
    guard let converted = Self.convert(value, to: type) else { throw refuse(value) }
    switch converted {
    case .int(let number): if !isInRange(Double(number)) { throw refuse(value) }
    case .double(let number): if !isInRange(number) { throw refuse(value) }
    case .string(let text):
      guard hasAllowedLength(text.count) else { throw refuse(value) }
      guard try matchesPattern(text) else { throw refuse(value) }
    case .array(let elements): if !hasAllowedLength(elements.count) { throw refuse(value) }
    case .null, .bool, .object: break
    }
    return converted
  }

  /// What a value may be, for people.
  package var allowed: String {
    var words = Self.words(for: type)
    switch (minimum, maximum) {
    case (nil, nil): break
    case (let minimum?, nil): words += ", \(Self.text(minimum)) or more"
    case (nil, let maximum?): words += ", \(Self.text(maximum)) or less"
    case (let minimum?, let maximum?): words += " from \(Self.text(minimum)) to \(Self.text(maximum))"
    }
    let unit = if case .list = type { "elements" } else { "characters" }
    switch (minimumLength, maximumLength) {
    case (nil, nil): break
    case (let minimum?, nil): words += " of at least \(minimum) \(unit)"
    case (nil, let maximum?): words += " of at most \(maximum) \(unit)"
    case (let minimum?, let maximum?): words += " of \(minimum) to \(maximum) \(unit)"
    }
    if let pattern { words += " that matches \(pattern)" }
    return words
  }

  private func refuse(_ value: JSONValue) -> ParameterError {
    ParameterError("parameter \"\(name)\" cannot be \(value.jsonText): it must be \(allowed)")
  }

  private func isInRange(_ number: Double) -> Bool {
    number >= minimum ?? -.infinity && number <= maximum ?? .infinity
  }

  private func hasAllowedLength(_ length: Int) -> Bool {
    length >= minimumLength ?? 0 && length <= maximumLength ?? .max
  }

  private func matchesPattern(_ text: String) throws(ParameterError) -> Bool {
    guard let pattern else { return true }
    // A broken pattern was noted when the file was described.
    guard let regex = BoundedRegex(pattern) else { return false }
    do {
      return try regex.matchesWhole(text)
    } catch {
      throw ParameterError("parameter \"\(name)\" cannot be checked: \(error)")
    }
  }

  private static func convert(_ value: JSONValue, to type: ValueType) -> JSONValue? {
    switch (type, value) {
    case (.string, .string), (.bool, .bool), (.int, .int), (.double, .double): value
    case (.int, .double(let number)): Int64(exactly: number).map(JSONValue.int)
    case (.double, .int(let number)): .double(Double(number))
    case (.date, .string(let text)): Timestamp(iso8601: text) == nil ? nil : value
    case (.oneOf(let choices), .string(let text)): choices.contains(text) ? value : nil
    case (.list(let element), .array(let values)): convert(values, to: element)
    case (.string, _), (.int, _), (.double, _), (.bool, _), (.date, _), (.oneOf, _), (.list, _): nil
    }
  }

  private static func convert(_ values: [JSONValue], to element: ValueType) -> JSONValue? {
    let converted = values.compactMap { convert($0, to: element) }
    return converted.count == values.count ? .array(converted) : nil
  }

  private static func words(for type: ValueType) -> String {
    switch type {
    case .string: "a text"
    case .int: "a whole number"
    case .double: "a number"
    case .bool: "true or false"
    case .date: "a date such as \"2026-01-31\""
    case .oneOf(let choices): "one of " + choices.map { "\"\($0)\"" }.joined(separator: ", ")
    case .list(let element): "a list, each element \(words(for: element))"
    }
  }

  private static func text(_ number: Double) -> String {
    Int64(exactly: number).map(String.init) ?? String(number)
  }
}

/// A run was given parameters that its DAG does not take. Names the parameter, the value, and what is allowed.
package struct ParameterError: Error, CustomStringConvertible, Hashable {
  package let description: String

  init(_ description: String) { self.description = description }
}
