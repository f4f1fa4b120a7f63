import Dagrun
import Model
import Testing

@testable import Clash

/// Each way in which a VM begins or ends to be charged for, by the facts that it leaves behind. Moments are seconds;
/// the attempt's machine was asked for at 0.
struct MachineAccountTests {
  /// What is known of one attempt, and the account of it: `began..ended`, bounds as `(earliest,latest)`, `?` for a VM
  /// that nothing shows to have been up, `!` for one that was preempted, and what is charged for it.
  struct Case: CustomTestStringConvertible, Sendable {
    var way: String
    var account: String
    var ending: JobAttempt.Ending?
    var evidence = MachineEvidence()

    init(
      _ way: String, _ account: String, ending: JobAttempt.Ending? = nil, instances: [InstanceFact] = [],
      operations: [OperationFact]? = nil, complete: Bool = true,
      words: (Double?, preempted: Double?, result: Double?)? = nil,
      seen: Bool = false, repairs: Bool = false, gone: Double? = nil
    ) {
      self.way = way
      self.account = account
      self.ending = ending
      let at = MachineAccountTests.at
      evidence.instances = instances
      evidence.operations = operations
      evidence.areOperationsComplete = operations != nil && complete
      evidence.firstWordAt = words?.0.map(at)
      evidence.preemptionWordAt = words?.preempted.map(at)
      evidence.resultWordAt = words?.result.map(at)
      evidence.wasSeen = seen
      evidence.groupRepairs = repairs
      evidence.groupGoneAt = gone.map(at)
    }

    var testDescription: String { way }
  }

  static let origin = Timestamp(microseconds: 1_800_000_000_000_000)
  static func at(_ seconds: Double) -> Timestamp { origin.adding(seconds: seconds) }

  static func vm(
    _ id: String = "1", made: Double, up: Double? = nil, off: Double? = nil, isOff: Bool? = nil
  ) -> InstanceFact {
    InstanceFact(
      id: id, name: "j-1-abcd", zone: "z", createdAt: at(made), startedAt: up.map(at), stoppedAt: off.map(at),
      isOff: isOff ?? (off != nil))
  }

  static func did(
    _ type: String, _ asked: Double, _ ended: Double?, id: String = "1"
  ) -> OperationFact {
    OperationFact(
      type: type, instanceID: id, instanceName: "j-1-abcd", zone: "z", askedAt: at(asked), endedAt: ended.map(at))
  }

