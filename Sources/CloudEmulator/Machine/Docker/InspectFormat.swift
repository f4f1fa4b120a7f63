/// Go templates, as far as they are paths and ranges over nothing: `{{.State.ExitCode}}`, `{{range .Config.Cmd}}…{{end}}`,
/// and text around them.
enum InspectFormat {
  /// - Parameters:
  ///   - values: path -> text.
  ///   - emptyLists: paths.
  static func apply(_ template: String, values: [String: String], emptyLists: Set<String> = []) throws -> String {
    var result = ""
    var rest = template[...]
    while let start = rest.firstRange(of: "{{") {
      result += rest[..<start.lowerBound]
      guard let end = rest[start.upperBound...].firstRange(of: "}}") else {
        throw DockerUsageError(message: "template parsing error: template: :1: unclosed action")
      }
      let action = String(rest[start.upperBound..<end.lowerBound])
      rest = rest[end.upperBound...]
      if let value = values[action] {
        result += value
      } else if action.hasPrefix("range "), emptyLists.contains(String(action.dropFirst(6))),
        let close = rest.firstRange(of: "{{end}}")
      {
        rest = rest[close.upperBound...]
      } else {
        throw DockerUsageError(message: "template parsing error: this emulated docker does not know {{\(action)}}")
      }
    }
    return result + rest
  }
}
