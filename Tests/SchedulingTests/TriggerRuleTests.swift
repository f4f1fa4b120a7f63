import Dagrun
import Model
import Testing

@testable import Scheduling

/// One row a case: the rule, how the upstream tasks stand, what follows. `.` has not ended; S, K, F, U, R as in
/// `TriggerRules.swift`.
private let table: [(TriggerRule, String, RuleDecision)] = [
  (.allSuccess, "", .run), (.allSuccess, "S", .run), (.allSuccess, "SS", .run), (.allSuccess, "S.", .wait),
  (.allSuccess, "F.", .end(.upstreamFailed)), (.allSuccess, "U.", .end(.upstreamFailed)),
  (.allSuccess, "K.", .end(.skipped)), (.allSuccess, "KF", .end(.upstreamFailed)), (.allSuccess, "SR", .run),
  (.allSuccess, "R", .run), (.allSuccess, "..", .wait),

  (.allFailed, "", .run), (.allFailed, "FU", .run), (.allFailed, "F.", .wait), (.allFailed, "S.", .end(.skipped)),
  (.allFailed, "K.", .end(.skipped)), (.allFailed, "FR", .run), (.allFailed, "FS", .end(.skipped)),

  (.allDone, "", .run), (.allDone, "S.", .wait), (.allDone, "SKFU", .run), (.allDone, "SR", .run),
  (.allDone, "F", .run),

  (.allDoneMinOneSuccess, "", .run), (.allDoneMinOneSuccess, "SF", .run), (.allDoneMinOneSuccess, "S.", .wait),
  (.allDoneMinOneSuccess, "K.", .end(.skipped)), (.allDoneMinOneSuccess, "FU", .end(.upstreamFailed)),
  (.allDoneMinOneSuccess, "SU", .run), (.allDoneMinOneSuccess, "SK", .end(.skipped)),

  (.allDoneSetupSuccess, "", .run), (.allDoneSetupSuccess, "S.", .wait), (.allDoneSetupSuccess, "FU", .run),

  (.oneSuccess, "", .run), (.oneSuccess, "S.", .run), (.oneSuccess, "F.", .wait), (.oneSuccess, "KK", .end(.skipped)),
  (.oneSuccess, "KF", .end(.upstreamFailed)), (.oneSuccess, "FF", .end(.upstreamFailed)), (.oneSuccess, "K.", .wait),
  (.oneSuccess, "SF", .run),

  (.oneFailed, "", .run), (.oneFailed, "F.", .run), (.oneFailed, "U.", .run), (.oneFailed, "S.", .wait),
  (.oneFailed, "SS", .end(.skipped)), (.oneFailed, "SK", .end(.skipped)),

  (.oneDone, "", .run), (.oneDone, "S.", .run), (.oneDone, "F.", .run), (.oneDone, "K.", .wait),
  (.oneDone, "U.", .wait), (.oneDone, "KK", .end(.skipped)), (.oneDone, "UK", .end(.skipped)),
  (.oneDone, "U", .end(.skipped)),

  (.noneFailed, "", .run), (.noneFailed, "SK", .run), (.noneFailed, "KK", .run),
  (.noneFailed, "F.", .end(.upstreamFailed)), (.noneFailed, "U.", .end(.upstreamFailed)), (.noneFailed, "S.", .wait),
  (.noneFailed, "SR", .run),

  (.noneFailedMinOneSuccess, "", .run), (.noneFailedMinOneSuccess, "SK", .run),
  (.noneFailedMinOneSuccess, "KK", .end(.skipped)), (.noneFailedMinOneSuccess, "F.", .end(.upstreamFailed)),
  (.noneFailedMinOneSuccess, "K.", .wait), (.noneFailedMinOneSuccess, "KR", .end(.upstreamFailed)),

  (.noneSkipped, "", .run), (.noneSkipped, "SF", .run), (.noneSkipped, "S.", .wait),
  (.noneSkipped, "K.", .end(.skipped)), (.noneSkipped, "FU", .run),

  (.allSkipped, "", .run), (.allSkipped, "KK", .run), (.allSkipped, "K.", .wait), (.allSkipped, "S.", .end(.skipped)),
  (.allSkipped, "F.", .end(.skipped)), (.allSkipped, "U.", .end(.skipped)), (.allSkipped, "KR", .wait),

  (.always, "", .run), (.always, "..", .run), (.always, "FK", .run),
]

@Suite struct TriggerRuleTests {
  @Test(arguments: table.indices)
  func `a rule decides by how the upstream tasks ended`(row: Int) {
    let (rule, upstream, expected) = table[row]
    #expect(rule.decide(counts(upstream)) == expected, "\(rule.rawValue) \(upstream)")
  }

  @Test func `every rule has rows`() {
    #expect(Set(table.map(\.0)) == Set(TriggerRule.allCases))
  }

  @Test(arguments: [
    ("SS", 1, 1, 0, RuleDecision.run), ("KK", 1, 0, 1, .end(.skipped)), ("FS", 1, 0, 0, .end(.upstreamFailed)),
    ("FS", 2, 1, 0, .run), ("K.", 1, 0, 1, .wait),
  ])
  func `a teardown runs when one of its setups succeeded`(
    upstream: String, setups: Int32, succeeded: Int32, skipped: Int32, expected: RuleDecision
  ) {
    let counts = SetupCounts(setups: setups, succeeded: succeeded, skipped: skipped)
    #expect(TriggerRule.allDoneSetupSuccess.decide(self.counts(upstream), setups: counts) == expected)
  }

  private func counts(_ upstream: String) -> UpstreamCounts {
    var counts = UpstreamCounts(upstream: Int32(upstream.count))
    let states: [Character: TaskState] = [
      "S": .success, "K": .skipped, "F": .failed, "U": .upstreamFailed, "R": .removed,
    ]
    for letter in upstream { if let state = states[letter] { counts.add(state) } }
    return counts
  }
}
