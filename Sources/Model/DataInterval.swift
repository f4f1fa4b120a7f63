package import Dagrun

/// Half open: from `start` up to, and without, `end`.
package struct DataInterval: Hashable, Sendable {
  package var start: Timestamp
  package var end: Timestamp

  package init(start: Timestamp, end: Timestamp) {
    self.start = start
    self.end = end
  }
}
