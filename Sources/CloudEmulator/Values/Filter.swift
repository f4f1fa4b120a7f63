internal import CLinux

/// The filter of Compute's lists.
///
/// Grammar: `field = value`, `!=`, `<`, `<=`, `>`, `>=`, `:` (contains, `*` stands for anything), `eq` and `ne` (a
/// regular expression that fits the whole value), joined by `AND`, `OR`, `NOT` or `-` and parentheses; terms side by
/// side are joined by `AND`. A field is a path: `labels.owner`, `scheduling.automaticRestart`.
struct Filter {
  private indirect enum Term {
    case all([Term])
    case any([Term])
    case not(Term)
    case compare(field: String, operator: Comparison, value: String)
  }

  private enum Comparison: String {
    case equal = "="
    case unequal = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case has = ":"
    case fits = "eq"
    case doesNotFit = "ne"
  }

  private let term: Term

  init(_ text: String) throws(APIFailure) {
    let refusal = APIFailure(
      400, "invalid", "Invalid value for field 'filter': '\(text)'. Invalid list filter expression.")
    guard var tokens = Self.tokens(text) else { throw refusal }
    guard let term = Self.alternatives(&tokens, depth: 0), tokens.isEmpty else { throw refusal }
    self.term = term
  }

  func matches(_ resource: JSON) -> Bool { Self.holds(term, resource) }

  private static func holds(_ term: Term, _ resource: JSON) -> Bool {
    switch term {
    case .all(let terms): return terms.allSatisfy { holds($0, resource) }
    case .any(let terms): return terms.contains { holds($0, resource) }
    case .not(let term): return !holds(term, resource)
    case .compare(let field, let comparison, let expected):
      let value = field.split(separator: ".").reduce(resource) { $0[String($1)] }
      if case .array(let elements) = value {
        return elements.contains { compare($0, comparison, expected) }
      }
      return compare(value, comparison, expected)
    }
  }

  private static func compare(_ value: JSON, _ comparison: Comparison, _ expected: String) -> Bool {
    let actual: String? =
      switch value {
      case .string(let text): text
      case .bool(let flag): String(flag)
      case .integer(let number): String(number)
      case .number(let number): String(number)
      case .null, .array, .object: nil
      }
    guard let actual else {
      return switch comparison {
      case .unequal, .doesNotFit: true
      case .has: expected == "*" && value != .null
      case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual, .fits: false
      }
    }
    func isOrdered(_ order: (Double, Double) -> Bool, _ textOrder: (String, String) -> Bool) -> Bool {
      if let left = Double(actual), let right = Double(expected) { return order(left, right) }
      return textOrder(actual, expected)
    }
    switch comparison {
    case .equal: return actual == expected
    case .unequal: return actual != expected
    case .less: return isOrdered(<, <)
    case .lessOrEqual: return isOrdered(<=, <=)
    case .greater: return isOrdered(>, >)
    case .greaterOrEqual: return isOrdered(>=, >=)
    case .has:
      let pattern = expected.contains("*") ? expected : "*\(expected)*"
      return isMatch(pattern.lowercased(), actual.lowercased())
    case .fits: return fits(expected, actual)
    case .doesNotFit: return !fits(expected, actual)
    }
  }

  /// As the C library has it, which takes a time that grows with the text, whatever the expression is.
  private static func fits(_ expression: String, _ text: String) -> Bool {
    guard expression.utf8.count <= 256, text.utf8.count <= 4096 else { return false }
    return clinux_fits("^(\(expression))$", text) != 0
  }

  /// No filter is as deep; the stack is not endless.
  private static let depthLimit = 100

  // MARK: Reading

  private enum Token: Hashable {
    case open, close
    case sign(String)
    case word(String)
    /// In quotes: never an operator.
    case quoted(String)
  }

