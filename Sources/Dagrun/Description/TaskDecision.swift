internal import Foundation

/// How a task decides which of the tasks right below it run. The others are skipped.
package enum TaskDecision: Hashable, Codable, Sendable {
  /// Its output is a list of cases. Case -> the tasks it leads to; none for a case that leads nowhere.
  case branch(cases: [String: [String]])
  /// Its output says whether the run continues below it.
  ///
  /// - Parameter ignoresTriggerRules: if not, only the tasks right below are skipped, and the rules of the others
  ///   decide; else all tasks below are.
  case shortCircuit(ignoresTriggerRules: Bool)
  /// The run continues if no later one was due before it came to the task.
  case latestOnly
}

extension TaskDecision {
  /// What an output decides; nil: everything continues.
  ///
  /// - Parameter output: JSON text.
  /// - Throws: when it is not an answer to the question.
  package func choice(of output: String?) throws(ChoiceError) -> DownstreamChoice? {
    let value = output.flatMap { try? JSONDecoder().decode(JSONValue.self, from: Data($0.utf8)) }
    switch self {
    case .latestOnly: return nil
    case .shortCircuit(let ignoresTriggerRules):
      guard case .bool(let continues) = value else {
        throw ChoiceError(description: "it must return true or false, but returned \(Self.shown(output))")
      }
      return continues ? nil : ignoresTriggerRules ? .nothingBelow : .cases([])
    case .branch(let cases):
      guard case .array(let values) = value else {
        throw ChoiceError(description: "it must return a list of its cases, but returned \(Self.shown(output))")
      }
      var chosen: [String] = []
      var seen: Set<String> = []
      for value in values {
        guard case .string(let name) = value, cases[name] != nil else {
          let known = cases.keys.sorted().joined(separator: ", ")
          throw ChoiceError(description: "it returned \(Self.shown(value.jsonText)); its cases are \(known)")
        }
        if seen.insert(name).inserted { chosen.append(name) }
      }
      return .cases(chosen)
    }
  }

  /// The beginning of an output, which may be of any length.
  private static func shown(_ output: String?) -> String { output.map { String($0.prefix(200)) } ?? "nothing" }
}

/// Which tasks below a task run. Stored with the instance that chose; what it means for the tasks is up to the version
/// of the DAG that the run is on.
package enum DownstreamChoice: Hashable, Sendable {
  /// Of the tasks right below, those that these cases lead to, and those that come after one of these.
  case cases([String])
  /// No task below, whatever its trigger rule says. Teardowns follow theirs all the same.
  case nothingBelow
}

extension DownstreamChoice: CustomStringConvertible {
  /// For a person, of the task that has chosen.
  package var description: String {
    switch self {
    case .cases([]): "it let no task right below it run"
    case .cases(let names): "it chose \(names.joined(separator: ", "))"
    case .nothingBelow: "it let no task below it run"
    }
  }
}

/// As JSON a list of cases, or `"nothing_below"`.
extension DownstreamChoice: Codable {
  private static let nothingBelowText = "nothing_below"

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let names = try? container.decode([String].self) {
      self = .cases(names)
    } else if try container.decode(String.self) == Self.nothingBelowText {
      self = .nothingBelow
    } else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a choice")
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .cases(let names): try container.encode(names)
    case .nothingBelow: try container.encode(Self.nothingBelowText)
    }
  }

  package init(jsonText: String) throws {
    self = try JSONDecoder().decode(Self.self, from: Data(jsonText.utf8))
  }

  package var jsonText: String {
    get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
  }
}

/// Why an output chooses nothing.
package struct ChoiceError: Error, Hashable, CustomStringConvertible {
  package let description: String
}