  static let cases: [Case] = [
    // How it begins.
    Case("runs, and was read", "20..now", instances: [vm(made: 10, up: 20)]),
    Case("is coming, and was read", "10?..now", instances: [vm(made: 10)]),
    Case("runs, and only its word is known", "(0,25)..now", words: (25, nil, nil)),
    Case("was seen to run by a look that could not read it", "0..now", seen: true),
    Case("waits for capacity", "nothing"),
    Case("there was a stock-out", "nothing", ending: .outOfCapacity, operations: [], gone: 60),
    Case(
      "a stock-out, then a VM before the group was given up", "(20,50)?..50", ending: .outOfCapacity,
      operations: [did("insert", 20, 45, id: "2"), did("delete", 40, 50, id: "2")],
      gone: 60),
    // Deleted by us.
    Case(
      "deleted by us, read before", "20..100", ending: .succeeded, instances: [vm(made: 10, up: 20)],
      operations: [did("insert", 10, 20), did("delete", 90, 100)], words: (30, nil, 80), gone: 101),
    Case(
      "deleted by us, not read before", "(10,30)..100", ending: .succeeded,
      operations: [did("insert", 10, 20), did("delete", 90, 100)], words: (30, nil, 80), gone: 101),
    Case(
      "deleted by us, and operations may not be read", "20..(80,101)", ending: .succeeded,
      instances: [vm(made: 10, up: 20)], words: (30, nil, 80), gone: 101),
    Case(
      "deleted by us, and nothing may be read", "(0,30)..(80,101)", ending: .succeeded, words: (30, nil, 80), gone: 101),
    Case(
      "cancelled before it was RUNNING", "(10,14)?..14", ending: .cancelled, instances: [vm(made: 10)],
      operations: [did("insert", 10, 14), did("delete", 12, 14)], gone: 15),
    Case(
      "cancelled before anybody looked", "20..24", ending: .cancelled, instances: [vm(made: 10, up: 20)],
      operations: [did("insert", 10, 20), did("delete", 22, 24)], gone: 25),
    Case("cancelled before the group had one", "nothing", ending: .cancelled, operations: [], gone: 5),
    Case("cancelled, and nothing may be read", "(0,5)?..(0,5)", ending: .cancelled, gone: 5),
    Case(
      "cancelled late, and the operations are forgotten", "(0,5)?..(0,5)", ending: .cancelled, operations: [],
      complete: false, gone: 5),
    // Deleted by others: itself, a person, `job gc` of another home.
    Case(
      "deleted by itself after its result, while the client slept", "(10,30)..400", ending: .succeeded,
      operations: [did("insert", 10, 20), did("delete", 380, 400)], words: (30, nil, 200), gone: 90_000),
    Case(
      "deleted by itself after it was read once", "20..400", ending: .succeeded, instances: [vm(made: 10, up: 20)],
      operations: [did("insert", 10, 20), did("delete", 380, 400)], words: (30, nil, 200), gone: 90_000),
    Case(
      "deleted long ago, and the operations are forgotten", "(0,30)..(200,9000000)", ending: .succeeded, operations: [],
      complete: false, words: (30, nil, 200), gone: 9_000_000),
    Case(
      "deleted by somebody else, never heard of", "(10,400)?..400", ending: .lost,
      operations: [did("insert", 10, 20), did("delete", 380, 400)], gone: 90_000),
    // Off, and still there.
    Case(
      "turned itself off, and is there", "20..50", ending: .lost, instances: [vm(made: 10, up: 20, off: 50)],
      operations: [did("insert", 10, 20), did("compute.instances.guestTerminate", 49, 49), did("delete", 90, 95)],
      gone: 96),
    Case(
      "turned itself off, and was not read", "(10,49)..(49,95)", ending: .lost,
      operations: [did("insert", 10, 20), did("compute.instances.guestTerminate", 49, 49), did("delete", 90, 95)],
      gone: 96),
    Case(
      "stopped by somebody", "20..60", ending: .lost, instances: [vm(made: 10, up: 20)],
      operations: [did("insert", 10, 20), did("stop", 50, 60), did("delete", 90, 95)], gone: 96),
    Case(
      "its host failed", "20..(50,170)", ending: .lost, instances: [vm(made: 10, up: 20)],
      operations: [did("insert", 10, 20), did("compute.instances.hostError", 50, 50)], gone: 900),
    Case(
      "its host failed and it was started again", "(10,30)..300", ending: .succeeded,
      instances: [vm(made: 10, up: 80, off: 60, isOff: false)],
      operations: [
        did("insert", 10, 20), did("compute.instances.hostError", 50, 50),
        did("compute.instances.automaticRestart", 70, 80), did("delete", 290, 300),
      ], words: (30, nil, 280), gone: 301),
    Case(
      "moved to another host meanwhile", "20..300", ending: .succeeded, instances: [vm(made: 10, up: 20)],
      operations: [
        did("insert", 10, 20), did("compute.instances.migrateOnHostMaintenance", 50, 60), did("delete", 290, 300),
      ], gone: 301),
    Case(
      "something happened that this program does not know", "20..(50,300)", ending: .succeeded,
      instances: [vm(made: 10, up: 20)],
      operations: [did("insert", 10, 20), did("compute.instances.something", 50, 60), did("delete", 290, 300)],
      gone: 301),
    Case(
      "its longest time was over, while the client slept", "20..(320,440)", ending: .lost,
      instances: [vm(made: 10, up: 20)],
      operations: [did("insert", 10, 20), did("compute.instances.terminateOnMaxRunDuration", 320, 320)], gone: 90_000),
    // Preempted.
    Case(
      "preempted, with a word", "20..(50,80)!", ending: .preempted, instances: [vm(made: 10, up: 20)],
      operations: [did("insert", 10, 20), did("compute.instances.preempted", 50, 50)], words: (30, 51, nil), gone: 110),
    Case(
      "preempted before its first word, while the client was dead", "(10,50)..(50,80)!", ending: .lost,
      operations: [did("insert", 10, 20), did("compute.instances.preempted", 50, 50)], gone: 90_000),
    Case(
      "preempted, and stopped instead of deleted", "20..70!", ending: .preempted,
      instances: [vm(made: 10, up: 20, off: 70)],
      operations: [did("insert", 10, 20), did("compute.instances.preempted", 50, 50), did("delete", 100, 105)],
      gone: 110),
    Case(
      "preempted, and deleted by us before its time was over", "20..(50,60)!", ending: .preempted,
      instances: [vm(made: 10, up: 20)],
      operations: [did("insert", 10, 20), did("compute.instances.preempted", 50, 50), did("delete", 55, 60)],
      words: (30, 51, nil), gone: 61),
    Case(
      "preempted with a word, and nothing may be read", "(0,30)..(51,81)!", ending: .preempted, words: (30, 51, nil),
      gone: 90_000),
    // A group that repairs.
    Case(
      "made again after a preemption", "(10,50)..(50,80)!, 120..300", ending: .succeeded,
      instances: [vm("2", made: 110, up: 120)],
      operations: [
        did("insert", 10, 20), did("compute.instances.preempted", 50, 50),
        did("insert", 110, 120, id: "2"), did("delete", 290, 300, id: "2"),
      ], words: (30, 51, 280), repairs: true, gone: 301),
    Case(
      "made again, and operations may not be read", "(0,30)..(280,301)!", ending: .succeeded,
      instances: [vm("2", made: 110, up: 120)], words: (30, 51, 280), repairs: true, gone: 301),
    // Not ours, and not gone.
    Case(
      "an older one of its name", "20..100", ending: .succeeded, instances: [vm(made: 10, up: 20)],
      operations: [
        did("insert", -90_000, -89_990, id: "0"), did("delete", -80_000, -79_990, id: "0"), did("insert", 10, 20),
        did("delete", 90, 100),
      ], gone: 101),
    Case(
      "made again by its group, which is there", "20..(20,200), 210..now",
      instances: [vm(made: 10, up: 20), vm("2", made: 200, up: 210)], repairs: true),
    Case(
      "left behind", "20..now", ending: .cancelled, instances: [vm(made: 10, up: 20)],
      operations: [did("insert", 10, 20), did("delete", 90, nil)]),
  ]

