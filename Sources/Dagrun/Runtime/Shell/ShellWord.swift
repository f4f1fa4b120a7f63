/// A word of a script: what is left of it when quotes are removed, and which holes stand in it.
struct ShellWord {
  /// Expansions are `ShellSymbol.expansion`; holes are themselves.
  var text: [ShellSymbol] = []
  /// Holes whose value becomes part of this word: not those of a `$(…)` in it.
  var holes: [Int] = []
  var isQuoted = false
  /// An unquoted `{`.
  var hasBrace = false
  /// `name=` begins it, or `name[…]=`, or `name+=`.
  var assignedName: String?
  var hasSubscript = false
  /// `name=(…)`
  var isArray = false

  var hasExpansion: Bool { text.contains(.expansion) }
  var string: String { text.string }
  /// Only text, and none of it quoted.
  var isBareText: Bool { !isQuoted && holes.isEmpty && !hasExpansion }

  mutating func append(hole: Int) {
    holes.append(hole)
    text.append(ShellSymbol(hole: hole))
  }
}

extension ShellReader {
  enum WordMode {
    /// Where a command begins: `name[…]=` is an assignment.
    case command
    case argument
    /// In `name=(…)`: `[…]=` is a subscript.
    case element
    /// After `=~`: parentheses and bars belong to it.
    case pattern
  }

  mutating func readWord(_ mode: WordMode) throws -> ShellWord {
    var word = ShellWord()
    var open = 0
    if peek == "#" { throw Lost("a value comes after a comment in the middle of a command") }
    while let symbol = peek {
      if let hole = symbol.hole {
        position += 1
        note(hole, .bare)
        word.append(hole: hole)
        continue
      }
      switch symbol {
      case "<" where peek(1) == "(", ">" where peek(1) == "(": try readProcessSubstitution(&word)
      case "(" where mode == .pattern:
        open += 1
        takeText(&word)
      case ")" where mode == .pattern && open > 0:
        open -= 1
        takeText(&word)
      case "|" where mode == .pattern: takeText(&word)
      case "(" where word.assignedName != nil && word.text.last == "=" && !word.isQuoted:
        try readArray(&word)
      case "(" where !word.text.isEmpty && mode != .command:
        throw Lost("a value stands beside a pattern with parentheses; put it into a shell variable first")
      case _ where symbol.isMeta: return word
      case "\\": readBackslash(&word)
      case "'": try readSingleQuotes(&word)
      case "\"": try readDoubleQuotes(&word)
      case "`": try readBackticks(&word)
      case "$": try readDollar(&word, .bare)
      case "[" where opensSubscript(word, mode):
        try readSubscript(&word)
        word.hasSubscript = true
      case "=" where word.assignedName == nil && word.isBareText:
        word.assignedName = Self.assignedName(word)
        takeText(&word)
      default:
        if symbol == "{" { word.hasBrace = true }
        takeText(&word)
      }
    }
    return word
  }

  private mutating func takeText(_ word: inout ShellWord) {
    word.text.append(symbols[position])
    position += 1
  }

  private func opensSubscript(_ word: ShellWord, _ mode: WordMode) -> Bool {
    guard word.isBareText, !word.hasSubscript, word.assignedName == nil else { return false }
    if mode == .element { return word.text.isEmpty }
    guard mode == .command, let first = word.text.first else { return false }
    return first.isNameStart && word.text.allSatisfy(\.isName)
  }

  /// The name before `=` and `+=`.
  private static func assignedName(_ word: ShellWord) -> String? {
    var name = word.text[...]
    if name.last == "+" { name = name.dropLast() }
    if word.hasSubscript { name = name.prefix { $0 != "[" } }
    guard let first = name.first else { return word.hasSubscript ? "" : nil }
    return first.isNameStart && name.allSatisfy(\.isName) ? name.string : nil
  }

  private mutating func readBackslash(_ word: inout ShellWord) {
    position += 1
    guard let next = peek else { return }
    position += 1
    if next == "\n" { return }
    word.isQuoted = true
    if let hole = next.hole {
      note(hole, .bare)
      refuse(hole, Self.afterBackslash)
      word.append(hole: hole)
    } else {
      word.text.append(next)
    }
  }

  static let afterBackslash = "a value cannot follow a backslash; remove the backslash"

