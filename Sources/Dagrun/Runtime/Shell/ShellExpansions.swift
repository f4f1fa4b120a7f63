// What begins with `$`, and arithmetic.

extension ShellReader {
  enum Surroundings {
    case bare
    case doubleQuotes
    case document
    case arithmetic
  }

  /// From the `$`.
  mutating func readDollar(_ word: inout ShellWord, _ place: Surroundings) throws {
    position += 1
    guard let symbol = peek else { return word.text.append("$") }
    if let hole = symbol.hole {
      refuse(hole, "a value cannot follow a $; put it into a shell variable first")
      position += 1
      return word.append(hole: hole)
    }
    switch symbol {
    case "'" where place == .bare: try readDollarQuotes(&word)
    case "\"" where place == .bare:
      try refusing("a value stands in $\"…\", which the shell may translate; remove the $") { reader in
        try reader.readDoubleQuotes(&word)
      }
    case "(" where peek(1) == "(":
      position += 2
      word.text.append(.expansion)
      try readArithmetic("$((…))", closer: ")")
    case "(": try readSubstitution(&word)
    case "{": try readParameter(&word, place)
    case "[":
      guard dialect == .bash else { throw Lost(Self.onlyBash("$[…]")) }
      position += 1
      word.text.append(.expansion)
      try readArithmetic("$[…]", closer: "]")
    case _ where symbol.isNameStart:
      while peek?.isName == true { position += 1 }
      word.text.append(.expansion)
      if place != .bare { refuseNext() }
    case _ where symbol.isDigit || ["?", "$", "!", "#", "@", "*", "-"].contains(symbol):
      position += 1
      word.text.append(.expansion)
      refuseNext()
    default: word.text.append("$")
    }
  }

  /// `"$name\(value)"` could name another variable.
  private mutating func refuseNext() {
    guard let hole = peek?.hole else { return }
    holes[hole].limit = .nothing("a value follows the name of a shell variable; write ${name} before it")
    refuse(hole, "a value follows the name of a shell variable; write ${name} before it")
  }

  mutating func refusing(_ reason: String, _ body: (inout Self) throws -> Void) rethrows {
    let outer = refusal
    refusal = refusal ?? reason
    defer { refusal = outer }
    try body(&self)
  }

  /// `$(…)`, `<(…)` and `>(…)`, from the parenthesis.
  mutating func readSubstitution(_ word: inout ShellWord) throws {
    let start = position
    position += 1
    word.text.append(.expansion)
    let outer = (pending, arithmetic)
    (pending, arithmetic) = ([], nil)
    substitutions += 1
    defer { substitutions -= 1 }
    try readParenthesized()
    (pending, arithmetic) = outer
    try checkLines(since: start)
  }

  /// A list of commands, to its `)`.
  mutating func readParenthesized() throws {
    parentheses += 1
    defer { parentheses -= 1 }
    try nested { reader in
      _ = try reader.readList(.parentheses)
      if !reader.pending.isEmpty {
        throw Lost("a value comes after a here-document that begins behind its parenthesis")
      }
    }
  }

  // MARK: - Arithmetic

  /// After its opening: `((`, `[`, or the colon of `${name:`.
  mutating func readArithmetic(_ name: String, closer: ShellSymbol) throws {
    let outer = arithmetic
    arithmetic = arithmetic ?? name
    defer { arithmetic = outer }
    var scratch = ShellWord()
    let start = position
    var open = 0
    try nested { reader in
      while let symbol = reader.peek {
        if symbol == closer, open == 0 {
          reader.position += 1
          guard closer == ")" else { return }
          guard reader.peek == ")" else { throw Lost(Self.ambiguous) }
          reader.position += 1
          return
        }
        switch symbol {
        case "(", "[": open += 1
        case ")", "]": open -= 1
        default: break
        }
        if open < 0 { throw Lost(Self.ambiguous) }
        try reader.readArithmeticSymbol(symbol, &scratch)
      }
      throw Lost("a value stands in a script with arithmetic that is not closed")
    }
    for hole in scratch.holes { allow(hole) }
    try checkLines(since: start)
  }

  private static let ambiguous =
    "a value stands in or after (( or [, where it is not known whether the shell calculates; write \"( (\" for commands"

  private mutating func readArithmeticSymbol(_ symbol: ShellSymbol, _ word: inout ShellWord) throws {
    switch symbol {
    case "$": try readDollar(&word, .arithmetic)
    case "`": try readBackticks(&word)
    case "\"": try readDoubleQuotes(&word)
    case "'": throw Lost("a value comes after a single quote in arithmetic, which the shells read differently")
    case "\\":
      guard peek(1) == "\n" else {
        throw Lost("a value comes after a backslash in arithmetic, which the shells read differently")
      }
      position += 2
    default:
      position += 1
      if let hole = symbol.hole {
        note(hole, .arithmetic)
        word.append(hole: hole)
      }
    }
  }

