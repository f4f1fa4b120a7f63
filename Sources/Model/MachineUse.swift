package import Dagrun

/// How long Google charged for one VM of an attempt.
package struct MachineUse: Codable, Hashable, Sendable {
  /// Google's number. A group that repairs makes another VM of the same name. nil where nobody has told it.
  package var id: String?
  package var name: String?
  package var zone: String?
  package var began: TimeBounds
  /// nil while it continues.
  package var ended: TimeBounds?
  /// Nothing shows that it was ever up. Google charges for no VM that was not.
  package var isDoubtful = false
  /// The cloud took it back.
  package var wasPreempted = false

  package init(
    id: String? = nil, name: String? = nil, zone: String? = nil, began: TimeBounds, ended: TimeBounds? = nil,
    isDoubtful: Bool = false, wasPreempted: Bool = false
  ) {
    self.id = id
    self.name = name
    self.zone = zone
    self.began = began
    self.ended = ended
    self.isDoubtful = isDoubtful
    self.wasPreempted = wasPreempted
  }

  /// Compute Engine charges by the second, and for a minute at least.
  package static let leastSeconds = 60.0

  /// - Parameter now: the end of a VM that continues.
  package func chargedSeconds(now: Timestamp) -> ClosedRange<Double> {
    let end = ended ?? TimeBounds(now)
    let most = max(Self.leastSeconds, end.latest.seconds(since: began.earliest))
    let least = isDoubtful ? 0 : max(Self.leastSeconds, end.earliest.seconds(since: began.latest))
    return min(least, most)...most
  }
}

/// A moment that the cloud has told; or two, and it lies between them.
package struct TimeBounds: Codable, Hashable, Sendable {
  package var earliest: Timestamp
  package var latest: Timestamp

  package init(_ moment: Timestamp) { (earliest, latest) = (moment, moment) }

  /// Bounds that contradict each other come from clocks that do: the later moment counts as the latest.
  package init(_ earliest: Timestamp, _ latest: Timestamp) {
    self.earliest = earliest
    self.latest = max(earliest, latest)
  }

  package var isExact: Bool { earliest == latest }
}
