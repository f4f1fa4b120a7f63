/// Follows how bash reads a script, so that a value can be quoted for the place it is put at.
///
/// `'value'` is right between words, and wrong inside of the author's own quotes: in `echo "\(name)"` it would show the
/// quotes, and run a `$(…)` in the value. So the scanner knows, at each point of the script, which quotes, substitutions,
/// comments and here-documents are open.
struct ShellScanner {
  private enum Place: Equatable {
    /// Commands and words; `closer` ends it: `)` of `$(`, "`", or `}`; nil at the outermost level.
    case code(closer: Unicode.Scalar?)
    case singleQuotes
    case doubleQuotes
    /// `$'…'`
    case dollarQuotes
    /// `${…}` inside of double quotes, or a here-document, where single quotes mean nothing.
    case quotedParameter
    /// `((…))` and `$((…))`; counts the parentheses that are open inside.
    case arithmetic(depth: Int)
    case comment
    case hereDocument(HereDocument)
  }

  private struct HereDocument: Equatable {
    var delimiter: String
    /// Its delimiter was quoted, so nothing in it is expanded, and nothing can be quoted.
    var isLiteral: Bool
    var stripsTabs: Bool
    var line = ""
  }

  private var places: [Place] = [.code(closer: nil)]
  /// Announced in the current line, and beginning with the next one.
  private var announced: [HereDocument] = []
  private var previous: Unicode.Scalar = "\n"
  /// The scalar just read was escaped, so it means nothing to the next one.
  private var wasEscaped = false
  private var isEscaped = false
  /// A `case` inside of `$(…)`: the parentheses of its patterns do not match, so it is not known where that ends.
  private var hasNestedCase = false
  /// The last letters of a word in code.
  private var word = ""
  /// What may become `<<WORD`, or `((`.
  private var pending = ""

  /// The value as bash must see it here.
  func quote(_ value: String) throws -> String {
    guard !value.unicodeScalars.contains("\0") else {
      throw RenderError("a value with a zero byte cannot be put into a shell script")
    }
    if hasNestedCase {
      throw RenderError(
        "a value comes after a case … in inside of $(…), where it cannot be quoted safely; put it into a shell variable "
          + "at the beginning of the script")
    }
    if places.contains(.code(closer: "`")) {
      throw RenderError("a value stands in backticks, where it cannot be quoted safely; write $(…) instead")
    }
    switch places.last ?? .code(closer: nil) {
    case .code:
      if isPartOfHereWord { throw RenderError("the delimiter of a here-document cannot be a value; write it out") }
      if isEscaped { throw RenderError("a value cannot follow a backslash; remove the backslash") }
      return Self.singleQuoted(value)
    case .singleQuotes: return Self.singleQuotesClosed(value)
    case .doubleQuotes:
      if isEscaped { throw RenderError("a value cannot follow a backslash; remove the backslash") }
      return Self.escaped(value, "\\\"$`")
    case .quotedParameter:
      throw RenderError("a value stands in a ${…} inside of quotes; put it into a shell variable first")
    case .dollarQuotes:
      if isEscaped { throw RenderError("a value cannot follow a backslash; remove the backslash") }
      return Self.escaped(value, "\\'")
    case .arithmetic:
      guard value.wholeMatch(of: #/-?[0-9]+/#) != nil else {
        throw RenderError("\"\(value)\" stands in ((…)), where only a whole number can be put")
      }
      return value
    case .comment:
      let scalars = value.unicodeScalars.map { $0 == "\n" || $0 == "\r" ? " " : $0 }
      return String(String.UnicodeScalarView(scalars))
    case .hereDocument(let document):
      try checkKeepsOpen(document, value)
      return document.isLiteral ? value : Self.escaped(value, "\\$`")
    }
  }

  /// A POSIX shell reads the result as one word, which is the value.
  static func singleQuoted(_ value: String) -> String {
    "'" + singleQuotesClosed(value) + "'"
  }

  // Scalar by scalar: bash knows no grapheme clusters, and a quote with an accent on it is a quote to it.

  private static func singleQuotesClosed(_ value: String) -> String {
    var result = ""
    for scalar in value.unicodeScalars {
      if scalar == "'" { result += "'\\''" } else { result.unicodeScalars.append(scalar) }
    }
    return result
  }

  private static func escaped(_ value: String, _ special: String) -> String {
    var result = ""
    for scalar in value.unicodeScalars {
      if special.unicodeScalars.contains(scalar) { result += "\\" }
      result.unicodeScalars.append(scalar)
    }
    return result
  }

