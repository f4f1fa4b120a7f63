// Which words of a command take a value: what the shells' builtins, and programs that run other shells, do with them.

extension ShellReader {
  /// The command is read; its words' places are known.
  mutating func settle(_ command: ShellCommand) throws {
    for word in command.assignments {
      let isOnlyBash = word.hasSubscript || word.string.prefix { $0 != "=" }.hasSuffix("+")
      if dialect != .bash, isOnlyBash { allow(word, .nothing(Self.onlyBash("name[…]= and name+="))) }
      allow(word, assignedTo: word.assignedName ?? "")
    }
    var input = ShellHole.Limit.anything
    if !command.words.isEmpty { input = try settle(command.words[...]) }
    for word in command.targets { allow(word, input) }
    for index in command.documents { documents[index].limit = input }
  }

  /// - Returns: what the command's standard input takes.
  private mutating func settle(_ words: ArraySlice<ShellWord>) throws -> ShellHole.Limit {
    guard let first = words.first else { return .anything }
    let arguments = words.dropFirst()
    for hole in first.holes where known[hole] == nil {
      refuse(
        hole,
        "a value stands where a command is named, so that it could choose what runs; "
          + "put it into a shell variable first, or write \\(raw: …)")
    }
    allow(first)
    guard let name = literal(first) else {
      // A path names a program, never a builtin.
      if first.text.contains("/") { return settleProgram(name: "", words) }
      let reason =
        "a value is given to a command whose name is in a shell variable, so that it is not known what it does "
        + "with it; write: env \"$name\" …"
      allow(arguments, .nothing(reason))
      return .nothing(reason)
    }
    if name.contains("/") {
      return settleProgram(name: name.split(separator: "/").last.map(String.init) ?? name, words)
    }
    if let wrapped = try settleWrapper(name, arguments) { return wrapped }
    if try settleBuiltin(name, arguments) {
      return ["eval", ".", "source"].contains(name)
        ? .nothing("a value is read by \(name), which runs it; pass it in environment:") : .anything
    }
    return settleProgram(name: name, words)
  }

  /// The text of a word that is known now; nil with an expansion or a value of the run in it.
  func literal(_ word: ShellWord) -> String? {
    var text = String.UnicodeScalarView()
    for symbol in word.text {
      if symbol == .expansion { return nil }
      if let hole = symbol.hole {
        guard let value = known[hole] else { return nil }
        text += value.unicodeScalars
      } else if let scalar = symbol.scalar {
        text.append(scalar)
      }
    }
    return String(text)
  }

  mutating func allow(_ words: ArraySlice<ShellWord>, _ limit: ShellHole.Limit) {
    for word in words { allow(word, limit) }
  }

  // MARK: - Commands that run the command after them

  private mutating func settleWrapper(_ name: String, _ words: ArraySlice<ShellWord>) throws -> ShellHole.Limit? {
    guard Self.wrappers.contains(name) else { return nil }
    if name == "command", let option = words.first.flatMap(literal), option == "-v" || option == "-V" {
      allow(words, .anything)
      return .anything
    }
    var rest = words
    while let word = rest.first {
      rest = rest.dropFirst()
      if name == "env", let variable = word.assignedName {
        allow(word, assignedTo: variable)
        continue
      }
      guard let text = literal(word), word.holes.isEmpty else {
        if !word.holes.isEmpty {
          // A number names no program, and is not an option that does.
          allow(word, .number("the words before the command of \(name)"))
          continue
        }
        // Only the shell's own run a builtin.
        let isShells = ["command", "builtin", "noglob", "nocorrect", "-"].contains(name)
        return isShells ? try settle([word] + rest) : settleProgram(name: "", [word] + rest)
      }
      if text == "-S" || text.hasPrefix("--split-string") || name == "env" && text.hasPrefix("-") && text.contains("S")
      {
        let reason = "a value is given to env -S, which takes it apart; use env without -S"
        allow(rest, .nothing(reason))
        return .nothing(reason)
      }
      if text == "-a", name == "exec" {
        if let next = rest.first { allow(next) }
        rest = rest.dropFirst()
        continue
      }
      // Options, and the time of `timeout 10s`.
      if text.hasPrefix("-") || text.first?.isNumber == true { continue }
      return try settle([word] + rest)
    }
    return .anything
  }

  private static let wrappers: Set<String> = [
    "command", "builtin", "exec", "env", "nice", "nohup", "timeout", "xargs", "setsid", "stdbuf", "ionice", "busybox",
    "noglob", "nocorrect", "-", "toybox",
  ]

  // MARK: - Programs

