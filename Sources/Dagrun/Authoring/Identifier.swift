/// Ids of DAGs and tasks, by Airflow's rule (`airflow.utils.helpers.validate_key`): `^[\w.-]+$`, at most 250
/// characters.
package enum Identifier {
  /// What is wrong with an id, to be said after it; nil when nothing is.
  package static func problem(with id: String) -> String? {
    if id.isEmpty { return "is empty" }
    if id.utf8.count > 250, id.count > 250 { return "is longer than 250 characters" }
    if id == "." || id == ".." { return "is the name of a folder" }
    if let problem = problem(withBeginningOf: id) { return problem }
    guard let refused = id.unicodeScalars.first(where: { !isAllowed($0) }) else { return nil }
    return "may have letters, digits, \"_\", \".\" and \"-\" only, and has \(words(refused))"
  }

  /// What cannot be seen in the id itself: a mark that is drawn on the letter before it, a blank, an invisible
  /// character.
  private static func words(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    let name = scalar.properties.name.map { " (\($0))" } ?? ""
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark:
      return
        "\(code)\(name), a mark of its own on the letter before it; write the letter with its mark as one character"
    case .control, .format, .spaceSeparator, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
      return code + name
    default: return "\"\(scalar)\" (\(code))"
    }
  }

  /// Names of all kinds are arguments of commands: of dagrun's, and of those that run it.
  package static func problem(withBeginningOf name: String) -> String? {
    name.utf8.first == UInt8(ascii: "-") ? "begins with \"-\", so that commands would take it for an option" : nil
  }

  /// ASCII first: the tables of Unicode's properties are slow, and a file may have 100,000 ids.
  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "-": true
    case _ where scalar.isASCII: false
    default: scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }
  }

  /// The candidate that was probably meant; nil when none is close.
  package static func closest(to name: String, in candidates: some Sequence<String>) -> String? {
    // No id has more bytes than that, so that none is close to it.
    guard name.utf8.count <= 4 * 250 else { return nil }
    let allowed = name.count <= 3 ? 1 : 2
    return candidates.map { ($0, distance(name.lowercased(), $0.lowercased())) }
      .filter { $0.1 <= allowed }
      .min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
  }

  /// Insertions, deletions, replacements and swaps of neighbours that lead from one text to the other.
  private static func distance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left), Array(right))
    if abs(left.count - right.count) > 2 { return 3 }
    var rows = [Array(0...right.count)]
    for (i, character) in left.enumerated() {
      var row = [i + 1]
      for (j, other) in right.enumerated() {
        var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (character == other ? 0 : 1))
        if i > 0, j > 0, character == right[j - 1], left[i - 1] == other { best = min(best, rows[i - 1][j - 1] + 1) }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[left.count][right.count]
  }
}
