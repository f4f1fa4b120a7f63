/// What a number that a person writes may be. Validation, the options of commands, docs/dag-files.md and the fuzz tests
/// take it from here (`NumberBound.inDAGFiles`, `NumberBound.inOptions`).
package struct NumberBound: Hashable, Sendable {
  /// As people write it: an argument or a key of a DAG file, or an option.
  package let place: String
  package let lowest: Double
  package let highest: Double
  /// The lowest value itself is not allowed.
  package var isAboveLowest = false
  package var unit = Unit.none

  package enum Unit: String, Hashable, Sendable { case none = "", seconds = " s", gigabytes = " GB" }

  package init(_ place: String, _ lowest: Double, _ highest: Double, unit: Unit = .none, isAboveLowest: Bool = false) {
    self.place = place
    self.lowest = lowest
    self.highest = highest
    self.unit = unit
    self.isAboveLowest = isAboveLowest
  }

  /// The same bound of another place.
  package func at(_ place: String) -> NumberBound {
    NumberBound(place, lowest, highest, unit: unit, isAboveLowest: isAboveLowest)
  }

  package func allows(_ value: Double) -> Bool {
    (isAboveLowest ? value > lowest : value >= lowest) && value <= highest
  }

  package func allows(_ value: Int) -> Bool { allows(Double(value)) }

  /// What is wrong with a value, in words for its author; nil: nothing.
  package func problem(_ value: Double) -> String? { allows(value) ? nil : problem(value, "\(value)") }

  package func problem(_ value: Int) -> String? { allows(value) ? nil : problem(Double(value), "\(value)") }

  private func problem(_ value: Double, _ text: String) -> String {
    let rule = value.isNaN ? "it must be a number" : value > highest ? "at most \(highestText)" : lowestRule
    return "\(place) is \(text)\(unit.rawValue); \(rule)"
  }

  private var lowestRule: String {
    if isAboveLowest { return "it must be more than \(Self.text(lowest))" }
    return lowest == 0 ? "it cannot be negative" : "it must be \(lowestText) or more"
  }

  package var lowestText: String { Self.text(lowest) + unit.rawValue }

  package var highestText: String {
    let plain = Self.text(highest) + unit.rawValue
    guard unit == .seconds else { return plain }
    return highest == Self.longestSeconds ? "10 years (\(plain))" : "\(Self.text(highest / 86_400)) days (\(plain))"
  }

  /// What is allowed, for a table: `0 to 1000000`, `more than 0, at most 10 years (315576000 s)`.
  package var rule: String {
    isAboveLowest ? "more than \(Self.text(lowest)), at most \(highestText)" : "\(lowestText) to \(highestText)"
  }

  /// The nearest value that is allowed; for what is stored already, and was written before there was a bound.
  package func clamp(_ value: Double) -> Double {
    value.isNaN ? lowest : min(max(value, lowest), highest)
  }

  package func clamp(_ value: Int) -> Int { Int(saturating: clamp(Double(value))) }

  private static func text(_ number: Double) -> String { Int64(exactly: number).map(String.init) ?? "\(number)" }

  /// Ten years of 365.25 days.
  package static let longestSeconds = 315_576_000.0
}
