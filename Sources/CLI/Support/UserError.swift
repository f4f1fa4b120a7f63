import Dagrun
import Presentation

/// An error that a person reads: what failed on what, and what to do next.
struct UserError: Error, Hashable, Sendable {
  var status: CommandExit
  /// What failed, on what. One sentence without a full stop.
  var message: String
  /// What to do next; nil where the message leaves no question.
  var hint: String?

  init(_ status: CommandExit, _ message: String, hint: String? = nil) {
    self.status = status
    self.message = message
    self.hint = hint
  }

  /// As it is printed to standard error.
  var text: String {
    let advice = (hint ?? "").split(whereSeparator: \.isNewline).map { "  \($0)\n" }
    return "error: \(ShownText.line(message))\n" + advice.joined()
  }
}

extension UserError {
  /// `no DAG 'nigthly'; did you mean 'nightly'?`
  init(notFound kind: String, _ name: String, among names: some Sequence<String>, hint: String) {
    let suggestion = Identifier.closest(to: name, in: names)
    self.init(
      .notFound, "no \(kind) '\(name)'" + (suggestion.map { "; did you mean '\($0)'?" } ?? ""),
      hint: suggestion == nil ? hint : nil)
  }
}
