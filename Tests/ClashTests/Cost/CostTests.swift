import Dagrun
import Foundation
import Model
import Testing

@testable import Clash

/// Prices, estimates and reports.
struct CostTests {
  static let yaml = """
    currency: EUR
    machines:
      n1-standard-4:
        europe-west1: { standard: 3.6, spot: 0.36 }
        "*": { standard: 7.2 }
    accelerators:
      nvidia-tesla-t4:
        "*": { standard: 1.8, spot: 0.9 }
    """

  static let begin = Timestamp(microseconds: 1_000_000_000_000_000)

  static func attempt(
    _ machineType: String = "n1-standard-4", region: String = "europe-west1", spot: Bool = false,
    seconds: Double? = 3600
  ) -> JobAttempt {
    var attempt = JobAttempt(
      number: 1, zone: nil, region: region, machineType: machineType, isSpot: spot, requestedAt: begin)
    attempt.machineStartedAt = begin
    attempt.endedAt = seconds.map { begin.adding(seconds: $0) }
    return attempt
  }

  static let config = JobConfig(project: "p", image: "i")

  func table(_ more: String = "") throws -> PriceTable { try PriceTable(yaml: Self.yaml + "\n" + more, source: "test") }

  func amount(
    _ attempt: JobAttempt, _ config: JobConfig = config, _ more: String = "", now: Timestamp = begin
  ) throws -> Double? {
    try table(more).estimate(attempt, of: config, now: now).amount.map { ($0 * 1e6).rounded() / 1e6 }
  }

  @Test func `a machine costs its time, by the second, and a minute at least`() throws {
    #expect(try amount(Self.attempt()) == 3.6)
    #expect(try amount(Self.attempt(seconds: 100)) == 0.1)
    #expect(try amount(Self.attempt(seconds: 10)) == 0.06)
    #expect(try amount(Self.attempt(seconds: -5)) == 0.06)
  }

  @Test func `a Spot machine has its own price, and so has a region`() throws {
    #expect(try amount(Self.attempt(spot: true)) == 0.36)
    #expect(try amount(Self.attempt(region: "us-east1")) == 7.2)
  }

  @Test func `an attempt that got no machine costs nothing`() throws {
    var attempt = Self.attempt("unknown")
    attempt.machineStartedAt = nil
    #expect(try amount(attempt) == 0)
  }

  @Test func `an attempt that still runs costs up to now`() throws {
    #expect(try amount(Self.attempt(seconds: nil), now: Self.begin.adding(seconds: 1800)) == 1.8)
  }

  @Test func `what has no price has no cost, and says what is missing`() throws {
    let prices = try table()
    let unknown = prices.estimate(Self.attempt("n9-huge"), of: Self.config, now: Self.begin)
    #expect(unknown.amount == nil)
    #expect(unknown.note == "no price for machine type n9-huge in europe-west1")
    let spot = prices.estimate(Self.attempt(region: "us-east1", spot: true), of: Self.config, now: Self.begin)
    #expect(spot.note == "no Spot price for machine type n1-standard-4 in us-east1")
  }

  @Test func `accelerators, disks and addresses are counted where the table has them`() throws {
    var config = Self.config
    config.accelerators = [JobConfig.Accelerator(type: "nvidia-tesla-t4", count: 2)]
    #expect(try amount(Self.attempt(), config) == 7.2)
    config.accelerators = []
    config.diskSizeGB = 730
    #expect(try amount(Self.attempt(), config) == 3.6)
    config.diskType = "pd-ssd"
    #expect(try amount(Self.attempt(), config, "disks: { pd-ssd: { '*': 0.4 } }") == 4)
    config.diskType = "pd-other"
    #expect(try amount(Self.attempt(), config, "disks: { pd-ssd: { '*': 0.4 } }") == nil)
    #expect(try amount(Self.attempt(), Self.config, "external_address: { standard: 0.4, spot: 0.2 }") == 4)
    config = Self.config
    config.hasExternalAddress = false
    #expect(try amount(Self.attempt(), config, "external_address: { standard: 0.4, spot: 0.2 }") == 3.6)
  }

  @Test(arguments: [
    ("machines: {}", "currency: is missing"), ("currency: EUR", "machines: is missing"),
    ("currency: EUR\nmachines: {}\nmachine: 1", "there is no \"machine\""),
    ("currency: EUR\nmachines: { a: { b: { standard: x } } }", "machines.a.b.standard: "),
    ("currency: EUR\nmachines: { a: { b: { standard: 1, sport: 2 } } }", "machines.a.b: there is no \"sport\""),
    ("currency: EUR\nmachines: { a: { b: { standard: -1 } } }", "standard is -1.0; it cannot be negative"),
    ("currency: EUR\nmachines: {}\ndisks: { d: { '*': -1 } }", "disks.d.* is -1.0; it cannot be negative"), ("", ""),
    ("[", ""),
  ])
  func `a table that cannot be read says where and why`(yaml: String, words: String) {
    let error = #expect(throws: PriceTableError.self) { try PriceTable(yaml: yaml, source: "prices.yaml") }
    #expect(error?.description.hasPrefix("cannot read the price table prices.yaml: ") == true)
    #expect(error.map { words.isEmpty || $0.problem.contains(words) } == true, "\(String(describing: error?.problem))")
  }

  @Test func `the shipped example is a table`() throws {
    let path = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../docs/prices.yaml").standardized.path
    let text = try #require(FileManager.default.contents(atPath: path))
    let table = try PriceTable(yaml: String(decoding: text, as: UTF8.self), source: path)
    // Of the shipped DAG with a job, whose cost `make demo` shows.
    #expect(table.machines["e2-small"]?["*"]?.spot != nil)
  }

