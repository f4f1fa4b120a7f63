/// Reads a script as the shells do, to learn of each value in it (a *hole*) how it is quoted at its place, and which
/// values are taken there.
///
/// `'value'` is right between words, and wrong inside of the author's own quotes; and no quoting helps where the shell
/// evaluates a word, as `let` and a subscript do. So the script is read by the shells' grammar, with the holes as
/// symbols of their own. A hole is refused until a rule allows it. Where the shells disagree, or the grammar is not
/// known here, reading stops (`Lost`), and all holes that are left are refused.
struct ShellReader {
  struct Lost: Error {
    var reason: String

    init(_ reason: String) { self.reason = reason }
  }

  let symbols: [ShellSymbol]
  /// Of each hole, its value if that is known already.
  let known: [String?]
  let dialect: ShellDialect

  var position = 0
  /// Of the part that is being read: the script, or the body of a here-document.
  var end: Int
  var holes: [ShellHole]
  var documents: [ShellDocument] = []
  /// Announced in the current line, and beginning with the next one.
  var pending: [Int] = []
  /// The here-documents around this place.
  var openDocuments: [Int] = []
  /// Why no value at all is taken here.
  var refusal: String?
  /// Set inside of arithmetic: what it is called.
  var arithmetic: String?
  /// How many `(…)` and `$(…)` are open, and of them `$(…)`.
  var parentheses = 0
  var substitutions = 0
  /// Calls that are open, so that a script cannot exhaust the stack.
  var depth = 0
  var declaresIntegers = false
  var declaresArrays = false

  init(_ symbols: [ShellSymbol], known: [String?], dialect: ShellDialect) {
    self.symbols = symbols
    self.known = known
    self.dialect = dialect
    end = symbols.count
    holes = known.map { _ in ShellHole() }
  }

  mutating func read() {
    do {
      try checkContinuations()
      _ = try readList(.script)
    } catch {
      let reason = (error as? Lost)?.reason ?? "\(error)"
      for index in holes.indices where !holes[index].isSettled {
        holes[index].taken = .nothing(reason)
        holes[index].isSettled = true
      }
    }
    // A variable may have been declared anywhere: also below, in a loop or a function.
    for index in holes.indices {
      if declaresIntegers, holes[index].isAssigned, holes[index].taken == .anything {
        holes[index].taken = .number("an assignment, in a script with integer variables")
      }
      if declaresIntegers || declaresArrays, holes[index].isDeclared {
        refuse(
          index,
          "a value is declared in a script with arrays or integer variables; write name=VALUE in a line of its own")
      }
    }
  }
}

extension ShellReader {
  /// A backslash at the end of a line joins what it stands between, also to an operator: `<\` and `<EOF` are `<<EOF`.
  private func checkContinuations() throws {
    let operators = Array("<>&|;()-".unicodeScalars).map { ShellSymbol($0) }
    for index in symbols.indices.dropFirst() where symbols[index] == "\\" {
      guard index + 2 < symbols.count, symbols[index + 1] == "\n" else { continue }
      let (before, after) = (symbols[index - 1], symbols[index + 2])
      if before == "$" || operators.contains(before) && operators.contains(after) {
        throw Lost(
          "a value stands in a script with an operator that is continued in the next line; write it in one line")
      }
    }
  }
}

// MARK: - Symbols

/// A scalar of the script, or a hole.
struct ShellSymbol: Hashable, ExpressibleByUnicodeScalarLiteral {
  private let value: UInt32

  init(unicodeScalarLiteral scalar: Unicode.Scalar) { value = scalar.value }
  init(_ scalar: Unicode.Scalar) { value = scalar.value }
  /// Beyond Unicode.
  init(hole: Int) { value = 0x11_0000 + UInt32(hole) }

  /// What an expansion leaves in the text of a word.
  static let expansion = ShellSymbol(hole: Int(UInt32.max - 0x11_0000))

  var hole: Int? { value >= 0x11_0000 && self != .expansion ? Int(value - 0x11_0000) : nil }
  var scalar: Unicode.Scalar? { Unicode.Scalar(value) }

  var isBlank: Bool { self == " " || self == "\t" }
  var isDigit: Bool { (48...57).contains(value) }
  var isNameStart: Bool { (65...90).contains(value) || (97...122).contains(value) || value == 95 }
  var isName: Bool { isNameStart || isDigit }
  /// Ends a word that is not quoted.
  var isMeta: Bool { isBlank || self == "\n" || Self.operators.contains(self) }

  private static let operators: [ShellSymbol] = [";", "&", "|", "<", ">", "(", ")"]
}

extension Sequence<ShellSymbol> {
  /// Without what is not text.
  var string: String {
    var text = String.UnicodeScalarView()
    for symbol in self { if let scalar = symbol.scalar { text.append(scalar) } }
    return String(text)
  }
}

