// Numbers that come from outside (a file, an option, a row, a message, an answer) are converted and added up by these:
// plain `Int64(double)`, `+` and `*` stop the process when the result does not fit.

extension FixedWidthInteger {
  /// The nearest whole number that there is: the least or the greatest when `value` lies beyond, 0 for NaN.
  package init(saturating value: Double) {
    if let exact = Self(exactly: value.rounded()) {
      self = exact
    } else {
      self = value.isNaN ? 0 : value > 0 ? .max : .min
    }
  }

  package func addingSaturating(_ other: Self) -> Self {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other > 0 ? .max : .min) : sum
  }

  package func multipliedSaturating(by other: Self) -> Self {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? ((self < 0) == (other < 0) ? .max : .min) : product
  }
}
