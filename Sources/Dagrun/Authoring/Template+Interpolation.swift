extension Template: ExpressibleByStringInterpolation {
  public init(stringLiteral text: String) { self.init(parts: text.isEmpty ? [] : [.text(text)]) }

  public init(stringInterpolation interpolation: StringInterpolation) { self.init(parts: interpolation.parts) }

  /// Text of the author's own, as a literal would be: never quoted.
  public init(_ text: String) { self.init(stringLiteral: text) }

  public struct StringInterpolation: StringInterpolationProtocol {
    package var parts: [Part] = []

    public init(literalCapacity: Int, interpolationCount: Int) { parts.reserveCapacity(interpolationCount * 2 + 1) }

    public mutating func appendLiteral(_ literal: String) {
      if !literal.isEmpty { parts.append(.text(literal)) }
    }

    /// A value known now, such as an element of a loop.
    public mutating func appendInterpolation(_ value: String) { parts.append(.value(value)) }

    public mutating func appendInterpolation(_ value: Substring) { parts.append(.value(String(value))) }

    public mutating func appendInterpolation(_ value: some LosslessStringConvertible) {
      parts.append(.value(value.description))
    }

    public mutating func appendInterpolation<Choice: RawRepresentable>(_ value: Choice)
    where Choice.RawValue: LosslessStringConvertible {
      parts.append(.value(value.rawValue.description))
    }

    /// A value of the run: `\(.ds)`, `\(.param("region"))`.
    public mutating func appendInterpolation(_ variable: TemplateVariable) { parts.append(.variable(variable)) }

    /// The output of another task, which comes before this one.
    public mutating func appendInterpolation<Value>(
      _ output: Output<Value>, file: String = #filePath, line: Int = #line
    ) {
      parts.append(part(output, SourceLocation(file: file, line: line)))
    }

    /// Text of another template, with its parts.
    public mutating func appendInterpolation(_ template: Template) { parts += template.parts }

    // As they are, not quoted for the shell. Whoever writes the value can then run commands.

    public mutating func appendInterpolation(raw value: String) { parts.append(.raw(.value(value))) }

    public mutating func appendInterpolation(raw variable: TemplateVariable) { parts.append(.raw(.variable(variable))) }

    public mutating func appendInterpolation<Value>(
      raw output: Output<Value>, file: String = #filePath, line: Int = #line
    ) {
      parts.append(.raw(part(output, SourceLocation(file: file, line: line))))
    }

    @available(*, unavailable, message: "a task is not a value; write \\(task.output)")
    public mutating func appendInterpolation(_ task: some DAGTask) { fatalError("unavailable") }

    @available(*, unavailable, message: "a list is not one value; write a task for each element, or join them")
    public mutating func appendInterpolation(_ list: some Collection) { fatalError("unavailable") }

    private func part<Value>(_ output: Output<Value>, _ location: SourceLocation) -> Part {
      Registry.noteUse(of: output.task, at: location)
      return .output(taskID: output.task.id)
    }
  }

  /// The tasks whose outputs are used, in order.
  package var outputTaskIDs: [String] { parts.compactMap(\.outputTaskID) }

  package var variables: [TemplateVariable] { parts.compactMap(\.variable) }
}

extension Template.Part {
  fileprivate var outputTaskID: String? {
    switch self {
    case .output(let taskID): taskID
    case .raw(let part): part.outputTaskID
    case .text, .value, .variable: nil
    }
  }

  fileprivate var variable: TemplateVariable? {
    switch self {
    case .variable(let variable): variable
    case .raw(let part): part.variable
    case .text, .value, .output: nil
    }
  }
}
