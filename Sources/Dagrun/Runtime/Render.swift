import Foundation

extension Template {
  /// Everything a template may ask for.
  package struct Values {
    package var run: RunContext
    package var taskID: String
    package var tryNumber: Int
    /// Task id -> its output as JSON text.
    package var outputs: [String: String]
    /// The states of tasks that have none, by their ids.
    package var missing: [String: String]
    /// The text is to be read by a person, and values may be stand-ins.
    package var isShown = false

    package init(
      run: RunContext, taskID: String, tryNumber: Int, outputs: [String: String] = [:], missing: [String: String] = [:]
    ) {
      self.run = run
      self.taskID = taskID
      self.tryNumber = tryNumber
      self.outputs = outputs
      self.missing = missing
    }
  }

  package enum Context: Hashable {
    /// Every value is quoted for the place it stands at (`ShellScript`), so that the shell reads exactly the value
    /// there, and nothing of it as a command.
    case script(ShellDialect)
    case plain

    /// For bash.
    package static var shell: Context { .script(.bash) }
  }

  /// - Throws: `RenderError` when a value does not exist, or cannot be quoted where it stands.
  package func render(_ values: Values, for context: Context) throws -> String {
    if parts.count == 1, case .text(let text) = parts[0] { return text }
    switch context {
    case .plain: return try parts.map(values.text).joined()
    case .script(let dialect):
      var pieces: [ShellScript.Piece] = []
      var texts: [String] = []
      for part in parts {
        let text = try values.text(of: part)
        switch part {
        case .text, .raw: pieces.append(.text(text))
        case .value:
          pieces.append(.hole(text))
          texts.append(text)
        // Of its value nothing is believed.
        case .variable, .output:
          pieces.append(.hole(nil))
          texts.append(text)
        }
      }
      return try ShellScript(pieces, dialect).rendered(texts, isShown: values.isShown)
    }
  }
}

extension Template {
  /// Values stand in it that others may not be meant to see: of variables and parameters, of other tasks, and of the
  /// program that described it. Names and dates of the run are none.
  package var holdsPrivateValues: Bool { parts.contains { $0.isPrivate } }
}

extension Template.Part {
  fileprivate var isPrivate: Bool {
    switch self {
    case .text: false
    case .value, .output: true
    case .variable(.param), .variable(.var): true
    case .variable: false
    case .raw(let part): part.isPrivate
    }
  }
}

extension Template.Values {
  fileprivate func text(of part: Template.Part) throws -> String {
    switch part {
    case .text(let text), .value(let text): return text
    case .raw(let part): return try self.text(of: part)
    case .variable(let variable): return try text(of: variable)
    case .output(let id):
      guard let json = outputs[id] else {
        throw RenderError(missingOutput(of: id, state: missing[id]))
      }
      return Self.unquoted(json)
    }
  }

  private func text(of variable: TemplateVariable) throws -> String {
    let logical = run.effectiveLogicalDate
    switch variable {
    case .ds: return logical.isoDate
    case .dsNodash: return logical.compactDate
    case .ts, .logicalDate: return logical.iso8601
    case .tsNodash: return logical.compactDateTime
    case .dataIntervalStart: return (run.dataIntervalStart ?? logical).iso8601
    case .dataIntervalEnd: return (run.dataIntervalEnd ?? logical).iso8601
    case .prevDataIntervalStartSuccess: return run.previousSuccessStart?.iso8601 ?? ""
    case .prevDataIntervalEndSuccess: return run.previousSuccessEnd?.iso8601 ?? ""
    case .runID: return run.runID
    case .dagID: return run.dagID
    case .taskID: return taskID
    case .tryNumber: return String(tryNumber)
    case .param(let name):
      guard let value = run.parameters[name] else {
        throw RenderError("the run has no parameter \"\(name)\"; give it with -c '{\"\(name)\": …}'")
      }
      if case .string(let text) = value { return text }
      return value.jsonText
    case .var(let name):
      guard let value = run.variables[name] else {
        throw RenderError("there is no variable \"\(name)\"; set it with: dagrun variables set \(name) VALUE")
      }
      return value
    }
  }

  /// A string as it is, anything else as JSON.
  private static func unquoted(_ json: String) -> String {
    guard json.utf8.first == UInt8(ascii: "\"") else { return json }
    return (try? ValueCoding.decode(String.self, from: .init(json.utf8))) ?? json
  }
}

/// A template asked for what is not there. Says what, and what to do.
package struct RenderError: Error, CustomStringConvertible, Hashable {
  package var description: String

  package init(_ description: String) { self.description = description }
}
