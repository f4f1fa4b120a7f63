/// An error that a person reads: what failed on what, and what to do next.
struct Complaint: Error, Hashable, Sendable {
  var status: ExitStatus
  /// What failed, on what. One sentence without a full stop.
  var message: String
  /// What to do next; nil where the message leaves no question.
  var hint: String?

  init(_ status: ExitStatus, _ message: String, hint: String? = nil) {
    self.status = status
    self.message = message
    self.hint = hint
  }

  /// As it is printed to standard error.
  var text: String {
    guard let hint else { return "error: \(message)\n" }
    return "error: \(message)\n  \(hint)\n"
  }
}

extension Complaint {
  /// `no DAG 'nigthly'; did you mean 'nightly'?`
  init(notFound kind: String, _ name: String, among names: some Sequence<String>, hint: String) {
    let suggestion = Spelling.suggestion(for: name, among: names)
    self.init(
      .notFound, "no \(kind) '\(name)'" + (suggestion.map { "; did you mean '\($0)'?" } ?? ""),
      hint: suggestion == nil ? hint : nil)
  }
}