  // MARK: Reports

  func entry(
    _ job: String, _ dagID: String?, day: Double, cost: Double?, ending: JobAttempt.Ending = .succeeded,
    hasMachine: Bool = true
  ) -> CostReport.Item {
    var attempt = Self.attempt(seconds: 100)
    attempt.requestedAt = Self.begin.adding(seconds: day * 86_400)
    if !hasMachine { attempt.machineStartedAt = nil }
    attempt.ending = ending
    attempt.cost = cost
    return CostReport.Item(
      LedgerEntry(job: job, dagID: dagID, taskID: dagID.map { _ in "train" }, attempt: attempt))
  }

  var ledger: [CostReport.Item] {
    [
      entry("a", "nightly", day: 0, cost: 0.5, ending: .preempted), entry("a", "nightly", day: 0, cost: 2),
      entry("b", "weekly", day: 1, cost: nil), entry("c", nil, day: 1, cost: 4),
      entry("d", nil, day: 2, cost: 0, ending: .outOfCapacity, hasMachine: false),
    ]
  }

  @Test func `costs are summed by DAG, with what preemptions have cost`() {
    let report = CostReport(ledger, by: .dag, now: Self.begin)
    #expect(report.lines.map(\.name) == ["(no task)", "nightly", "weekly"])
    #expect(report.lines.map(\.cost) == [4, 2.5, 0])
    #expect(report.lines.map(\.lostToPreemption) == [0, 0.5, 0])
    #expect(report.lines.map(\.jobs) == [2, 1, 1])
    #expect(report.lines.map(\.machines) == [1, 2, 1])
    #expect(report.lines.map(\.attemptsOfUnknownCost) == [0, 0, 1])
    #expect(report.total.cost == 6.5)
    #expect(report.total.jobs == 4)
    #expect(report.total.preemptions == 1)
    #expect(report.total.machineSeconds == 400)
  }

  @Test func `and by task, and by day`() {
    #expect(
      CostReport(ledger, by: .task, now: Self.begin).lines.map(\.name) == [
        "(no task)", "nightly.train", "weekly.train",
      ])
    let days = CostReport(ledger, by: .day, now: Self.begin)
    #expect(days.lines.map(\.name) == ["2001-09-09", "2001-09-10", "2001-09-11"])
    #expect(days.lines.map(\.cost) == [2.5, 4, 0])
  }

  @Test func `and by zone, and by how capacity is paid for`() {
    var spot = entry("a", nil, day: 0, cost: 1)
    spot.entry.attempt.isSpot = true
    spot.entry.attempt.zone = "z-b"
    #expect(CostReport([spot] + ledger, by: .zone, now: Self.begin).lines.map(\.name) == ["europe-west1", "z-b"])
    #expect(CostReport([spot] + ledger, by: .provisioning, now: Self.begin).lines.map(\.cost) == [1, 6.5])
  }

  @Test func `what Spot saves is told against machines that are not taken back`() {
    func item(_ ending: JobAttempt.Ending) -> CostReport.Item {
      var item = entry("a", nil, day: 0, cost: 1, ending: ending)
      item.entry.attempt.isSpot = true
      item.onDemandCost = 4
      return item
    }
    let report = CostReport([item(.preempted), item(.succeeded)], by: .dag, now: Self.begin)
    #expect(report.total.onDemandCost == 4)
    #expect(report.total.saved == 2)
    #expect(report.total.lostToPreemption == 1)
    #expect(CostReport([item(.preempted)], by: .dag, now: Self.begin).total.saved == -1)
  }

  @Test func `a group that repairs loses its first machines to preemption, and not the last`() {
    var item = entry("a", nil, day: 0, cost: 3)
    func use(_ from: Double, _ to: Double, preempted: Bool) -> MachineUse {
      MachineUse(
        began: TimeBounds(Self.begin.adding(seconds: from)), ended: TimeBounds(Self.begin.adding(seconds: to)),
        wasPreempted: preempted)
    }
    item.entry.attempt.machines = [use(0, 100, preempted: true), use(200, 400, preempted: false)]
    let report = CostReport([item], by: .dag, now: Self.begin)
    #expect(report.total.machines == 2 && report.total.preemptions == 1)
    #expect(report.total.machineSeconds == 300)
    #expect(report.total.lostToPreemption == 1)
  }

  @Test func `a bound costs the most that it can be, and makes its sum a bound`() throws {
    var attempt = Self.attempt()
    attempt.machines = [
      MachineUse(began: TimeBounds(Self.begin), ended: TimeBounds(Self.begin, Self.begin.adding(seconds: 1800)))
    ]
    let estimate = try table().estimate(attempt, of: Self.config, now: Self.begin)
    #expect(estimate.amount == 1.8 && estimate.precision == .atMost)
    var bound = entry("b", nil, day: 0, cost: 1)
    bound.entry.attempt.machines = attempt.machines
    var exact = entry("c", "nightly", day: 0, cost: 1)
    exact.entry.attempt.machines = [MachineUse(began: TimeBounds(Self.begin), ended: TimeBounds(Self.begin))]
    let report = CostReport([bound, exact], by: .dag, now: Self.begin)
    #expect(report.lines.map(\.precision) == [.atMost, .exact])
    #expect(report.total.precision == .atMost)
  }

  @Test func `a report of nothing is empty`() {
    let report = CostReport([], by: .day, now: Self.begin)
    #expect(report.lines.isEmpty)
    #expect(report.total.cost == 0)
  }
}