  /// A line of the value that looks like the end of the here-document cannot be escaped.
  private func checkKeepsOpen(_ document: HereDocument, _ value: String) throws {
    let delimiter = Array(document.delimiter.utf8)
    let lines = (document.line + value).utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      let text = Array(document.stripsTabs ? line.drop { $0 == UInt8(ascii: "\t") } : line)
      // The last line goes on with what comes after the value.
      let mayBecomeDelimiter = index > 0 && index == lines.count - 1 && !text.isEmpty && delimiter.starts(with: text)
      if text == delimiter || mayBecomeDelimiter {
        throw RenderError("a value would end the here-document \"\(document.delimiter)\"; pass it in environment:")
      }
    }
  }

  private var isPartOfHereWord: Bool { pending.hasPrefix("<<") }

  /// Goes on over text that is part of the script now.
  mutating func read(_ text: String) {
    for scalar in text.unicodeScalars { read(scalar) }
  }

  private mutating func read(_ scalar: Unicode.Scalar) {
    wasEscaped = false
    defer { previous = wasEscaped ? "a" : scalar }
    switch places[places.count - 1] {
    case .code(let closer): readCode(scalar, closer: closer)
    case .singleQuotes: if scalar == "'" { places.removeLast() }
    case .dollarQuotes:
      if isEscaped {
        isEscaped = false
      } else if scalar == "\\" {
        isEscaped = true
      } else if scalar == "'" {
        places.removeLast()
      }
    case .doubleQuotes: readExpanding(scalar, closer: "\"")
    case .quotedParameter: readExpanding(scalar, closer: "}")
    case .arithmetic(let depth):
      if scalar == "(" { places[places.count - 1] = .arithmetic(depth: depth + 1) }
      if scalar == ")" {
        places[places.count - 1] = .arithmetic(depth: depth - 1)
        if depth == 1 { places.removeLast() }
      }
    case .comment:
      if scalar == "\n" {
        places.removeLast()
        readCode(scalar, closer: nil)
      }
    case .hereDocument(let document): readHereDocument(scalar, document)
    }
  }

  private mutating func readCode(_ scalar: Unicode.Scalar, closer: Unicode.Scalar?) {
    if isEscaped {
      isEscaped = false
      if isPartOfHereWord { pending.unicodeScalars.append(scalar) }
      wasEscaped = true
      return
    }
    if continueHereWord(scalar) { return }
    if scalar.properties.isAlphabetic || scalar == "_" {
      word.unicodeScalars.append(scalar)
    } else {
      if word == "case" && closer == ")" { hasNestedCase = true }
      word = ""
    }
    switch scalar {
    case "\\": isEscaped = true
    case "'": places.append(previous == "$" ? .dollarQuotes : .singleQuotes)
    case "\"": places.append(.doubleQuotes)
    case "#" where " \t\n;&|()".unicodeScalars.contains(previous): places.append(.comment)
    case "(" where previous == "(" && pending == "(":
      // The second of `((`: what looked like a list of commands is arithmetic.
      places[places.count - 1] = .arithmetic(depth: 2)
      pending = ""
      return
    case "(":
      places.append(.code(closer: ")"))
      pending = "("
      return
    case "{" where previous == "$": places.append(.code(closer: "}"))
    case "`": if closer == "`" { places.removeLast() } else { places.append(.code(closer: "`")) }
    case "<": pending = pending == "<" && previous == "<" ? "<<" : "<"
    case "\n": beginAnnounced()
    case closer where closer != nil: places.removeLast()
    default: break
    }
    if scalar != "<" { pending = "" }
  }

  /// Collects the delimiter after `<<`. True when the scalar belongs to it.
  private mutating func continueHereWord(_ scalar: Unicode.Scalar) -> Bool {
    guard isPartOfHereWord else { return false }
    if pending == "<<" && scalar == "<" {
      // `<<<` is a here-string: an ordinary word follows.
      pending = ""
      return true
    }
    if pending == "<<" && scalar == "-" {
      pending = "<<-"
      return true
    }
    let word = pending.drop { $0 == "<" }.drop { $0 == "-" }
    let isSpace = scalar == " " || scalar == "\t"
    if word.isEmpty && isSpace { return true }
    let quotes = word.unicodeScalars.filter { $0 == "'" || $0 == "\"" }.count
    let isInQuotes = quotes % 2 == 1
    let endsWord = !isInQuotes && (isSpace || "\n;&|<>()".unicodeScalars.contains(scalar))
    guard endsWord else {
      if scalar == "\\" { isEscaped = true }
      pending.unicodeScalars.append(scalar)
      return true
    }
    let delimiter = String(
      String.UnicodeScalarView(word.unicodeScalars.filter { !"'\"\\".unicodeScalars.contains($0) }))
    announced.append(
      HereDocument(
        delimiter: delimiter, isLiteral: quotes > 0 || word.contains("\\"), stripsTabs: pending.hasPrefix("<<-")))
    pending = ""
    return false
  }

  private mutating func beginAnnounced() {
    for document in announced.reversed() { places.append(.hereDocument(document)) }
    announced = []
  }

  /// Double quotes, and what is read as they are.
  private mutating func readExpanding(_ scalar: Unicode.Scalar, closer: Unicode.Scalar) {
    if isEscaped {
      isEscaped = false
      wasEscaped = true
      return
    }
    switch scalar {
    case closer: places.removeLast()
    case "\"": places.append(.doubleQuotes)
    default: readExpanding(scalar)
    }
  }

  private mutating func readExpanding(_ scalar: Unicode.Scalar) {
    if isEscaped {
      isEscaped = false
      wasEscaped = true
      return
    }
    switch scalar {
    case "\\": isEscaped = true
    case "(" where previous == "$":
      places.append(.code(closer: ")"))
      pending = "("
    case "{" where previous == "$": places.append(.quotedParameter)
    case "`": places.append(.code(closer: "`"))
    default: break
    }
  }

  private mutating func readHereDocument(_ scalar: Unicode.Scalar, _ document: HereDocument) {
    var document = document
    guard scalar == "\n" else {
      document.line.unicodeScalars.append(scalar)
      places[places.count - 1] = .hereDocument(document)
      if !document.isLiteral { readExpanding(scalar) }
      return
    }
    let line = document.stripsTabs ? String(document.line.drop { $0 == "\t" }) : document.line
    document.line = ""
    if line == document.delimiter { places.removeLast() } else { places[places.count - 1] = .hereDocument(document) }
  }
}