  mutating func readSingleQuotes(_ word: inout ShellWord) throws {
    position += 1
    word.isQuoted = true
    let start = position
    while let symbol = peek {
      position += 1
      if symbol == "'" { return try checkLines(since: start) }
      if let hole = symbol.hole {
        note(hole, .singleQuotes)
        word.append(hole: hole)
      } else {
        word.text.append(symbol)
      }
    }
    throw Lost("a value stands in a script whose quotes are not closed")
  }

  mutating func readDoubleQuotes(_ word: inout ShellWord) throws {
    position += 1
    word.isQuoted = true
    let start = position
    while let symbol = peek {
      switch symbol {
      case "\"":
        position += 1
        return try checkLines(since: start)
      case "\\": readQuotedBackslash(&word)
      case "$": try readDollar(&word, .doubleQuotes)
      case "`": try readBackticks(&word)
      default:
        position += 1
        if let hole = symbol.hole {
          note(hole, .doubleQuotes)
          word.append(hole: hole)
        } else {
          word.text.append(symbol)
        }
      }
    }
    throw Lost("a value stands in a script whose quotes are not closed")
  }

  /// In double quotes, and in here-documents.
  mutating func readQuotedBackslash(_ word: inout ShellWord) {
    position += 1
    guard let next = peek else { return }
    position += 1
    if let hole = next.hole {
      note(hole, .doubleQuotes)
      refuse(hole, Self.afterBackslash)
      word.append(hole: hole)
    } else if next != "\n" {
      if !["$", "`", "\"", "\\"].contains(next) { word.text.append("\\") }
      word.text.append(next)
    }
  }

  /// `$'…'`, from the quote.
  mutating func readDollarQuotes(_ word: inout ShellWord) throws {
    position += 1
    word.isQuoted = true
    word.text.append(.expansion)
    let start = position
    while let symbol = peek {
      position += 1
      if symbol == "'" { return try checkLines(since: start) }
      if let hole = symbol.hole {
        note(hole, .dollarQuotes)
        if dialect == .unknown {
          refuse(hole, "a value stands in $'…', which not every /bin/sh knows; begin the script with #!/bin/bash")
        }
        word.append(hole: hole)
      } else if symbol == "\\", let next = peek {
        position += 1
        if let hole = next.hole {
          note(hole, .dollarQuotes)
          refuse(hole, Self.afterBackslash)
          word.append(hole: hole)
        } else if next == "'", dialect == .unknown {
          throw Lost(
            "a value comes after $'…\\'…', which the shells read differently; begin the script with #!/bin/bash")
        }
      }
    }
    throw Lost("a value stands in a script whose quotes are not closed")
  }

  /// To the next backtick that has no backslash before it, whatever stands between.
  mutating func readBackticks(_ word: inout ShellWord) throws {
    position += 1
    word.text.append(.expansion)
    let start = position
    while let symbol = peek {
      position += 1
      if symbol == "`" { return try checkLines(since: start) }
      let escaped = symbol == "\\" ? peek : nil
      if escaped != nil { position += 1 }
      if let hole = symbol.hole ?? escaped?.hole {
        refuse(hole, "a value stands in backticks, where it cannot be quoted safely; write $(…) instead")
      }
    }
    throw Lost("a value stands in a script whose backticks are not closed")
  }

  private mutating func readProcessSubstitution(_ word: inout ShellWord) throws {
    guard dialect == .bash else { throw Lost(Self.onlyBash("<(…)")) }
    position += 1
    try readSubstitution(&word)
  }

  /// `name=(…)`, from the parenthesis.
  private mutating func readArray(_ word: inout ShellWord) throws {
    guard dialect == .bash else { throw Lost(Self.onlyBash("an array")) }
    guard pending.isEmpty else { throw Lost("a value comes after an array in the line of a here-document") }
    declaresArrays = true
    word.isArray = true
    position += 1
    while true {
      try skipLines()
      guard let symbol = peek else { throw Lost("a value stands in a script with an array that is not closed") }
      if symbol == ")" {
        position += 1
        return
      }
      let start = position
      let element = try readWord(.element)
      if position == start { throw Lost("a value stands in an array that cannot be read") }
      word.holes += element.holes
    }
  }

  static func onlyBash(_ what: String) -> String {
    "a value stands beside \(what), which not every /bin/sh knows; begin the script with #!/bin/bash"
  }

  /// Shells disagree where a here-document begins whose line ends inside of quotes or a `$(…)`.
  func checkLines(since start: Int) throws {
    if !pending.isEmpty, symbols[start..<position].contains("\n") {
      throw Lost("a value comes after a here-document whose line ends inside of quotes or parentheses")
    }
  }
}
