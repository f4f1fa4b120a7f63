/// Numbers that come from outside: of requests, of files, of VMs. None may trap, whatever it is.
///
/// A number that only sets how long or how much is clamped here; one that means something is refused by its own rule.

/// The nearest value of the range; the lowest for what is not a number.
func clamp<Value: Comparable>(_ value: Value, to range: ClosedRange<Value>) -> Value {
  // As written NaN, which compares with nothing, becomes the lower bound.
  value >= range.lowerBound ? min(value, range.upperBound) : range.lowerBound
}

/// Decimal digits and nothing else; what is larger than every `Int` is the largest.
func wholeNumber(_ digits: some StringProtocol) -> Int? {
  guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
  return Int(digits) ?? .max
}
