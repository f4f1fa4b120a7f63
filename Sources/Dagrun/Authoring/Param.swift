/// A parameter of a DAG: its type, its default, and what a value must satisfy. Without a default, a run must be given
/// it.
///
///     params: [.string("region", default: "eu"), .int("count", default: 3, in: 1...10), .date("since")]
public struct Param {
  package var description: ParameterDescription

  /// - Parameter length: how many elements there may be.
  public static func list<Element: ParamElement>(
    _ name: String, default value: [Element], length: ClosedRange<Int>? = nil, description: String = ""
  ) -> Param {
    list(name, of: Element.self, default: value, length: length, description: description)
  }

  private init(_ name: String, _ type: ParameterDescription.ValueType, _ value: JSONValue?, _ documentation: String) {
    description = ParameterDescription(name: name, type: type, defaultValue: value)
    description.documentation = documentation
  }

  /// - Parameters:
  ///   - length: in characters.
  ///   - pattern: a regular expression (of `NSRegularExpression`) that the whole text must match.
  public static func string(
    _ name: String, default value: String? = nil, length: ClosedRange<Int>? = nil, matching pattern: String? = nil,
    description: String = ""
  ) -> Param {
    var param = Param(name, .string, value.map(JSONValue.string), description)
    param.description.minimumLength = length?.lowerBound
    param.description.maximumLength = length?.upperBound
    param.description.pattern = pattern
    return param
  }

  public static func int(
    _ name: String, default value: Int? = nil, in range: ClosedRange<Int>? = nil, atLeast minimum: Int? = nil,
    atMost maximum: Int? = nil, description: String = ""
  ) -> Param {
    var param = Param(name, .int, value.map { .int(Int64($0)) }, description)
    param.description.minimum = (minimum ?? range?.lowerBound).map(Double.init)
    param.description.maximum = (maximum ?? range?.upperBound).map(Double.init)
    return param
  }

  public static func double(
    _ name: String, default value: Double? = nil, in range: ClosedRange<Double>? = nil, atLeast minimum: Double? = nil,
    atMost maximum: Double? = nil, description: String = ""
  ) -> Param {
    var param = Param(name, .double, value.map(JSONValue.double), description)
    param.description.minimum = minimum ?? range?.lowerBound
    param.description.maximum = maximum ?? range?.upperBound
    return param
  }

  public static func bool(_ name: String, default value: Bool? = nil, description: String = "") -> Param {
    Param(name, .bool, value.map(JSONValue.bool), description)
  }

  /// An ISO 8601 date, or date and time, as text.
  public static func date(_ name: String, default value: String? = nil, description: String = "") -> Param {
    Param(name, .date, value.map(JSONValue.string), description)
  }

  /// One of these texts.
  public static func oneOf(
    _ name: String, _ choices: [String], default value: String? = nil, description: String = ""
  ) -> Param {
    Param(name, .oneOf(choices), value.map(JSONValue.string), description)
  }

  /// The raw value of one of an enum's cases.
  public static func oneOf<Choice: CaseIterable & RawRepresentable>(
    _ name: String, _ choices: Choice.Type, default value: Choice? = nil, description: String = ""
  ) -> Param where Choice.RawValue == String {
    Param(name, .oneOf(choices.allCases.map(\.rawValue)), value.map { .string($0.rawValue) }, description)
  }

  /// - Parameter length: how many elements there may be.
  public static func list<Element: ParamElement>(
    _ name: String, of element: Element.Type, default value: [Element]? = nil,
    length: ClosedRange<Int>? = nil, description: String = ""
  ) -> Param {
    var param = Param(
      name, .list(of: Element.type), value.map { .array($0.map(\.json)) }, description)
    param.description.minimumLength = length?.lowerBound
    param.description.maximumLength = length?.upperBound
    return param
  }
}

/// What a list parameter can hold: `String`, `Int`, `Double`, `Bool`, and no other type.
public protocol ParamElement: Sendable {}

extension String: ParamElement {}
extension Int: ParamElement {}
extension Double: ParamElement {}
extension Bool: ParamElement {}

extension ParamElement {
  fileprivate static var type: ParameterDescription.ValueType {
    switch Self.self {
    case is Int.Type: .int
    case is Double.Type: .double
    case is Bool.Type: .bool
    default: .string
    }
  }

  fileprivate var json: JSONValue {
    switch self {
    case let value as Int: .int(Int64(value))
    case let value as Double: .double(value)
    case let value as Bool: .bool(value)
    default: .string("\(self)")
    }
  }
}
