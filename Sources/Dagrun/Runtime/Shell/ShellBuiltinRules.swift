// The builtins of bash, dash and busybox sh, of zsh and ksh where they are named alike.

extension ShellReader {
  /// - Returns: whether it is a builtin; nothing is settled when it is not.
  mutating func settleBuiltin(_ name: String, _ words: ArraySlice<ShellWord>) throws -> Bool {
    switch name {
    case "echo", "cd", "chdir", "pwd", "true", "false", ":", "type": allow(words, .anything)
    case "printf": settlePrintf(words)
    case "[", "test": settleTest(words)
    case "exit", "return", "break", "continue", "shift", "umask", "ulimit", "wait", "kill":
      allow(words, .number("the operands of \(name)"))
    case "set": try settleSet(words)
    case "export", "readonly", "local", "declare", "typeset": settleDeclaration(name, words)
    case "alias", "enable", "emulate", "setopt", "unsetopt":
      throw Lost("a value comes after \(name), which changes what commands mean; leave it out")
    case "shopt":
      if words.contains(where: { literal($0).map { $0.hasPrefix("compat") || $0 == "expand_aliases" } ?? true }) {
        throw Lost("a value comes after shopt, which changes what commands mean; leave it out")
      }
      allow(words, .nothing(Self.evaluates(name)))
    case "mapfile", "readarray":
      declaresArrays = true
      allow(words, .nothing(Self.evaluates(name)))
    case _ where Self.evaluating.contains(name):
      if name == "read", words.contains(where: { literal($0) == "-a" }) { declaresArrays = true }
      let hides = words.contains {
        literal($0).map { $0.contains("declare") || $0.contains("typeset") || $0.contains("alias") } ?? false
      }
      if hides { throw Lost("a value comes after \(name) of a text that changes what assignments mean") }
      allow(words, .nothing(Self.evaluates(name)))
    default: return false
    }
    return true
  }

  private static func evaluates(_ name: String) -> String {
    "a value is given to \(name), which may evaluate it; put it into a shell variable first and give it the variable's name"
  }

  /// They run, calculate or name a variable by a word that they are given.
  private static let evaluating: Set<String> = [
    "eval", ".", "source", "trap", "let", "read", "unset", "getopts", "unalias", "bind", "complete", "compgen",
    "compopt",
    "hash", "history", "fc", "caller", "dirs", "pushd", "popd", "disown", "fg", "bg", "jobs", "suspend", "logout",
    "times", "help", "integer", "float", "functions", "zmodload", "autoload", "zle", "vared", "whence", "print",
    "zparseopts",
    "zformat", "zstyle", "sched", "zcompile", "nameref", "compound", "enum",
  ]

  /// An option `-v` names a variable; a value may be that option where the format stands.
  private mutating func settlePrintf(_ words: ArraySlice<ShellWord>) {
    var rest = words
    if let first = rest.first, literal(first) == "--", first.holes.isEmpty {
      rest = rest.dropFirst()
      if let format = rest.first, dialect == .bash { allow(format) }
    }
    guard let format = rest.first else { return }
    let beginning = format.text.first
    let isOption = beginning == nil || beginning == "-" || beginning?.scalar == nil
    if isOption && rest.count == words.count {
      allow(
        rest, .nothing("a value is given to printf, whose format or options it could change; begin with: printf '%s'"))
      return
    }
    // ksh and zsh calculate what a format of numbers is given.
    let text = literal(format)
    let isText = text.map {
      $0.replacing("%%", with: "").split(separator: "%", omittingEmptySubsequences: false).dropFirst().allSatisfy {
        $0.first == "s"
      }
    }
    if dialect == .korn, isText != true {
      allow(rest, .number("printf with a format that is not %s"))
    } else {
      allow(rest, .anything)
    }
  }

