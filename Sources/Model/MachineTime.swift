package import Dagrun

/// What Google charged for an attempt's machines, in seconds of a machine.
package struct MachineTime: Hashable, Sendable {
  package var machines: Int
  package var seconds: ClosedRange<Double>
  package var precision: Precision

  package enum Precision: String, Codable, Hashable, Sendable, CaseIterable {
    /// Begin and end of each are the cloud's.
    case exact
    /// The cloud has told less. It was not more than `seconds.upperBound`.
    case atMost = "at_most"
    /// One of them was left behind, and is charged for still.
    case atLeast = "at_least"
    /// An older dagrun has measured when it looked; or parts of it may have been more, and others less.
    case observed
  }
}

extension MachineTime {
  /// What to show after the sign of its precision.
  package var shownSeconds: Double { precision == .atLeast ? seconds.lowerBound : seconds.upperBound }
}

extension JobAttempt {
  /// - Parameter now: the end of a machine that continues.
  package func machineTime(now: Timestamp) -> MachineTime {
    guard let machines else {
      guard let start = machineStartedAt else { return MachineTime(machines: 0, seconds: 0...0, precision: .exact) }
      let seconds = max(MachineUse.leastSeconds, (endedAt ?? now).seconds(since: start))
      return MachineTime(machines: 1, seconds: seconds...seconds, precision: .observed)
    }
    // Of a machine that was left behind nobody knows more than that it was there then.
    let now = endedAt ?? now
    let ranges = machines.map { $0.chargedSeconds(now: now) }
    let least = ranges.reduce(0) { $0 + $1.lowerBound }
    let most = ranges.reduce(0) { $0 + $1.upperBound }
    let precision: MachineTime.Precision =
      endedAt != nil && machines.contains { $0.ended == nil } ? .atLeast : least == most ? .exact : .atMost
    return MachineTime(machines: machines.count, seconds: least...most, precision: precision)
  }
}

extension MachineTime.Precision {
  /// Of a sum.
  package func joined(with other: Self) -> Self {
    switch (self, other) {
    case (.exact, let precision), (let precision, .exact): precision
    case (.atMost, .atMost), (.atLeast, .atLeast): self
    // At most this and at least that is neither.
    default: .observed
    }
  }

  /// Before a number.
  package var sign: String {
    switch self {
    case .exact: ""
    case .atMost: "≤ "
    case .atLeast: "≥ "
    case .observed: "~ "
    }
  }
}
