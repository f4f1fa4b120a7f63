package enum ShellQuoting {
  /// A POSIX shell reads the result as one word, which is the value.
  package static func quoted(_ value: String) -> String { "'" + closingQuotes(value) + "'" }

  // Scalar by scalar: a shell knows no grapheme clusters, and a quote with an accent on it is a quote to it.

  /// For a place between single quotes.
  static func closingQuotes(_ value: String) -> String {
    var result = ""
    for scalar in value.unicodeScalars {
      if scalar == "'" { result += "'\\''" } else { result.unicodeScalars.append(scalar) }
    }
    return result
  }
}
