import Dagrun
import Foundation
import Model
import Testing

@testable import Clash
@testable import CloudEmulator

/// The ledger against the emulator's bill for the same VMs. `DAGRUN_LEDGER_SEED` runs one seed, `DAGRUN_LEDGER_SEEDS`
/// sets how many.
@Suite(.timeLimit(.minutes(5))) struct LedgerTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let seeds: [UInt64] =
    environment["DAGRUN_LEDGER_SEED"].flatMap { UInt64($0) }.map { [$0] }
    ?? Array(1...(environment["DAGRUN_LEDGER_SEEDS"].flatMap { UInt64($0) } ?? 60))
  /// Google's times, and the emulator's, are written in milliseconds.
  private static let accuracySeconds = 0.002

  @Test func `the ledger is the bill, to the second or within its bounds, whatever happened`() async throws {
    var count = Count()
    var violations = 0
    for seed in Self.seeds where violations < 3 {
      let world = LedgerWorld(seed: seed)
      do {
        try await world.run()
        if Self.seeds.count == 1 { print(world.transcript.joined(separator: "\n")) }
        try Self.check(world, &count)
      } catch {
        let last = world.transcript.suffix(30).joined(separator: "\n")
        Issue.record("DAGRUN_LEDGER_SEED=\(seed): \(error)\n\(world.weather)\n\(last)")
        violations += 1
      }
    }
    print("DAGRUN_LEDGER_SEEDS=\(Self.seeds.count) (\(Self.seeds.first!) to \(Self.seeds.last!)): \(count)")
    // The worlds are of use only if each kind of VM is in some.
    if Self.seeds.count >= 30 {
      #expect(
        count.exact > 0 && count.calm > 0 && count.told > 0 && count.preempted > 0 && count.neverLookedAt > 0,
        "\(count)")
      #expect(count.exact < count.machines, "\(count)")
    }
  }

  @Test func `a seed gives the same world each time`() async throws {
    var transcripts: [[String]] = []
    for _ in 0..<2 {
      let world = LedgerWorld(seed: 7)
      try await world.run()
      transcripts.append(world.transcript)
    }
    #expect(transcripts[0] == transcripts[1])
  }

  struct Count {
    var machines = 0
    var exact = 0
    var preempted = 0
    var doubtful = 0
    /// On the ledger, and not on the bill.
    var neverUp = 0
    var neverLookedAt = 0
    /// Of clients that were there all the time: these must be known to the second.
    var calm = 0
    /// Whose end an operation tells: to two minutes, whatever the client did meanwhile.
    var told = 0
  }

  private static func check(_ world: LedgerWorld, _ count: inout Count) throws {
    guard let job = world.job, job.isFinished else { throw Violation("the job has not ended") }
    var bills = world.emulation.compute.bills.rows
    var attempts = job.attempts
    // What another home has begun is on its ledger.
    if world.firstHome != nil {
      let begun = world.attachedAt - 1
      if let one = attempts.prefix(begun).first(where: { $0.machines != nil }) {
        throw Violation("an attempt of the other home is on this ledger: \(one)")
      }
      attempts = Array(attempts.dropFirst(begun))
      let names = attempts.map { "job-\($0.number)-" }
      bills = bills.filter { bill in names.contains { bill.instance.split(separator: "/").last!.hasPrefix($0) } }
    }
    for attempt in attempts { try check(attempt, bills, world.weather, &count) }
    let least = bills.reduce(0) { $0 + $1.chargedSeconds(now: world.now) }
    let most = attempts.reduce(0) { $0 + $1.machineTime(now: Timestamp(world.now)).seconds.upperBound }
    guard least <= most + accuracySeconds * Double(bills.count) else {
      throw Violation("the bill is \(least) s, and the ledger says at most \(most) s: \(attempts)\n\(bills)")
    }
  }

  /// Each VM of the bill is in the ledger of its attempt, and nothing else but what may never have been up.
  private static func check(
    _ attempt: JobAttempt, _ bills: [BillingRow], _ weather: LedgerWeather, _ count: inout Count
  ) throws {
    let prefix = "job-\(attempt.number)-"
    let own = bills.filter { $0.instance.split(separator: "/").last!.hasPrefix(prefix) }
    let machines = attempt.machines ?? []
    for bill in own {
      count.machines += 1
      guard let use = machines.first(where: { $0.id == bill.id }) ?? machines.first(where: { $0.id == nil }) else {
        throw Violation("VM \(bill) is missing: \(attempt)")
      }
      try compare(use, bill)
      let isExact = use.began.isExact && use.ended?.isExact == true
      if isExact { count.exact += 1 }
      if weather.operationsTell, let ended = use.ended {
        let seconds = ended.latest.seconds(since: ended.earliest)
        guard seconds <= MachineAccount.shutDownSeconds else { throw Violation("\(use) is wider than stated: \(bill)") }
        count.told += 1
      }
      if weather.isCalm, !use.wasPreempted {
        count.calm += 1
        guard isExact else { throw Violation("\(use) could be known to the second: \(bill)") }
      }
      if use.wasPreempted { count.preempted += 1 }
      if use.isDoubtful { count.doubtful += 1 }
      if !use.began.isExact { count.neverLookedAt += 1 }
    }
    for use in machines where !own.contains(where: { $0.id == use.id }) && !(use.id == nil && !own.isEmpty) {
      guard use.isDoubtful else { throw Violation("\(use) was never up: \(attempt)") }
      count.neverUp += 1
    }
  }

  private static func compare(_ use: MachineUse, _ bill: BillingRow) throws {
    func isWithin(_ moment: Date, _ bounds: TimeBounds?) -> Bool {
      guard let bounds else { return false }
      let moment = Timestamp(moment)
      return moment >= bounds.earliest.adding(seconds: -accuracySeconds)
        && moment <= bounds.latest.adding(seconds: accuracySeconds)
    }
    guard isWithin(bill.beganAt, use.began) else { throw Violation("began: \(use) instead of \(bill)") }
    guard let ended = bill.endedAt else { throw Violation("VM \(bill) was left behind") }
    guard isWithin(ended, use.ended) else { throw Violation("ended: \(use) instead of \(bill)") }
  }
}
