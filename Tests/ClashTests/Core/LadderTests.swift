import Dagrun
import Testing

@testable import Clash

@Suite struct LadderTests {
  /// Two zones, a region, one machine type, Spot first: each fault on each rung, and what comes next. Read it by eye.
  @Test func `every fault on every rung leads where the table says`() {
    var config = JobConfig(project: "p", image: "i", machineType: "n1").zones("eu-west1-b", "eu-west1-c")
    config.regions = ["us-east1"]
    config.provisioning = .spotThenStandard
    config.maxAttempts = 3
    let ladder = Ladder(config)
    var table = "rung".padded(26) + LadderFault.allCases.map { $0.rawValue.padded(Self.width($0)) }.joined() + "\n"
    for (title, losses, climbs, begun, missing) in [
      ("first time", 0, 0, 1, nil), ("second loss here", 1, 0, 2, nil), ("last climb", 0, 2, 1, nil),
      ("last machine", 0, 0, 3, nil), ("1 and 4 are known to be missing", 0, 0, 1, [1, 4]),
      ("0 and 3 alone are there", 0, 0, 1, [1, 2, 4, 5]),
    ] as [(String, Int, Int, Int, [Int]?)] {
      table += "-- \(title)\n"
      for candidate in ladder.candidates.indices {
        let position = LadderPosition(candidateIndex: candidate, losses: losses, climbs: climbs, notOffered: missing)
        table += "\(candidate) \(ladder.candidates[candidate])".padded(26)
        for fault in LadderFault.allCases {
          table += Self.name(ladder.step(after: fault, at: position, machinesBegun: begun)).padded(Self.width(fault))
        }
        table += "\n"
      }
    }
    let lines = table.split(separator: "\n").map { String($0.reversed().drop { $0 == " " }.reversed()) }
    #expect(lines.joined(separator: "\n") == Self.expected)
  }

  private static func width(_ fault: LadderFault) -> Int { max(fault.rawValue.count, 8) + 2 }

  static let expected = """
    rung                      out_of_capacity  quota_exceeded  not_offered  refused   no_machine  preempted  lost      no_boot
    -- first time
    0 n1 (Spot) in eu-west1-b 1                1               1            1         1           0 again    0 again   0 again
    1 n1 (Spot) in eu-west1-c 2                2               2            2         2           1 again    1 again   1 again
    2 n1 (Spot) in us-east1   3                3               3            3         3           2 again    2 again   2 again
    3 n1 in eu-west1-b        4                4               4            4         4           3 again    3 again   3 again
    4 n1 in eu-west1-c        5                5               5            5         5           4 again    4 again   4 again
    5 n1 in us-east1          pause, 0         pause, 0        pause, 0     pause, 0  pause, 0    5 again    5 again   5 again
    -- second loss here
    0 n1 (Spot) in eu-west1-b 1                1               1            1         1           1          1         1
    1 n1 (Spot) in eu-west1-c 2                2               2            2         2           2          2         2
    2 n1 (Spot) in us-east1   3                3               3            3         3           3          3         3
    3 n1 in eu-west1-b        4                4               4            4         4           4          4         4
    4 n1 in eu-west1-c        5                5               5            5         5           5          5         5
    5 n1 in us-east1          pause, 0         pause, 0        pause, 0     pause, 0  pause, 0    pause, 0   pause, 0  pause, 0
    -- last climb
    0 n1 (Spot) in eu-west1-b 1                1               1            1         1           0 again    0 again   0 again
    1 n1 (Spot) in eu-west1-c 2                2               2            2         2           1 again    1 again   1 again
    2 n1 (Spot) in us-east1   3                3               3            3         3           2 again    2 again   2 again
    3 n1 in eu-west1-b        4                4               4            4         4           3 again    3 again   3 again
    4 n1 in eu-west1-c        5                5               5            5         5           4 again    4 again   4 again
    5 n1 in us-east1          give up          give up         give up      give up   give up     5 again    5 again   5 again
    -- last machine
    0 n1 (Spot) in eu-west1-b 1                1               1            1         1           give up    give up   give up
    1 n1 (Spot) in eu-west1-c 2                2               2            2         2           give up    give up   give up
    2 n1 (Spot) in us-east1   3                3               3            3         3           give up    give up   give up
    3 n1 in eu-west1-b        4                4               4            4         4           give up    give up   give up
    4 n1 in eu-west1-c        5                5               5            5         5           give up    give up   give up
    5 n1 in us-east1          pause, 0         pause, 0        pause, 0     pause, 0  pause, 0    give up    give up   give up
    -- 1 and 4 are known to be missing
    0 n1 (Spot) in eu-west1-b 2                2               2            2         2           0 again    0 again   0 again
    1 n1 (Spot) in eu-west1-c 2                2               2            2         2           1 again    1 again   1 again
    2 n1 (Spot) in us-east1   3                3               3            3         3           2 again    2 again   2 again
    3 n1 in eu-west1-b        5                5               5            5         5           3 again    3 again   3 again
    4 n1 in eu-west1-c        5                5               5            5         5           4 again    4 again   4 again
    5 n1 in us-east1          pause, 0         pause, 0        pause, 0     pause, 0  pause, 0    5 again    5 again   5 again
    -- 0 and 3 alone are there
    0 n1 (Spot) in eu-west1-b 3                3               give up      3         3           0 again    0 again   0 again
    1 n1 (Spot) in eu-west1-c 3                3               3            3         3           1 again    1 again   1 again
    2 n1 (Spot) in us-east1   3                3               3            3         3           2 again    2 again   2 again
    3 n1 in eu-west1-b        pause, 0         pause, 0        give up      pause, 0  pause, 0    3 again    3 again   3 again
    4 n1 in eu-west1-c        pause, 0         pause, 0        pause, 0     pause, 0  pause, 0    4 again    4 again   4 again
    5 n1 in us-east1          pause, 0         pause, 0        pause, 0     pause, 0  pause, 0    5 again    5 again   5 again
    """

  private static func name(_ step: LadderStep) -> String {
    switch step {
    case .climb(let next): next.losses == 0 ? "\(next.candidateIndex)" : "\(next.candidateIndex) again"
    case .pause(let next): "pause, \(next.candidateIndex)"
    case .giveUp: "give up"
    }
  }

  @Test func `a job without places asks in the default zone`() {
    let ladder = Ladder(JobConfig(project: "p", image: "i"))
    #expect(
      ladder.candidates == [
        MachineCandidate(machineType: "n1-standard-4", isSpot: false, place: .zone(JobConfig.defaultZone))
      ])
    #expect(ladder.candidates[0].place.region == "europe-west1")
  }

  @Test func `provisioning comes before machine type, and machine type before place`() {
    var config = JobConfig(project: "p", image: "i").zones("a-b1-x")
    config.machineTypes = ["large", "small"]
    config.regions = ["a-b2"]
    config.provisioning = .spotThenStandard
    #expect(
      Ladder(config).candidates.map(\.description) == [
        "large (Spot) in a-b1-x", "large (Spot) in a-b2", "small (Spot) in a-b1-x", "small (Spot) in a-b2",
        "large in a-b1-x", "large in a-b2", "small in a-b1-x", "small in a-b2",
      ])
  }
}

extension String {
  fileprivate func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(width - count, 1)) }
}
