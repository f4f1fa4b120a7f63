package import Foundation

/// What a VM is charged for, by the emulator's clock: from RUNNING until it is off or gone. A client's ledger is to say
/// the same.
package struct BillingRow: Codable, Hashable, Sendable {
  /// `projects/p/zones/z/instances/i`
  package var instance: String
  package var id: String
  package var machineType: String
  package var isSpot: Bool
  package var beganAt: Date
  /// nil while it runs.
  package var endedAt: Date?

  /// By the second, and a minute at least.
  package func chargedSeconds(now: Date) -> Double {
    max(Self.leastSeconds, (endedAt ?? now).timeIntervalSince(beganAt))
  }

  private static let leastSeconds = 60.0
}

/// All that were ever RUNNING, in that order.
struct BillingBook: Sendable {
  private(set) var rows: [BillingRow] = []
  /// Of those that run, by their number.
  private var open: [UInt64: Int] = [:]

  mutating func began(_ instance: Instance, at now: Date) {
    open[instance.id] = rows.count
    rows.append(
      BillingRow(
        instance: instance.path, id: "\(instance.id)", machineType: instance.machineType, isSpot: instance.isSpot,
        beganAt: now))
  }

  mutating func ended(_ id: UInt64, at now: Date) {
    guard let index = open.removeValue(forKey: id) else { return }
    rows[index].endedAt = now
  }
}
