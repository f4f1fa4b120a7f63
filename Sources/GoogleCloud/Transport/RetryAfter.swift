internal import Foundation

/// The header `Retry-After` (RFC 9110, 10.2.3): seconds, or a date.
enum RetryAfter {
  /// Seconds from now, at least 0; nil when it cannot be read.
  static func seconds(_ text: String, now: Date) -> Double? {
    let text = text.trimmingCharacters(in: .whitespaces)
    if let seconds = Double(text), seconds.isFinite { return max(0, seconds) }
    return date(text).map { max(0, $0.timeIntervalSince(now)) }
  }

  /// `Sun, 06 Nov 1994 08:49:37 GMT`, and the two old forms `Sunday, 06-Nov-94 …` and `Sun Nov  6 08:49:37 1994`.
  private static func date(_ text: String) -> Date? {
    for format in ["EEE, dd MMM yyyy HH:mm:ss zzz", "EEEE, dd-MMM-yy HH:mm:ss zzz", "EEE MMM d HH:mm:ss yyyy"] {
      let formatter = DateFormatter()
      formatter.locale = Locale(identifier: "en_US_POSIX")
      formatter.timeZone = TimeZone(identifier: "GMT")
      formatter.dateFormat = format
      if let date = formatter.date(from: text.split(separator: " ").joined(separator: " ")) { return date }
    }
    return nil
  }
}
