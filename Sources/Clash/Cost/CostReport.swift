package import Dagrun
package import Model

/// What jobs have cost, summed up.
package struct CostReport: Hashable, Sendable {
  /// By name; of days, in their order.
  package var lines: [Line]
  package var total: Line

  package enum Grouping: String, Sendable, CaseIterable { case dag, task, day, zone, provisioning }

  /// An attempt, with what it cost.
  package struct Item: Hashable, Sendable {
    package var entry: LedgerEntry
    /// What a Spot machine would have cost on demand; nil where it was none, or the table has no price.
    package var onDemandCost: Double?

    package init(_ entry: LedgerEntry, onDemandCost: Double? = nil) {
      self.entry = entry
      self.onDemandCost = onDemandCost
    }
  }

  package struct Line: Hashable, Sendable {
    package var name: String
    package var jobs = 0
    package var machines = 0
    package var preemptions = 0
    /// The most that it can have been, where the cloud has not told; of machines left behind, the least.
    package var machineSeconds = 0.0
    /// Of the attempts whose cost is known.
    package var cost = 0.0
    /// Of `machineSeconds` and `cost`.
    package var precision = MachineTime.Precision.exact
    /// Part of `cost`: machines that were preempted before their job had ended.
    package var lostToPreemption = 0.0
    /// What the time of Spot machines would have cost on demand, without what was lost to preemption: machines on
    /// demand are not taken back.
    package var onDemandCost = 0.0
    /// So much less they cost. Negative where preemptions cost more than Spot saved.
    package var saved = 0.0
    /// Attempts with a machine and without a price.
    package var attemptsOfUnknownCost = 0
  }

  /// - Parameter now: the end of machines that are still running.
  package init(_ items: [Item], by grouping: Grouping, now: Timestamp) {
    let groups = Dictionary(grouping: items) { Self.name(of: $0.entry, by: grouping) }
    lines = groups.keys.sorted().map { Line($0, groups[$0]!, now: now) }
    total = Line("total", items, now: now)
  }

  private static func name(of entry: LedgerEntry, by grouping: Grouping) -> String {
    switch grouping {
    case .dag: entry.dagID ?? noTask
    case .task: entry.dagID.map { "\($0).\(entry.taskID ?? "")" } ?? noTask
    // The day, UTC, on which the machine was asked for.
    case .day: entry.attempt.requestedAt.isoDate
    // A region, where it never got a machine there.
    case .zone: entry.attempt.machines?.compactMap(\.zone).last ?? entry.attempt.zone ?? entry.attempt.region
    case .provisioning: entry.attempt.isSpot ? "spot" : "standard"
    }
  }

  /// Jobs that a person has started.
  package static let noTask = "(no task)"
}

extension CostReport.Line {
  fileprivate init(_ name: String, _ items: [CostReport.Item], now: Timestamp) {
    self.init(name: name)
    jobs = Set(items.map(\.entry.job)).count
    for item in items {
      let attempt = item.entry.attempt
      let time = attempt.machineTime(now: now)
      guard time.machines > 0 else { continue }
      machines += time.machines
      machineSeconds += time.shownSeconds
      precision = precision.joined(with: time.precision)
      preemptions += attempt.preemptions
      guard let cost = attempt.cost else {
        attemptsOfUnknownCost += 1
        continue
      }
      self.cost += cost
      let lost = attempt.shareLostToPreemption(now: now)
      lostToPreemption += cost * lost
      if let onDemandCost = item.onDemandCost {
        self.onDemandCost += onDemandCost * (1 - lost)
        saved += onDemandCost * (1 - lost) - cost
      }
    }
  }
}

extension JobAttempt {
  fileprivate var preemptions: Int {
    max(machines?.count(where: \.wasPreempted) ?? 0, ending == .preempted ? 1 : 0)
  }

  /// Of its time. A group that repairs may have lost some of several machines.
  fileprivate func shareLostToPreemption(now: Timestamp) -> Double {
    if ending == .preempted { return 1 }
    func seconds(_ machines: [MachineUse]) -> Double {
      machines.reduce(0) { $0 + $1.chargedSeconds(now: now).upperBound }
    }
    guard let machines, !machines.isEmpty else { return 0 }
    // The last one is not a loss: it came to its end.
    return seconds(machines.dropLast().filter(\.wasPreempted)) / seconds(machines)
  }
}
