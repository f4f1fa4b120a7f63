internal import Foundation

/// One measured figure, printed as one line of JSON: its value and unit, the bound it was measured against in the same
/// run, and the ratio between them. Ratios count; absolute values are for scale, since machines differ and are noisy.
package struct Figure: Encodable {
  var benchmark: String
  var value: Double
  var unit: String
  var bound: Double?
  var boundIs: String?
  /// value / bound.
  package var ratio: Double?
  /// The target as it is put in words, and whether this run met it.
  var target: String?
  var met: Bool?
  var detail: [String: Double]?

  package init(_ benchmark: String, _ value: Double, _ unit: String) {
    self.benchmark = benchmark
    self.value = rounded(value)
    self.unit = unit
  }

  package func against(_ bound: Double, _ boundIs: String) -> Figure {
    var copy = self
    copy.bound = rounded(bound)
    copy.boundIs = boundIs
    copy.ratio = rounded(value / bound)
    return copy
  }

  package func target(_ words: String, _ met: Bool) -> Figure {
    var copy = self
    copy.target = words
    copy.met = met
    return copy
  }

  package func with(_ detail: [String: Double]) -> Figure {
    var copy = self
    copy.detail = detail.mapValues(rounded)
    return copy
  }

  package func report() {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    guard let line = try? encoder.encode(self) else { return }
    FileHandle.standardOutput.write(line + Data("\n".utf8))
  }
}

/// Four significant digits: more would be noise.
private func rounded(_ value: Double) -> Double {
  guard value != 0, value.isFinite else { return value }
  let magnitude = pow(10, 3 - floor(log10(abs(value))))
  return (value * magnitude).rounded() / magnitude
}

extension Array where Element == Double {
  package var median: Double { percentile(50) }

  /// The nearest-rank percentile; 0 for no values.
  package func percentile(_ percent: Double) -> Double {
    guard !isEmpty else { return 0 }
    let rank = Int((percent / 100 * Double(count)).rounded(.up))
    return sorted()[Swift.max(0, Swift.min(count - 1, rank - 1))]
  }
}