  /// `[…]` after a name, or where an element of an array begins.
  mutating func readSubscript(_ word: inout ShellWord) throws {
    word.text.append("[")
    position += 1
    if dialect == .bash {
      try readArithmetic("a subscript […]", closer: "]")
    } else {
      try refusing(Self.onlyBash("a subscript […]")) { reader in
        try reader.readArithmetic("a subscript […]", closer: "]")
      }
    }
    word.text.append("]")
  }

  // MARK: - Parameters

  /// `${…}`, from the brace.
  private mutating func readParameter(_ word: inout ShellWord, _ place: Surroundings) throws {
    position += 1
    word.text.append(.expansion)
    var operand = ShellWord()
    let start = position
    try nested { reader in
      if place == .bare {
        try reader.readParameter(&operand, isQuoted: false)
      } else {
        try reader.refusing("a value stands in a ${…} inside of quotes; put it into a shell variable first") { reader in
          try reader.readParameter(&operand, isQuoted: true)
        }
      }
    }
    try checkLines(since: start)
    word.holes += operand.holes
  }

  private mutating func readParameter(_ operand: inout ShellWord, isQuoted: Bool) throws {
    let refused = "a value stands in a ${…} whose form takes none; put it into a shell variable first"
    var isIndirect = false
    if peek == "!", peek(1) != "}" {
      position += 1
      isIndirect = true
    }
    if peek == "#", peek(1) != "}", peek(1).map({ $0.isName || $0 == "@" || $0 == "*" }) == true { position += 1 }
    let start = position
    if peek?.isNameStart == true {
      while peek?.isName == true { position += 1 }
    } else if peek?.isDigit == true {
      while peek?.isDigit == true { position += 1 }
    } else if let symbol = peek, ["@", "*", "#", "?", "-", "$", "!"].contains(symbol) {
      position += 1
    } else if peek?.hole == nil {
      throw Lost("a value comes after a ${…} that cannot be read")
    }
    let name = symbols[start..<position].string
    var subscripted = ShellWord()
    if peek == "[" { try readSubscript(&subscripted) }

    guard let symbol = peek, symbol != "}" else { return try readOperand(&operand, isQuoted: isQuoted) }
    let second = peek(1)
    switch symbol {
    case _ where isIndirect:
      try refusing(refused) { reader in try reader.readOperand(&operand, isQuoted: isQuoted) }
    case ":" where second == "-" || second == "=" || second == "+" || second == "?":
      position += 2
      try readOperand(&operand, isQuoted: isQuoted)
      if second == "=" { noteAssignment(operand, to: name) }
    case ":":
      position += 1
      if dialect == .bash {
        try readArithmeticOperand(&operand)
      } else {
        try refusing(Self.onlyBash("${name:…}")) { reader in try reader.readArithmeticOperand(&operand) }
      }
    case "-", "+", "?", "=":
      position += 1
      try readOperand(&operand, isQuoted: isQuoted)
      if symbol == "=" { noteAssignment(operand, to: name) }
    case "#", "%":
      position += symbol == second ? 2 : 1
      try readOperand(&operand, isQuoted: isQuoted)
    case "/" where dialect == .bash:
      position += second == "/" ? 2 : 1
      try readOperand(&operand, isQuoted: isQuoted)
    case _ where symbol.hole != nil || ["^", ",", "@", "~", "/"].contains(symbol):
      try refusing(refused) { reader in try reader.readOperand(&operand, isQuoted: isQuoted) }
    default: throw Lost("a value comes after a ${…} that cannot be read")
    }
  }

  /// `${name:from:length}`, after the first colon.
  private mutating func readArithmeticOperand(_ operand: inout ShellWord) throws {
    if let hole = peek?.hole {
      // A negative number would make it `${name:-…}`.
      refuse(hole, "a value follows the colon of ${name:…}; write a blank before it")
    }
    try readArithmetic("${name:…}", closer: "}")
  }

  /// To the `}`.
  private mutating func readOperand(_ word: inout ShellWord, isQuoted: Bool) throws {
    while let symbol = peek {
      if let hole = symbol.hole {
        position += 1
        note(hole, .bare)
        word.append(hole: hole)
        continue
      }
      switch symbol {
      case "}":
        position += 1
        return
      case "'" where isQuoted, "\"" where isQuoted:
        throw Lost("a value comes after a ${…} with quotes inside of quotes, which the shells read differently")
      case "<" where peek(1) == "(", ">" where peek(1) == "(":
        throw Lost(
          "a value comes after a \(symbol.scalar.map(String.init) ?? "")(…) in a ${…}, which the shells read differently"
        )
      case "'": try readSingleQuotes(&word)
      case "\"": try readDoubleQuotes(&word)
      case "\\": isQuoted ? readQuotedBackslash(&word) : readBareBackslash(&word)
      case "`": try readBackticks(&word)
      case "$": try readDollar(&word, isQuoted ? .doubleQuotes : .bare)
      default: position += 1
      }
    }
    throw Lost("a value stands in a script with a ${ that is not closed")
  }

  private mutating func readBareBackslash(_ word: inout ShellWord) {
    position += 1
    guard let next = peek else { return }
    position += 1
    if let hole = next.hole {
      note(hole, .bare)
      refuse(hole, Self.afterBackslash)
      word.append(hole: hole)
    }
  }
}
