internal import Dagrun
internal import Foundation

/// A line that `dagrun job serve` reads.
package enum ServeRequest: Hashable, Sendable {
  /// - Parameter project: for a job that this home does not know.
  case attach(String, project: String?)
  case cancel(String)
  case taken(String)
  case leave(String)

  /// Why a line is not a request, in words.
  package struct Problem: Error, Hashable { package var words: String }

  package init(line: String) throws(Problem) {
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(line.utf8)) else {
      throw Problem(words: "this is not JSON: \(line.prefix(Self.quoted))")
    }
    guard case .object(var fields) = value else {
      throw Problem(words: "this is not a JSON object: \(line.prefix(Self.quoted))")
    }
    let verbs = Self.verbs.filter { fields[$0] != nil }
    guard verbs.count == 1, let verb = verbs.first, case .string(let name)? = fields.removeValue(forKey: verb) else {
      throw Problem(
        words:
          "a request has one of \(Self.verbs.joined(separator: ", ")), with a job's name: \(line.prefix(Self.quoted))")
    }
    var project: String?
    switch fields.removeValue(forKey: "project") {
    case .string(let text)?: project = text
    case nil, .null?: break
    default: throw Problem(words: "a project is a text: \(line.prefix(Self.quoted))")
    }
    if let key = fields.keys.sorted().first {
      throw Problem(words: "a request knows no \"\(key)\": \(line.prefix(Self.quoted))")
    }
    switch verb {
    case "attach": self = .attach(name, project: project)
    case "cancel": self = .cancel(name)
    case "taken": self = .taken(name)
    default: self = .leave(name)
    }
  }

  private static let verbs = ["attach", "cancel", "taken", "leave"]
  private static let quoted = 200
}