  @Test(arguments: cases) func `each way leaves its facts`(one: Case) {
    var attempt = JobAttempt(number: 1, zone: "z", region: "r", machineType: "m", isSpot: true, requestedAt: Self.at(0))
    attempt.ending = one.ending
    let uses = MachineAccount.machines(of: attempt, by: one.evidence)
    let words = uses.map { use in
      Self.words(use.began) + (use.isDoubtful ? "?" : "") + ".." + (use.ended.map(Self.words) ?? "now")
        + (use.wasPreempted ? "!" : "")
    }
    #expect((words.isEmpty ? "nothing" : words.joined(separator: ", ")) == one.account)
  }

  private static func words(_ bounds: TimeBounds) -> String {
    func number(_ moment: Timestamp) -> String { "\(Int(moment.seconds(since: origin)))" }
    return bounds.isExact ? number(bounds.earliest) : "(\(number(bounds.earliest)),\(number(bounds.latest)))"
  }

  // MARK: What is charged

  @Test(arguments: [
    (20.0, 100.0, 80.0...80), (20, 30, 60...60), (20, 20, 60...60),
  ])
  func `a minute at least, then by the second`(began: Double, ended: Double, seconds: ClosedRange<Double>) {
    let use = MachineUse(began: TimeBounds(Self.at(began)), ended: TimeBounds(Self.at(ended)))
    #expect(use.chargedSeconds(now: Self.at(500)) == seconds)
  }

  @Test func `bounds are charged as bounds, and what may have been nothing from nothing on`() {
    var use = MachineUse(
      began: TimeBounds(Self.at(0), Self.at(20)), ended: TimeBounds(Self.at(100), Self.at(200)))
    #expect(use.chargedSeconds(now: Self.at(500)) == 80...200)
    use.isDoubtful = true
    #expect(use.chargedSeconds(now: Self.at(500)) == 0...200)
    use.ended = nil
    #expect(use.chargedSeconds(now: Self.at(500)) == 0...500)
  }

  @Test func `an attempt says how well it is known`() {
    var attempt = JobAttempt(number: 1, zone: "z", region: "r", machineType: "m", isSpot: true, requestedAt: Self.at(0))
    func precision() -> MachineTime.Precision { attempt.machineTime(now: Self.at(500)).precision }
    #expect(precision() == .exact)
    attempt.machineStartedAt = Self.at(10)
    #expect(precision() == .observed)
    attempt.machines = [MachineUse(began: TimeBounds(Self.at(10)), ended: TimeBounds(Self.at(90)))]
    #expect(precision() == .exact)
    attempt.machines?.append(MachineUse(began: TimeBounds(Self.at(100)), ended: TimeBounds(Self.at(200), Self.at(230))))
    #expect(precision() == .atMost)
    #expect(attempt.machineTime(now: Self.at(500)).seconds == 180...210)
    attempt.machines?.append(MachineUse(began: TimeBounds(Self.at(300))))
    #expect(precision() == .atMost)
    attempt.endedAt = Self.at(400)
    #expect(precision() == .atLeast)
    // However much later somebody asks.
    #expect(attempt.machineTime(now: Self.at(90_000)).shownSeconds == 280)
  }

  @Test func `a sum of bounds of both kinds is none`() {
    let all = MachineTime.Precision.allCases
    for one in all {
      #expect(one.joined(with: .exact) == one && one.joined(with: one) == one)
      for other in all where other != one && one != .exact && other != .exact {
        #expect(one.joined(with: other) == .observed)
      }
    }
  }
}
