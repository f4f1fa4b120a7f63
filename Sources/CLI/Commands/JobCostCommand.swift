import ArgumentParser
import Clash
import Dagrun
import Executors
import Foundation
import Model
import Presentation
import Storage

struct JobCostCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "cost", abstract: "Sums up what jobs have cost, by a price table of yours.",
    discussion: """
      Estimated from when each machine began and ended by Google's own word, and what the table says of its type. What \
      Google has not told is shown as the most that it can be (≤). What was lost to preemption is the part of machines \
      that were taken away before their job had ended; saved is what Spot machines would have cost more on \
      demand, where nothing is lost.
      """)

  @Option(help: "By dag, task, day, zone or provisioning.") var by: CostReport.Grouping = .dag
  @Option(help: ArgumentHelp("Not what was asked for before.", valueName: "date"), transform: DateText.read)
  var since: DateArgument?
  @Option(help: ArgumentHelp("Only a DAG's.", valueName: "dag"), completion: .dags) var dag: String?
  @Option(
    help: ArgumentHelp(
      "What machines cost. (environment: DAGRUN_PRICES; default: prices.yaml in the home)", valueName: "file"),
    completion: .file())
  var prices: String?
  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let context = try JobContext(session, global)
    let table = try context.home.prices(path: prices, environment: session.environment)
    let now = Timestamp(Date())
    let zone = try await zone(session)
    let since = since?.start(in: zone, now: now)
    var items: [CostReport.Item] = []
    if let reader = try context.reader() {
      var configs: [String: JobConfig] = [:]
      items = try reader.ledger(since: since, dagID: dag).map { CostReport.Item($0) }
      // By today's table, also where another one was in force.
      for index in items.indices {
        guard let table else { break }
        let name = items[index].entry.job
        if configs[name] == nil {
          configs[name] = try context.find(name).map { try context.request(of: $0).spec.config }
        }
        guard let config = configs[name] else { continue }
        var attempt = items[index].entry.attempt
        items[index].entry.attempt.cost = table.estimate(attempt, of: config, now: now).amount
        guard attempt.isSpot else { continue }
        attempt.isSpot = false
        items[index].onDemandCost = table.estimate(attempt, of: config, now: now).amount
      }
    }
    let report = CostReport(items, by: by, now: now)
    let isForPeople = format.output == .table
    let lines = report.lines + (report.lines.count > 1 ? [report.total] : [])
    let listing = Listing(
      records: lines.map { $0.record(by: by, currency: table?.currency, isForPeople: isForPeople) },
      columns: [
        by.rawValue, "jobs", "machines", "preemptions", "machine_hours", "cost", "lost_to_preemption", "saved",
        "currency",
      ],
      whenEmpty: "no job has run yet")
    try listing.print(format.output, to: session)
    if report.total.attemptsOfUnknownCost > 0 {
      let count = report.total.attemptsOfUnknownCost
      session.errors.line(
        (count == 1 ? "1 machine has no price: " : "\(count) machines have no price: ")
          + (table == nil ? "give a table with --prices, or as \(context.home.pricesPath)" : "add them to the table"))
    }
    return .success
  }
}

extension JobCostCommand {
  /// That of the DAG, where one is named: jobs of several, or of none, have no zone in common.
  private func zone(_ session: Session) async throws -> TimeZone {
    guard let dag, let since, !since.needsNoZone else { return .gmt }
    return await (try Workspace(session, global)).timeZone(of: dag, for: [since])
  }
}

extension CostReport.Grouping: ExpressibleByArgument {}

extension CostReport.Line {
  /// - Parameter isForPeople: a bound has its sign before it, where a program reads `precision`.
  fileprivate func record(by grouping: CostReport.Grouping, currency: String?, isForPeople: Bool) -> OutputObject {
    func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
    // Of no machine is the price known: that is not nothing.
    let isPriced = cost > 0 || attemptsOfUnknownCost == 0
    func bounded(_ value: Double) -> OutputValue {
      isForPeople && precision != .exact
        ? .text(precision.sign + JSONText.number(rounded(value))) : .double(rounded(value))
    }
    return [
      grouping.rawValue: .text(name), "jobs": .int(jobs), "machines": .int(machines), "preemptions": .int(preemptions),
      "machine_hours": bounded(machineSeconds / 3600), "cost": isPriced ? bounded(cost) : .null,
      "lost_to_preemption": isPriced ? .double(rounded(lostToPreemption)) : .null, "currency": .optional(currency),
      "saved": onDemandCost > 0 ? .double(rounded(saved)) : .null,
      "saved_percent": onDemandCost > 0 ? .double((saved / onDemandCost * 1000).rounded() / 10) : .null,
      "machines_without_price": .int(attemptsOfUnknownCost), "precision": .text(precision.rawValue),
    ]
  }
}
