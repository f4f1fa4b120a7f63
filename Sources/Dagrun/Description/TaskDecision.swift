internal import Foundation

/// How a task decides which of the tasks right below it run. The others are skipped.
package enum TaskDecision: Hashable, Codable, Sendable {
  /// Its output is a list of cases. Case -> the tasks it leads to; none for a case that leads nowhere.
  case branch(cases: [String: [String]])
  /// Its output says whether the run continues below it.
  ///
  /// - Parameter ignoresTriggerRules: if not, all tasks below are skipped, whatever their rules; else only those right
  ///   below.
  case shortCircuit(ignoresTriggerRules: Bool)
  /// The run continues if no later one was due before it came to the task.
  case latestOnly
}

extension TaskDecision {
  /// What an output decides, by ids; nil: everything continues.
  ///
  /// - Parameter output: JSON text.
  /// - Throws: when it is not an answer to the question.
  package func choice(of output: String?) throws(ChoiceError) -> DownstreamChoice? {
    let value = output.flatMap { try? JSONDecoder().decode(JSONValue.self, from: Data($0.utf8)) }
    switch self {
    case .latestOnly: return nil
    case .shortCircuit(let ignoresTriggerRules):
      guard case .bool(let continues) = value else {
        throw ChoiceError(description: "it has to answer true or false, and answered \(output ?? "nothing")")
      }
      return continues ? nil : ignoresTriggerRules ? .nothingBelow : .only([])
    case .branch(let cases):
      guard case .array(let values) = value else {
        throw ChoiceError(description: "it has to answer a list of its cases, and answered \(output ?? "nothing")")
      }
      var chosen: [String] = []
      for value in values {
        guard case .string(let name) = value, let tasks = cases[name] else {
          throw ChoiceError(
            description:
              "it answered \(value.jsonText), and its cases are \(cases.keys.sorted().joined(separator: ", "))")
        }
        chosen += tasks.filter { !chosen.contains($0) }
      }
      return .only(chosen)
    }
  }
}

/// Which tasks below a task run. Stored with the instance that chose.
package enum DownstreamChoice: Hashable, Sendable {
  /// Of those right below these, and those that come after these.
  case only([String])
  /// No task below, whatever its trigger rule says. Teardowns follow theirs all the same.
  case nothingBelow
}

extension DownstreamChoice: CustomStringConvertible {
  /// For a person, of the task that has chosen.
  package var description: String {
    switch self {
    case .only([]): "it chose no task right below it"
    case .only(let ids): "it chose \(ids.joined(separator: ", "))"
    case .nothingBelow: "it let nothing below it run"
    }
  }
}

/// As JSON a list of ids, or `"nothing_below"`.
extension DownstreamChoice: Codable {
  private static let nothingBelowText = "nothing_below"

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let ids = try? container.decode([String].self) {
      self = .only(ids)
    } else if try container.decode(String.self) == Self.nothingBelowText {
      self = .nothingBelow
    } else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a choice")
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .only(let ids): try container.encode(ids)
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