extension ShellReader {
  var peek: ShellSymbol? { position < end ? symbols[position] : nil }
  func peek(_ offset: Int) -> ShellSymbol? { position + offset < end ? symbols[position + offset] : nil }

  /// Whether the text continues with this.
  func isNext(_ text: String) -> Bool {
    var offset = 0
    for scalar in text.unicodeScalars {
      guard peek(offset) == ShellSymbol(scalar) else { return false }
      offset += 1
    }
    return true
  }

  mutating func skipBlanks() {
    while let symbol = peek {
      if symbol.isBlank {
        position += 1
      } else if symbol == "\\", peek(1) == "\n" {
        position += 2
      } else {
        return
      }
    }
  }

  /// Blanks, comments and ends of lines.
  mutating func skipLines() throws {
    while true {
      skipBlanks()
      switch peek {
      case "\n": try readLineEnd()
      case "#": readComment()
      default: return
      }
    }
  }

  /// - Throws: `Lost` when there is too much of it.
  mutating func nested(_ body: (inout Self) throws -> Void) throws {
    depth += 1
    defer { depth -= 1 }
    guard depth < 200 else { throw Lost("a value stands in a script that is nested too deeply to be followed") }
    try body(&self)
  }
}

// MARK: - Holes

extension ShellReader {
  /// A hole was read; a rule of its command has yet to allow it.
  mutating func note(_ hole: Int, _ quoting: ShellHole.Quoting) {
    holes[hole].quoting = quoting
    holes[hole].documents = openDocuments
    if let refusal {
      refuse(hole, refusal)
    } else if let arithmetic {
      holes[hole].limit = .number(arithmetic)
    }
  }

  mutating func allow(_ hole: Int, _ limit: ShellHole.Limit = .anything) {
    guard !holes[hole].isSettled else { return }
    holes[hole].isSettled = true
    switch (holes[hole].limit, limit) {
    case (_, .nothing): holes[hole].taken = limit
    case (.anything, _): holes[hole].taken = limit
    case (let own, _): holes[hole].taken = own
    }
  }

  mutating func allow(_ word: ShellWord, _ limit: ShellHole.Limit = .anything) {
    for hole in word.holes {
      if word.hasBrace, dialect != .bash {
        refuse(hole, "a value stands beside a {, which the shells read differently; quote the brace")
      }
      allow(hole, limit)
    }
  }

  mutating func refuse(_ hole: Int, _ reason: String) {
    holes[hole].isSettled = true
    holes[hole].taken = .nothing(reason)
  }

  /// The value of a variable.
  mutating func allow(_ word: ShellWord, assignedTo name: String) {
    noteAssignment(word, to: name)
    allow(word)
  }

  mutating func noteAssignment(_ word: ShellWord, to name: String) {
    let special = Self.isSpecial(name)
    for hole in word.holes {
      holes[hole].isAssigned = true
      if special {
        refuse(hole, "a value is given to \(name), which the shell itself uses; choose another name")
      }
    }
  }

  /// Variables whose value a shell, or the loader of programs, reads as more than text.
  private static func isSpecial(_ name: String) -> Bool {
    name.hasPrefix("BASH") || name.hasPrefix("LD_") || name.hasPrefix("COMP_") || name.hasPrefix("READLINE_")
      || name.hasPrefix("PROMPT_") || name.hasPrefix("TEXTDOMAIN") || specialNames.contains(name)
  }

  private static let specialNames: Set<String> = [
    "ENV", "IFS", "PATH", "PS0", "PS1", "PS2", "PS3", "PS4", "SHELLOPTS", "RANDOM", "SRANDOM", "SECONDS", "LINENO",
    "OPTIND", "OPTARG", "OPTERR", "DIRSTACK", "FUNCNAME", "FUNCNEST", "GROUPS", "UID", "EUID", "GID", "EGID", "PPID",
    "MAIL", "MAILPATH", "MAILCHECK", "CDPATH", "TMOUT", "TIMEFORMAT", "GLOBIGNORE", "FIGNORE", "EXECIGNORE",
    "IGNOREEOF", "INPUTRC", "MAPFILE", "COPROC", "COMPREPLY", "REPLY", "POSIXLY_CORRECT", "CHILD_MAX", "histchars",
    "auto_resume", "HISTCMD", "HISTCONTROL", "HISTFILE", "HISTFILESIZE", "HISTIGNORE", "HISTSIZE", "HISTTIMEFORMAT",
    "EPOCHSECONDS", "EPOCHREALTIME", "FCEDIT", "SHELL", "ZDOTDIR", "FPATH", "NULLCMD", "READNULLCMD", "path", "fpath",
    "cdpath", "module_path", "_",
  ]
}
