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
  /// Both begin at the text's beginning and are tried there alone: what is counted are steps of the pattern, not places
  /// where it might begin.
  private let foundExpression: NSRegularExpression
  private let wholeExpression: NSRegularExpression

  /// nil: it is not a regular expression.
  package init?(_ pattern: String) {
    // Alone first: "a)(b" is one only inside of the parentheses below. (Foundation takes an empty one for none.)
    guard pattern.isEmpty || (try? NSRegularExpression(pattern: pattern)) != nil,
      let found = Self.expression("\\A(?s:.*?)(?:", pattern, ")"),
      let whole = Self.expression("\\A(?:", pattern, ")\\z")
    else { return nil }
    self.pattern = pattern
    foundExpression = found
    wholeExpression = whole
  }

  private static func expression(_ before: String, _ pattern: String, _ after: String) -> NSRegularExpression? {
    (try? NSRegularExpression(pattern: before + pattern + after))
      // A comment at its end, where the pattern allows comments, must not swallow the parenthesis.
      ?? (try? NSRegularExpression(pattern: before + pattern + "\n" + after))
  }

  /// Some part of the text matches.
  package func isFound(in text: String) throws(TooManySteps) -> Bool {
    var rounds = 0
    return try isMatch(foundExpression, text, &rounds)
  }

  package func matchesWhole(_ text: String) throws(TooManySteps) -> Bool {
    var rounds = 0
    return try isMatch(wholeExpression, text, &rounds)
  }

  /// The texts in which it is found, or that it matches as a whole; the limit is for all of them together.
  package func matching(_ texts: some Sequence<String>, whole: Bool) throws(TooManySteps) -> [String] {
    var rounds = 0
    var found: [String] = []
    for text in texts where try isMatch(whole ? wholeExpression : foundExpression, text, &rounds) { found.append(text) }
    return found
  }

  private func isMatch(
    _ expression: NSRegularExpression, _ text: String, _ rounds: inout Int
  ) throws(TooManySteps) -> Bool {
    var isFound = false
    var count = rounds
    expression.enumerateMatches(
      in: text, options: [.reportProgress, .anchored], range: NSRange(text.startIndex..., in: text)
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
