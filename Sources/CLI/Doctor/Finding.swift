import Presentation

/// What the doctor says of one thing.
struct Finding: Hashable, Sendable {
  enum Verdict: String, Sendable {
    case good = "ok"
    /// dagrun works, but perhaps not as one thinks.
    case warning = "warn"
    case bad
  }

  var subject: String
  var verdict: Verdict
  var text: String
  /// What to do; nil where nothing needs to be done.
  var advice: String?

  static func good(_ subject: String, _ text: String) -> Finding {
    Finding(subject: subject, verdict: .good, text: text)
  }

  static func warning(_ subject: String, _ text: String, _ advice: String) -> Finding {
    Finding(subject: subject, verdict: .warning, text: text, advice: advice)
  }

  static func bad(_ subject: String, _ text: String, _ advice: String?) -> Finding {
    Finding(subject: subject, verdict: .bad, text: text, advice: advice)
  }

  var record: OutputObject {
    [
      "subject": .text(subject), "verdict": .text(verdict.rawValue), "text": .text(text), "advice": .optional(advice),
    ]
  }
}