  private static func tokens(_ text: String) -> ArraySlice<Token>? {
    var tokens: [Token] = []
    var rest = Substring(text)
    while let first = rest.first {
      if first.isWhitespace {
        rest.removeFirst()
      } else if first == "(" || first == ")" {
        tokens.append(first == "(" ? .open : .close)
        rest.removeFirst()
      } else if first == "\"" || first == "'" {
        rest.removeFirst()
        var value = ""
        while let next = rest.popFirst(), next != first {
          if next == "\\", let escaped = rest.popFirst() { value.append(escaped) } else { value.append(next) }
          guard !rest.isEmpty else { return nil }
        }
        tokens.append(.quoted(value))
      } else if let sign = ["!=", "<=", ">=", "=", "<", ">", ":"].first(where: rest.hasPrefix) {
        tokens.append(.sign(sign))
        rest = rest.dropFirst(sign.count)
      } else {
        // A value after an operator may hold what would end a field: `name=a:b`, `name eq a.*(b|c)`.
        let isValue: Bool
        switch tokens.last {
        case .sign?: isValue = true
        case .word("eq")?, .word("ne")?: isValue = tokens.count > 1
        case .open?, .close?, .word?, .quoted?, nil: isValue = false
        }
        var depth = 0
        let word = rest.prefix { character in
          if isValue {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            return !character.isWhitespace && depth >= 0
          }
          return !character.isWhitespace && !"()=<>:!\"".contains(character)
        }
        guard !word.isEmpty else { return nil }
        tokens.append(.word(String(word)))
        rest = rest.dropFirst(word.count)
      }
    }
    return tokens[...]
  }

  private static func alternatives(_ tokens: inout ArraySlice<Token>, depth: Int) -> Term? {
    guard let first = conjunction(&tokens, depth: depth) else { return nil }
    var terms = [first]
    while tokens.first == .word("OR") {
      tokens.removeFirst()
      guard let next = conjunction(&tokens, depth: depth) else { return nil }
      terms.append(next)
    }
    return terms.count == 1 ? terms[0] : .any(terms)
  }

  private static func conjunction(_ tokens: inout ArraySlice<Token>, depth: Int) -> Term? {
    guard let first = single(&tokens, depth: depth) else { return nil }
    var terms = [first]
    while let next = tokens.first, next != .close, next != .word("OR") {
      if next == .word("AND") { tokens.removeFirst() }
      guard let term = single(&tokens, depth: depth) else { return nil }
      terms.append(term)
    }
    return terms.count == 1 ? terms[0] : .all(terms)
  }

  private static func single(_ tokens: inout ArraySlice<Token>, depth: Int) -> Term? {
    guard depth < depthLimit, let first = tokens.popFirst() else { return nil }
    switch first {
    case .open:
      guard let term = alternatives(&tokens, depth: depth + 1), tokens.popFirst() == .close else { return nil }
      return term
    case .word("NOT"): return single(&tokens, depth: depth + 1).map(Term.not)
    case .word("-") where tokens.first == .open: return single(&tokens, depth: depth + 1).map(Term.not)
    case .word(let field), .quoted(let field):
      let symbol: String
      switch tokens.popFirst() {
      case .sign(let sign)?: symbol = sign
      case .word(let word)?: symbol = word
      case .open?, .close?, .quoted?, nil: return nil
      }
      guard let comparison = Comparison(rawValue: symbol), let value = value(&tokens) else { return nil }
      if field.hasPrefix("-") {
        return .not(.compare(field: String(field.dropFirst()), operator: comparison, value: value))
      }
      return .compare(field: field, operator: comparison, value: value)
    case .close, .sign: return nil
    }
  }

  private static func value(_ tokens: inout ArraySlice<Token>) -> String? {
    switch tokens.popFirst() {
    case .word(let text)?, .quoted(let text)?: return text
    case .open?:
      // `name eq (a|b)`: parentheses of the expression itself.
      guard case .word(let text)? = tokens.popFirst(), tokens.popFirst() == .close else { return nil }
      return "(\(text))"
    case .close?, .sign?, nil: return nil
    }
  }
}
