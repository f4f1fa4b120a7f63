internal import Dagrun

/// Lengths of time, for people.
package enum Durations {
  /// `0.42 s`, `12.3 s`, `3 min 05 s`, `2 h 07 min`, `3 d 4 h`.
  package static func text(_ seconds: Double) -> String {
    let seconds = seconds.isNaN ? 0 : max(0, seconds)
    if seconds < 9.995 { return "\(decimals(seconds, 2)) s" }
    if seconds < 59.95 { return "\(decimals(seconds, 1)) s" }
    let whole = Int(saturating: seconds)
    if whole < 3600 { return "\(whole / 60) min \(twoDigits(whole % 60)) s" }
    let minutes = whole / 60
    if minutes < 1440 { return "\(minutes / 60) h \(twoDigits(minutes % 60)) min" }
    return "\(minutes / 1440) d \(minutes / 60 % 24) h"
  }

  private static func decimals(_ value: Double, _ count: Int) -> String {
    let scale = count == 2 ? 100 : 10
    let scaled = Int(saturating: value * Double(scale))
    let fraction = String(scaled % scale)
    return "\(scaled / scale)." + String(repeating: "0", count: count - fraction.count) + fraction
  }

  private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
