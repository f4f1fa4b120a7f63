package import Dagrun
package import Model

/// What an attempt has cost, by a price table. An estimate: discounts, taxes and traffic are not in it.
package struct CostEstimate: Hashable, Sendable {
  /// nil when the table lacks a price that would matter; `note` says which.
  package var amount: Double?
  package var note: String?
  /// How far `amount` may be from what the machines were charged for by these prices.
  package var precision = MachineTime.Precision.exact
}

extension PriceTable {
  /// Of what is not known to the second, the most that it can be; of a machine that was left behind, the least.
  ///
  /// - Parameter now: the end of a machine that is still running.
  package func estimate(_ attempt: JobAttempt, of config: JobConfig, now: Timestamp) -> CostEstimate {
    let time = attempt.machineTime(now: now)
    guard time.machines > 0 else { return CostEstimate(amount: 0) }
    do throws(MissingPrice) {
      let amount = try perHour(attempt, config) * time.shownSeconds / 3600
      return CostEstimate(amount: amount, precision: time.precision)
    } catch {
      return CostEstimate(amount: nil, note: error.note)
    }
  }

  private func perHour(_ attempt: JobAttempt, _ config: JobConfig) throws(MissingPrice) -> Double {
    var sum = try price(of: attempt.machineType, "machine type", in: machines, attempt)
    for accelerator in config.accelerators {
      sum += try Double(accelerator.count) * price(of: accelerator.type, "accelerator", in: accelerators, attempt)
    }
    if let disks {
      guard let type = config.diskType ?? MachineSeries(machineType: attempt.machineType).usualDiskType else {
        throw MissingPrice(note: "the boot disk of a \(attempt.machineType) is of an unknown type")
      }
      guard let prices = disks[type], let price = prices[attempt.region] ?? prices["*"] else {
        throw MissingPrice(note: "no price for disks of type \(type) in \(attempt.region)")
      }
      sum += price * Double(config.diskSizeGB ?? JobMachine.defaultDiskSizeGB) / Self.hoursInMonth
    }
    if config.hasExternalAddress, let externalAddress {
      sum += try externalAddress.amount(isSpot: attempt.isSpot, of: "external addresses")
    }
    return sum
  }

  private func price(
    of name: String, _ kind: String, in table: [String: [String: HourlyPrice]], _ attempt: JobAttempt
  ) throws(MissingPrice) -> Double {
    guard let prices = table[name], let price = prices[attempt.region] ?? prices["*"] else {
      throw MissingPrice(note: "no price for \(kind) \(name) in \(attempt.region)")
    }
    return try price.amount(isSpot: attempt.isSpot, of: "\(kind) \(name) in \(attempt.region)")
  }

  /// Google's prices for a month are of 730 hours.
  private static let hoursInMonth = 730.0
}

/// The table does not have what an estimate needs.
private struct MissingPrice: Error {
  var note: String
}

extension PriceTable.HourlyPrice {
  fileprivate func amount(isSpot: Bool, of what: String) throws(MissingPrice) -> Double {
    guard isSpot else { return standard }
    guard let spot else { throw MissingPrice(note: "no Spot price for \(what)") }
    return spot
  }
}