  /// Only forms in which no value can be taken for an operator.
  private mutating func settleTest(_ words: ArraySlice<ShellWord>) {
    var operands = Array(words)
    if let last = operands.last, literal(last) == "]" { operands.removeLast() }
    if let first = operands.first, first.holes.isEmpty, literal(first) == "!" { operands.removeFirst() }
    func isOperator(_ word: ShellWord, _ all: Set<String>) -> Bool {
      word.holes.isEmpty && literal(word).map(all.contains) == true
    }
    switch operands.count {
    case 1: allow(operands[...], .anything)
    case 2 where isOperator(operands[0], Self.unary): allow(operands[...], .anything)
    case 3 where isOperator(operands[1], Self.binary): allow(operands[...], .anything)
    case 3 where Self.compares(operands[1]): allow(operands[...], .number("a comparison of numbers in [ … ]"))
    default:
      allow(
        operands[...],
        .nothing("a value stands in a test in which it could be an operator; write [ a = b ] && [ c = d ]"))
    }
  }

  private static let unary: Set<String> = [
    "-n", "-z", "-e", "-f", "-d", "-r", "-w", "-x", "-s", "-L", "-h", "-S", "-p", "-b", "-c", "-u", "-g", "-k", "-O",
    "-G",
  ]
  private static let binary: Set<String> = ["=", "==", "!=", "<", ">", "-nt", "-ot", "-ef"]

  private mutating func settleSet(_ words: ArraySlice<ShellWord>) throws {
    var rest = words
    var isAfterDashes = false
    while let word = rest.first, !isAfterDashes {
      guard let text = literal(word), word.holes.isEmpty else { break }
      if text == "--" {
        isAfterDashes = true
      } else if text.hasPrefix("-") || text.hasPrefix("+"), !text.contains("k"), !text.contains("H"),
        !text.contains("A")
      {
        // As `-euo pipefail`.
      } else if ["pipefail", "errexit", "nounset", "xtrace", "noglob", "noclobber", "allexport", "verbose", "noexec"]
        .contains(text)
      {
        // The name after -o.
      } else {
        break
      }
      rest = rest.dropFirst()
    }
    if isAfterDashes {
      allow(rest, .anything)
    } else if !rest.isEmpty {
      if rest.allSatisfy({ $0.holes.isEmpty }),
        rest.first.flatMap(literal)?.first.map({ $0 != "-" && $0 != "+" }) == true
      {
        // `set a b c`
        if ["keyword", "history", "histexpand", "posix", "emacs", "vi"].contains(rest.first.flatMap(literal) ?? "") {
          throw Lost("a value comes after set -o, which changes what commands mean; leave it out")
        }
        return
      }
      if rest.allSatisfy({ $0.holes.isEmpty }) {
        throw Lost("a value comes after a set that changes what commands mean; leave it out")
      }
      allow(rest, .nothing("a value is given to set, whose option it could be; write: set -- …"))
    }
  }

  private mutating func settleDeclaration(_ name: String, _ words: ArraySlice<ShellWord>) {
    var isPlain = name == "export" || name == "readonly" || name == "local"
    for word in words where word.assignedName == nil && quotedName(word) == nil {
      let text = literal(word)
      if let text, text.hasPrefix("-") || text.hasPrefix("+") {
        if text.contains("i") { declaresIntegers = true }
        if text.contains("a") || text.contains("A") || text.contains("n") { declaresArrays = true }
        if !text.dropFirst().allSatisfy({ "xrgp".contains($0) }) { isPlain = false }
      } else if text == nil, name != "export", name != "readonly" {
        // Its options may be in a variable.
        declaresIntegers = true
      }
    }
    for word in words {
      guard isPlain, let variable = word.assignedName ?? quotedName(word), !word.isArray else {
        allow(word, .nothing(Self.evaluates(name)))
        continue
      }
      for hole in word.holes { holes[hole].isDeclared = true }
      allow(word, assignedTo: variable)
    }
  }

  /// The name of `"name=value"`.
  private func quotedName(_ word: ShellWord) -> String? {
    let name = word.text.prefix { $0 != "=" }
    guard name.count < word.text.count, name.first?.isNameStart == true, name.allSatisfy(\.isName) else { return nil }
    return name.string
  }
}
