package import Dagrun
package import Model

/// What jobs have cost, summed up.
package struct CostReport: Hashable, Sendable {
  /// By name; of days, in their order.
  package var lines: [Line]
  package var total: Line

  package enum Grouping: String, Sendable, CaseIterable { case dag, task, day }

  package struct Line: Hashable, Sendable {
    package var name: String
    package var jobs = 0
    /// Those that got a machine.
    package var attempts = 0
    package var preemptions = 0
    package var machineSeconds = 0.0
    /// Of the attempts whose cost is known.
    package var cost = 0.0
    /// Part of `cost`: machines that were preempted before their job had ended.
    package var lostToPreemption = 0.0
    /// Attempts with a machine and without a price.
    package var attemptsOfUnknownCost = 0
  }

  /// - Parameter now: the end of attempts that are still under way.
  package init(_ entries: [LedgerEntry], by grouping: Grouping, now: Timestamp) {
    let groups = Dictionary(grouping: entries) { Self.name(of: $0, by: grouping) }
    lines = groups.keys.sorted().map { Line($0, groups[$0]!, now: now) }
    total = Line("total", entries, now: now)
  }

  private static func name(of entry: LedgerEntry, by grouping: Grouping) -> String {
    switch grouping {
    case .dag: entry.dagID ?? noTask
    case .task: entry.dagID.map { "\($0).\(entry.taskID ?? "")" } ?? noTask
    // The day, UTC, on which the machine was asked for.
    case .day: entry.attempt.requestedAt.isoDate
    }
  }

  /// Jobs that a person has started.
  package static let noTask = "(no task)"
}

extension CostReport.Line {
  fileprivate init(_ name: String, _ entries: [LedgerEntry], now: Timestamp) {
    self.init(name: name)
    jobs = Set(entries.map(\.job)).count
    for attempt in entries.map(\.attempt) {
      guard let start = attempt.machineStartedAt else { continue }
      attempts += 1
      machineSeconds += max(0, Double((attempt.endedAt ?? now).microseconds - start.microseconds) / 1e6)
      cost += attempt.cost ?? 0
      if attempt.cost == nil { attemptsOfUnknownCost += 1 }
      if attempt.ending == .preempted {
        preemptions += 1
        lostToPreemption += attempt.cost ?? 0
      }
    }
  }
}