  /// A program is given its arguments as they are. Some of them are code to some programs.
  private mutating func settleProgram(name: String, _ words: ArraySlice<ShellWord>) -> ShellHole.Limit {
    var input = ShellHole.Limit.anything
    let words = Array(words)
    let texts = words.map(literal)
    var limits: [ShellHole.Limit] = texts.map { _ in .anything }
    for (index, text) in texts.enumerated() {
      guard let base = text?.split(separator: "/").last.map(String.init), !words[index].isArray else { continue }
      // A shell may also be run by the command: `sudo bash -c`, `docker exec c sh -c`.
      if Self.shells.contains(base) {
        let readsInput = limit(operandsOf: base, words, after: index, &limits)
        if readsInput { input = .plain("the input of \(base)") }
      } else if let flags = Self.interpreters[base] {
        limit(codeOf: base, flags, texts, after: index, &limits)
      }
    }
    switch name {
    case "ssh", "rsh", "watch", "parallel", "mosh":
      for index in limits.indices { limits[index] = .plain("the words of \(name), which another shell reads") }
    case "sed", "gsed", "awk", "gawk", "mawk", "nawk": limit(scriptOf: name, texts, &limits)
    default: break
    }
    for (word, limit) in zip(words, limits) { allow(word, limit) }
    return input
  }

  /// - Returns: whether the shell reads its commands from its standard input.
  private func limit(
    operandsOf shell: String, _ words: [ShellWord], after index: Int, _ limits: inout [ShellHole.Limit]
  ) -> Bool {
    let texts = words.map(literal)
    var takesCode = false
    var next = index + 1
    while next < texts.count {
      defer { next += 1 }
      // `"$script"` is the author's, and no option.
      if texts[next] == nil, words[next].holes.isEmpty, words[next].isQuoted { return false }
      guard let text = texts[next] else {
        limits[next] =
          takesCode
          ? .plain("the code of \(shell) -c")
          : .nothing(
            "a value stands where \(shell) is told what to run; write the script's name out, or pass the value after it"
          )
        if takesCode { return false }
        continue
      }
      if takesCode || !text.hasPrefix("-") && !text.hasPrefix("+") {
        if takesCode { limits[next] = .plain("the code of \(shell) -c") }
        return text == "-s"
      }
      if text == "-o" || text == "+o" || text == "-O" || text == "+O" {
        next += 1
        if next < texts.count { limits[next] = .nothing("a value stands in an option of \(shell); write it out") }
      } else if !text.hasPrefix("--"), text.hasPrefix("-"), text.contains("c") {
        takesCode = true
      } else if !text.hasPrefix("--"), text.contains("s") {
        return true
      }
    }
    return !takesCode
  }

  private func limit(
    codeOf name: String, _ flags: Set<String>, _ texts: [String?], after index: Int, _ limits: inout [ShellHole.Limit]
  ) {
    for next in texts.indices where next > index {
      if next > index + 1, let flag = texts[next - 1], flags.contains(flag) {
        limits[next] = .plain("the code of \(name)")
      }
    }
  }

  /// The first operand is code, unless options give it.
  private func limit(scriptOf name: String, _ texts: [String?], _ limits: inout [ShellHole.Limit]) {
    let place = ShellHole.Limit.plain("the code of \(name)")
    let takingValue: Set<String> = name.hasSuffix("sed") ? ["-l"] : ["-F", "-v"]
    let code: Set<String> = name.hasSuffix("sed") ? ["-e", "--expression", "-f", "--file"] : ["-f", "-e", "-i"]
    var isGiven = false
    var next = 1
    while next < texts.count {
      let text = texts[next]
      if let text, takingValue.contains(text) {
        next += 2
        continue
      }
      if let text,
        code.contains(text)
          || name.hasSuffix("sed") && text.hasPrefix("-") && text.hasSuffix("e") && !text.hasPrefix("--")
      {
        isGiven = true
        if next + 1 < limits.count { limits[next + 1] = place }
        next += 2
        continue
      }
      if text?.hasPrefix("-") == true {
        next += 1
        continue
      }
      // A value alone may be an option that is code.
      if !isGiven {
        limits[next] = place
        isGiven = true
      }
      next += 1
    }
  }

  private static let shells: Set<String> = [
    "sh", "bash", "dash", "ash", "zsh", "ksh", "ksh93", "mksh", "lksh", "pdksh", "yash", "posh", "rbash", "fish", "csh",
    "tcsh", "hush",
  ]

  /// Programs, and their options before code.
  private static let interpreters: [String: Set<String>] = [
    "python": ["-c"], "python3": ["-c"], "python2": ["-c"], "perl": ["-e", "-E", "-ne", "-pe", "-i", "-lne", "-lpe"],
    "ruby": ["-e", "-ne", "-pe"], "node": ["-e", "-p", "--eval", "--print"], "php": ["-r"], "lua": ["-e"],
    "Rscript": ["-e"], "su": ["-c", "--command"], "runuser": ["-c", "--command"], "script": ["-c", "--command"],
    "flock": ["-c", "--command"],
  ]
}
