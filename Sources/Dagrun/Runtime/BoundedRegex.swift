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
  package func isFound(in text: String) throws(TooManySteps) -> Bool {
    var rounds = 0
    return try isMatch(expression, text, &rounds)
  }

  package func matchesWhole(_ text: String) throws(TooManySteps) -> Bool {
    var rounds = 0
    return try isMatch(wholeExpression, text, &rounds)
  }

  /// The texts in which it is found, or that it matches as a whole; the limit is for all of them together.
  package func matching(_ texts: some Sequence<String>, whole: Bool) throws(TooManySteps) -> [String] {
    var rounds = 0
    var found: [String] = []
    for text in texts where try isMatch(whole ? wholeExpression : expression, text, &rounds) { found.append(text) }
    return found
  }

  private func isMatch(
    _ expression: NSRegularExpression, _ text: String, _ rounds: inout Int
  ) throws(TooManySteps) -> Bool {
    var isFound = false
    var count = rounds
    expression.enumerateMatches(
      in: text, options: .reportProgress, range: NSRange(text.startIndex..., in: text)
    ) { match, _, stop in
      if match != nil {
        isFound = true
      } else {
        count += 1
      }
      if isFound || count > Self.mostRounds { stop.pointee = true }
    }
    rounds = count
    if !isFound, count > Self.mostRounds { throw TooManySteps(pattern: pattern) }
    return isFound
  }
}
