/// A secret of Secret Manager: `NAME`, `NAME/versions/V` or `projects/P/secrets/NAME/versions/V`.
enum SecretReference {
  /// The resource whose `:access` gives the value.
  static func resource(_ reference: String, project: String) throws(JobMachineError) -> String {
    let parts = reference.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let isPlain = parts.allSatisfy { part in
      !part.isEmpty
        && part.unicodeScalars.allSatisfy { scalar in
          switch scalar {
          case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".", ":": part != "." && part != ".."
          default: false
          }
        }
    }
    switch (parts.count, parts.first, isPlain) {
    case (1, _, true): return "projects/\(project)/secrets/\(reference)/versions/latest"
    case (3, _, true) where parts[1] == "versions": return "projects/\(project)/secrets/\(reference)"
    case (4, "projects", true) where parts[2] == "secrets": return "\(reference)/versions/latest"
    case (6, "projects", true) where parts[2] == "secrets" && parts[4] == "versions": return reference
    case (_, _, _):
      throw JobMachineError(
        "“\(reference.prefix(200))” names no secret",
        hint: "write NAME, NAME/versions/V or projects/P/secrets/NAME/versions/V")
    }
  }
}
