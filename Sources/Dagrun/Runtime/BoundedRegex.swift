import Foundation

/// A regular expression from a person, matched in a bounded number of steps: one that backtracks without end is
/// refused, it does not keep its caller busy. The only kind of regular expression there is in dagrun, so that what was
/// checked is what is matched.
///
/// The syntax is that of `NSRegularExpression` (ICU). Steps are counted, not timed: the answer is the same on every
/// machine and under every load.
package struct BoundedRegex: Sendable {
  /// Each is 10,000 places to come back to: some 0.3 ms.
  static let mostRounds = 100

  /// Matching did not end within the limit.
  package struct TooManySteps: Error, Hashable, CustomStringConvertible {
    package let pattern: String

    package var description: String {
      "matching the regular expression \"\(pattern)\" takes too many steps; "
        + "write it without repetitions inside of repetitions, such as (a+)+"
    }
  }

  package let pattern: String
  private let expression: NSRegularExpression
  private let wholeExpression: NSRegularExpression

  /// nil: it is no regular expression.
  package init?(_ pattern: String) {
    // Alone first: "a)(b" is one only inside of the parentheses below.
    guard let expression = try? NSRegularExpression(pattern: pattern),
      let whole = (try? NSRegularExpression(pattern: "\\A(?:\(pattern))\\z"))
        // A comment at its end, where the pattern allows comments, must not swallow the parenthesis.
        ?? (try? NSRegularExpression(pattern: "\\A(?:\(pattern)\n)\\z"))
    else { return nil }
    self.pattern = pattern
    self.expression = expression
    wholeExpression = whole
  }

  /// Some part of the text matches.
  package func isFound(in text: String) throws(TooManySteps) -> Bool { try isMatch(expression, text) }

  package func matchesWhole(_ text: String) throws(TooManySteps) -> Bool { try isMatch(wholeExpression, text) }

  private func isMatch(_ expression: NSRegularExpression, _ text: String) throws(TooManySteps) -> Bool {
    var isFound = false
    var rounds = 0
    expression.enumerateMatches(
      in: text, options: .reportProgress, range: NSRange(text.startIndex..., in: text)
    ) { match, _, stop in
      if match != nil {
        isFound = true
        stop.pointee = true
      } else {
        rounds += 1
        if rounds > Self.mostRounds { stop.pointee = true }
      }
    }
    if !isFound, rounds > Self.mostRounds { throw TooManySteps(pattern: pattern) }
    return isFound
  }
}
