internal import Foundation

/// Waits that double, up to the longest.
package struct Backoff: Hashable, Sendable {
  package var firstSeconds: Double
  package var longestSeconds: Double

  package init(firstSeconds: Double, longestSeconds: Double) {
    self.firstSeconds = firstSeconds
    self.longestSeconds = longestSeconds
  }

  /// - Parameter doublings: 0: the first wait.
  package func seconds(doublings: Int) -> Double {
    // Enough for any wait that ends, and finite.
    min(longestSeconds, firstSeconds * exp2(Double(min(max(doublings, 0), 30))))
  }
}
