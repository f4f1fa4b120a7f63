// Lists of commands, and the commands that the grammar knows by their words.

/// `NAME=value … command argument … > file`
struct ShellCommand {
  var assignments: [ShellWord] = []
  var words: [ShellWord] = []
  /// Operands of redirections, among them here-strings.
  var targets: [ShellWord] = []
  var documents: [Int] = []

  mutating func add(_ word: ShellWord) {
    if words.isEmpty, word.assignedName != nil { assignments.append(word) } else { words.append(word) }
  }
}

extension ShellReader {
  enum List {
    case script
    case parentheses
    /// Of a `case`: to `;;` or `esac`.
    case branch
  }

  enum ListEnd { case end, endOfBranch, endOfCase }

  mutating func readList(_ kind: List) throws -> ListEnd {
    while true {
      skipBlanks()
      guard let symbol = peek else {
        guard kind == .script else { throw Lost("a value stands in a script whose parentheses are not closed") }
        return .end
      }
      switch symbol {
      case "\n": try readLineEnd()
      case "#": readComment()
      case ";" where peek(1) == ";" || peek(1) == "&":
        guard kind == .branch else { throw Lost("a value comes after a ;; outside of a case") }
        position += 2
        if peek == "&" { position += 1 }
        return .endOfBranch
      case "|" where peek(1) == "&" && dialect != .bash: throw Lost(Self.onlyBash("|&"))
      case "&" where peek(1) == ">" && dialect == .bash: try readSimpleCommand()
      case ";", "&", "|": position += 1
      case ")":
        guard kind == .parentheses else { throw Lost("a value comes after a parenthesis that was not opened") }
        position += 1
        return .end
      case "(" where peek(1) == "(":
        guard dialect == .bash else { throw Lost(Self.onlyBash("((…))")) }
        position += 2
        try readArithmetic("((…))", closer: ")")
      case "(":
        position += 1
        let outer = pending
        pending = []
        let start = position
        try readParenthesized()
        pending = outer
        try checkLines(since: start)
      default:
        let before = position
        if try readCommand() {
          guard kind == .branch else { throw Lost("a value comes after an esac without a case") }
          return .endOfCase
        }
        if position == before { throw Lost("a value comes after a command that cannot be read") }
      }
    }
  }

  mutating func readComment() {
    let isFirstLine = position == 0 && peek(1) == "!"
    while let symbol = peek, symbol != "\n" {
      position += 1
      guard let hole = symbol.hole else { continue }
      if isFirstLine {
        refuse(hole, "a value stands in the #! line; write out what runs the script")
      } else {
        note(hole, .comment)
        allow(hole)
      }
    }
  }

  /// - Returns: whether it was `esac`.
  private mutating func readCommand() throws -> Bool {
    if peek?.isMeta == true {
      try readSimpleCommand()
      return false
    }
    let word = try readWord(.command)
    guard word.isBareText else {
      try readSimpleCommand(from: word)
      return false
    }
    switch word.string {
    case "if", "then", "elif", "else", "fi", "while", "until", "do", "done", "{", "}", "!": break
    case "time":
      skipBlanks()
      while peek == "-" {
        _ = try readWord(.argument)
        skipBlanks()
      }
    case "esac": return true
    case "case": try nested { try $0.readCase() }
    case "for", "select": try readFor()
    case "function":
      skipBlanks()
      let name = try readWord(.argument)
      for hole in name.holes { refuse(hole, "a value stands where a function is named; write its name out") }
      readEmptyParentheses()
    case "[[":
      guard dialect == .bash else { throw Lost(Self.onlyBash("[[…]]")) }
      try readCondition()
    case "coproc", "repeat", "foreach": throw Lost("a value comes after \(word.string), which cannot be followed")
    default:
      if !readEmptyParentheses() { try readSimpleCommand(from: word) }
    }
    return false
  }

  /// `()` of a function.
  @discardableResult
  private mutating func readEmptyParentheses() -> Bool {
    let start = position
    skipBlanks()
    if peek == "(" {
      position += 1
      skipBlanks()
      if peek == ")" {
        position += 1
        return true
      }
    }
    position = start
    return false
  }

  /// - Parameter first: its first word, if that was read.
  mutating func readSimpleCommand(from first: ShellWord? = nil) throws {
    var command = ShellCommand()
    if let first, !isDescriptor(first) { command.add(first) }
    while true {
      skipBlanks()
      guard let symbol = peek else { break }
      if symbol == "#" {
        readComment()
        break
      }
      let isRedirection =
        (symbol == "<" || symbol == ">") && peek(1) != "(" || symbol == "&" && peek(1) == ">" && dialect == .bash
      if isRedirection {
        try readRedirection(&command)
        continue
      }
      if symbol.isMeta && symbol != "<" && symbol != ">" {
        if symbol == "(" { throw Lost("a value comes after a parenthesis that cannot be read") }
        break
      }
      let before = position
      let word = try readWord(command.words.isEmpty ? .command : .argument)
      if position == before { throw Lost("a value comes after a command that cannot be read") }
      if !isDescriptor(word) { command.add(word) }
    }
    try settle(command)
  }

