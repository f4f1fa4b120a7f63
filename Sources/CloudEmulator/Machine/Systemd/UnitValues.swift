internal import Foundation

/// One command of a unit: `ExecStart=` and the like.
struct UnitCommand: Equatable {
  /// Before variables are put in.
  var words: [String]
  /// `-`: its failure is none of the unit's.
  var ignoresFailure = false
  /// `:`: a dollar is a dollar.
  var keepsVariables = false

  /// Commands of one line, which `;` separates.
  static func parse(_ line: String, _ specifiers: Specifiers) -> [UnitCommand] {
    splitWords(line).split(separator: ";").map { words in
      var command = UnitCommand(words: Array(words))
      while let prefix = command.words[0].first, "-:@+!".contains(prefix) {
        if prefix == "-" { command.ignoresFailure = true }
        if prefix == ":" { command.keepsVariables = true }
        command.words[0].removeFirst()
        if command.words[0].isEmpty { break }
      }
      command.words = command.words.map(specifiers.expand)
      return command
    }
  }

  /// `$NAME` as a word of its own becomes as many words as its value has, `${NAME}` anywhere becomes text, `$$` a dollar.
  func arguments(_ environment: [String: String]) -> [String] {
    if keepsVariables { return words }
    return words.enumerated().flatMap { index, word -> [String] in
      if index > 0, word.hasPrefix("$"), word.dropFirst().allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) {
        return splitWords(environment[String(word.dropFirst())] ?? "")
      }
      return [expanded(word, environment)]
    }
  }

  private func expanded(_ word: String, _ environment: [String: String]) -> String {
    var result = ""
    var rest = word[...]
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      rest = rest[rest.index(after: dollar)...]
      if rest.hasPrefix("$") {
        result += "$"
        rest = rest.dropFirst()
      } else if rest.hasPrefix("{"), let end = rest.firstIndex(of: "}") {
        result += environment[String(rest[..<end].dropFirst())] ?? ""
        rest = rest[rest.index(after: end)...]
      } else {
        let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        result += name.isEmpty ? "$" : environment[String(name)] ?? ""
        rest = rest.dropFirst(name.count)
      }
    }
    return result + rest
  }
}

/// `%n` and the like.
struct Specifiers {
  var unit: String
  var hostName: String

  func expand(_ text: String) -> String {
    guard text.contains("%") else { return text }
    let stem = unit.lastIndex(of: ".").map { String(unit[..<$0]) } ?? unit
    let parts = stem.split(separator: "@", maxSplits: 1).map(String.init)
    let values: [Character: String] = [
      "n": unit, "N": stem, "p": parts[0], "i": parts.count > 1 ? parts[1] : "", "H": hostName, "%": "%",
      "t": "/run", "S": "/var/lib", "C": "/var/cache", "L": "/var/log", "T": "/tmp", "V": "/var/tmp", "h": "/root",
      "u": "root", "U": "0",
    ]
    var result = ""
    var characters = text.makeIterator()
    while let character = characters.next() {
      guard character == "%", let next = characters.next() else {
        result.append(character)
        continue
      }
      result += values[next] ?? "%\(next)"
    }
    return result
  }
}

/// Words as systemd separates them: blanks, quotes of both kinds, backslashes.
func splitWords(_ line: String) -> [String] {
  var words: [String] = []
  var word: String?
  var quote: Character?
  var characters = line.makeIterator()
  while let character = characters.next() {
    if character == "\\" {
      let next = characters.next() ?? "\\"
      let escapes: [Character: Character] = ["n": "\n", "t": "\t", "r": "\r", "s": " "]
      word = (word ?? "") + String(escapes[next] ?? next)
    } else if character == quote {
      quote = nil
    } else if quote == nil, character == "\"" || character == "'" {
      quote = character
      word = word ?? ""
    } else if quote == nil, character.isWhitespace {
      if let ended = word { words.append(ended) }
      word = nil
    } else {
      word = (word ?? "") + String(character)
    }
  }
  if let ended = word { words.append(ended) }
  return words
}

/// `90`, `1min 30s`, `500ms`, `infinity`.
struct UnitTimeSpan {
  /// Nil: for ever.
  var seconds: Double?

  init(seconds: Double?) { self.seconds = seconds }

  init?(_ text: String) {
    if text == "infinity" { return }
    var total = 0.0
    var rest = text.filter { !$0.isWhitespace }[...]
    if rest.isEmpty { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isNumber || $0 == "." }
      let name = rest.dropFirst(digits.count).prefix { $0.isLetter }
      guard let number = Double(digits), let unit = Self.units[String(name)] else { return nil }
      total += number * unit
      rest = rest.dropFirst(digits.count + name.count)
    }
    seconds = total
  }

  private static let units: [String: Double] = [
    "": 1, "s": 1, "sec": 1, "second": 1, "seconds": 1, "ms": 0.001, "msec": 0.001, "us": 1e-6, "m": 60, "min": 60,
    "minute": 60, "minutes": 60, "h": 3600, "hr": 3600, "hour": 3600, "hours": 3600, "d": 86400, "day": 86400,
    "days": 86400, "w": 604800,
  ]
}

/// Where a unit's output goes.
enum UnitOutput: Equatable {
  /// And the console, always: it is the only place that is seen from outside.
  case journal
  case null
  case file(String, appends: Bool, truncates: Bool)

  init?(_ text: String) {
    switch text {
    case "journal", "journal+console", "console", "syslog", "kmsg", "kmsg+console", "tty", "inherit", "":
      self = .journal
    case "null": self = .null
    case _ where text.hasPrefix("file:"): self = .file(String(text.dropFirst(5)), appends: false, truncates: false)
    case _ where text.hasPrefix("append:"): self = .file(String(text.dropFirst(7)), appends: true, truncates: false)
    case _ where text.hasPrefix("truncate:"): self = .file(String(text.dropFirst(9)), appends: false, truncates: true)
    default: return nil
    }
  }
}

/// `SIGTERM`, `TERM` or `15`.
func signalNumber(_ text: String) -> Int32? {
  let names: [String: Int32] = [
    "HUP": SIGHUP, "INT": SIGINT, "QUIT": SIGQUIT, "KILL": SIGKILL, "USR1": SIGUSR1, "USR2": SIGUSR2, "TERM": SIGTERM,
    "CONT": SIGCONT, "STOP": SIGSTOP, "WINCH": SIGWINCH, "ABRT": SIGABRT, "ALRM": SIGALRM, "PIPE": SIGPIPE,
  ]
  if let number = Int32(text) { return (1..<65).contains(number) ? number : nil }
  return names[text.uppercased().hasPrefix("SIG") ? String(text.uppercased().dropFirst(3)) : text.uppercased()]
}
