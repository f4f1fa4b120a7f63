/// The shell that reads a script.
package enum ShellDialect: Hashable, Sendable {
  case bash
  /// zsh, ksh and mksh: they know `$'…'`. Everything else is as for `unknown`.
  case korn
  /// A container's `/bin/sh`: only what bash, dash and busybox sh read alike is known.
  case unknown
}

/// A place in a script at which a value is put: how the value is quoted there, and which values are taken.
struct ShellHole {
  enum Quoting {
    /// Between words, or in one, outside of quotes.
    case bare
    case singleQuotes
    case doubleQuotes
    /// `$'…'`
    case dollarQuotes
    /// `((…))`, `$((…))` and the like.
    case arithmetic
    case comment
    case document(isLiteral: Bool)
  }

  enum Limit: Equatable {
    case anything
    /// A whole number; the text says where it stands.
    case number(String)
    /// A date or a number, in a text that another program reads as code; the text says which.
    case plain(String)
    /// The reason, and what to write instead.
    case nothing(String)
  }

  var quoting = Quoting.bare
  /// What the place itself takes.
  var limit = Limit.anything
  /// What is taken at last. A place is refused until it is known to be safe.
  var taken = Limit.nothing(
    "a value stands where it is not known how the shell reads it; put it into a shell variable first")
  var isSettled = false
  /// The value of a variable, which may have been declared to be a number.
  var isAssigned = false
  /// An operand of export, local and the like.
  var isDeclared = false
  /// The here-documents that are open here, by index.
  var documents: [Int] = []
}

extension ShellHole {
  /// The value as the shell must see it here.
  ///
  /// - Parameter isShown: nothing runs it, so a name may stand for a number.
  func quote(_ value: String, isShown: Bool = false) throws -> String {
    guard !value.unicodeScalars.contains("\0") else {
      throw RenderError("a value with a zero byte cannot be put into a shell script")
    }
    switch taken {
    case .anything: break
    case .number(let place):
      guard isShown || Self.isWholeNumber(value) else {
        throw RenderError("\"\(value)\" stands in \(place), where only a whole number can be put")
      }
      if case .bare = quoting { break }
      return value
    case .plain(let place):
      guard isShown || Self.isPlain(value) else {
        throw RenderError(
          "\"\(value)\" stands in \(place), where only a date or a number can be put; pass it in environment:, or as an "
            + "argument")
      }
    case .nothing(let reason): throw RenderError(reason)
    }
    switch quoting {
    case .bare: return ShellQuoting.quoted(value)
    case .singleQuotes: return ShellQuoting.closingQuotes(value)
    case .doubleQuotes: return Self.escaped(value, "\\\"$`")
    // Closed and opened again: what stands before it, as `\x`, must not read on in the value.
    case .dollarQuotes: return "'" + ShellQuoting.quoted(value) + "$'"
    case .arithmetic: return value
    case .comment:
      let scalars = value.unicodeScalars.map { $0 == "\n" || $0 == "\r" ? " " : $0 }
      return String(String.UnicodeScalarView(scalars))
    case .document(let isLiteral): return isLiteral ? value : Self.escaped(value, "\\$`")
    }
  }

  /// Why this value is refused here; nil when it is taken, as far as the place alone can say.
  func problem(with value: String) -> String? {
    do {
      _ = try quote(value)
      return nil
    } catch { return "\(error)" }
  }

  private static func escaped(_ value: String, _ special: String) -> String {
    var result = ""
    for scalar in value.unicodeScalars {
      if special.unicodeScalars.contains(scalar) { result += "\\" }
      result.unicodeScalars.append(scalar)
    }
    return result
  }

  private static func isWholeNumber(_ value: String) -> Bool {
    let digits = value.utf8.first == UInt8(ascii: "-") ? value.utf8.dropFirst() : value.utf8[...]
    return !digits.isEmpty && digits.count <= 19 && digits.allSatisfy { (48...57).contains($0) }
  }

  /// As `2026-01-31T03:00:00+00:00`, `20260131` or `-0.5`: no shell, and no other language, reads a command in it.
  private static func isPlain(_ value: String) -> Bool {
    let text = value.utf8.first == UInt8(ascii: "-") ? value.utf8.dropFirst() : value.utf8[...]
    guard let first = text.first, (48...57).contains(first) else { return false }
    return text.allSatisfy { (48...57).contains($0) || "T:+-.".utf8.contains($0) }
  }
}