  /// `2` of `2>`, and `{name}` of `{name}>`.
  private func isDescriptor(_ word: ShellWord) -> Bool {
    guard peek == "<" || peek == ">", word.isBareText else { return false }
    return word.text.allSatisfy(\.isDigit) || word.text.first == "{" && word.text.last == "}"
  }

  private mutating func readRedirection(_ command: inout ShellCommand) throws {
    if isNext("<<<") {
      guard dialect == .bash else { throw Lost(Self.onlyBash("<<<")) }
      position += 3
    } else if isNext("<<") {
      position += 2
      let stripsTabs = peek == "-"
      if stripsTabs { position += 1 }
      command.documents.append(try readDelimiter(stripsTabs: stripsTabs))
      return
    } else {
      let start = position
      while let symbol = peek, position - start < 3, ["<", ">", "&", "|"].contains(symbol),
        !(symbol == "<" && peek(1) == "(")
      {
        position += 1
      }
      let isCopy = symbols[start..<position].last == "&"
      skipBlanks()
      let target = try readWord(.argument)
      if isCopy {
        for hole in target.holes { refuse(hole, "a value stands after >& or <&; write the file descriptor out") }
      }
      command.targets.append(target)
      return
    }
    skipBlanks()
    command.targets.append(try readWord(.argument))
  }

  // MARK: - Compound commands

  private mutating func readFor() throws {
    skipBlanks()
    if isNext("((") {
      guard dialect == .bash else { throw Lost(Self.onlyBash("for ((…))")) }
      position += 2
      return try readArithmetic("for ((…))", closer: ")")
    }
    let name = try readWord(.argument)
    for hole in name.holes { refuse(hole, "a value stands where a shell variable is named; write its name out") }
    try skipLines()
    if peek?.isMeta != false { return }
    let word = try readWord(.argument)
    if word.isBareText, word.string == "do" { return }
    guard word.isBareText, word.string == "in" else { throw Lost("a value comes after a for that cannot be read") }
    while true {
      skipBlanks()
      guard let symbol = peek, !symbol.isMeta || symbol == "<" || symbol == ">" else { return }
      let before = position
      let word = try readWord(.argument)
      if position == before { throw Lost("a value comes after a for that cannot be read") }
      allow(word, assignedTo: name.string)
    }
  }

  private mutating func readCase() throws {
    if substitutions > 0 {
      throw Lost(
        "a value comes after a case … in inside of $(…), where it cannot be quoted safely; put it into a shell variable "
          + "at the beginning of the script")
    }
    skipBlanks()
    allow(try readWord(.argument))
    try skipLines()
    guard try readWord(.argument).string == "in" else { throw Lost("a value comes after a case that cannot be read") }
    while true {
      try skipLines()
      if peek == "(" { position += 1 }
      repeat {
        if peek == "|" { position += 1 }
        skipBlanks()
        let before = position
        let pattern = try readWord(.argument)
        if position == before { throw Lost("a value comes after a case that cannot be read") }
        if pattern.isBareText, pattern.string == "esac" { return }
        allow(pattern)
        skipBlanks()
      } while peek == "|"
      guard peek == ")" else { throw Lost("a value comes after a case that cannot be read") }
      position += 1
      switch try readList(.branch) {
      case .endOfCase: return
      case .endOfBranch, .end: continue
      }
    }
  }

  /// `[[ … ]]`, after its opening.
  private mutating func readCondition() throws {
    var words: [ShellWord] = []
    while true {
      try skipLines()
      guard let symbol = peek else { throw Lost("a value stands in a [[ that is not closed") }
      if symbol.isMeta && !(peek(1) == "(" && (symbol == "<" || symbol == ">")) {
        position += 1
        // `&&`, `(` and the like stand between operands.
        words.append(ShellWord())
        continue
      }
      let isPattern = words.last.map { $0.isBareText && $0.string == "=~" } ?? false
      let word = try readWord(isPattern ? .pattern : .argument)
      if word.isBareText, word.string == "]]" { break }
      words.append(word)
    }
    for (index, word) in words.enumerated() {
      let before = index > 0 ? words[index - 1] : ShellWord()
      let after = index + 1 < words.count ? words[index + 1] : ShellWord()
      if before.isBareText, ["-v", "-R"].contains(before.string) {
        allow(
          word, .nothing("a value stands after \(before.string), which evaluates it; compare \"${name+set}\" instead"))
      } else if Self.compares(before) || Self.compares(after) {
        allow(word, .number("a comparison of numbers in [[…]]"))
      } else {
        allow(word)
      }
    }
  }

  /// Whether its neighbours are calculated, or read as numbers.
  static func compares(_ word: ShellWord) -> Bool {
    word.isBareText && ["-eq", "-ne", "-lt", "-le", "-gt", "-ge"].contains(word.string)
  }
}
