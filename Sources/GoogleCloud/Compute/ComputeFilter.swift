/// Which resources a list of Compute Engine names, in the syntax of its `filter` parameter.
///
/// It makes answers short, and nothing more: who asks looks at each item again. Only fields that Google shows in its
/// documentation are filtered by. Labels inside a template's properties are not among them.
package struct ComputeFilter: Hashable, Sendable, CustomStringConvertible {
  private var conditions: [String]

  /// All of these labels. Sorted, so that the same question is the same text.
  package static func labels(_ labels: [String: String]) -> ComputeFilter {
    ComputeFilter(fields: labels.map { ("labels.\($0.key)", $0.value) })
  }

  package static func name(_ name: String) -> ComputeFilter { ComputeFilter(fields: [("name", name)]) }

  /// Names that fit a regular expression as a whole. Google takes no second condition beside one.
  package static func nameFits(_ expression: String) -> ComputeFilter { ComputeFilter(field: "name", fits: expression) }

  /// Operations on what has such a link.
  package static func targetFits(_ expression: String) -> ComputeFilter {
    ComputeFilter(field: "targetLink", fits: expression)
  }

  private init(field: String, fits expression: String) { conditions = ["\(field) eq \(Self.quoted(expression))"] }

  private init(fields: [(String, String)]) {
    conditions = fields.sorted { $0.0 < $1.0 }.map { "(\($0.0) = \(Self.quoted($0.1)))" }
  }

  package func and(_ other: ComputeFilter) -> ComputeFilter {
    var both = self
    both.conditions += other.conditions
    return both
  }

  package var description: String { conditions.joined(separator: " ") }

  private static func quoted(_ value: String) -> String {
    "\"" + value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
