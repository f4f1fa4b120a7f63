import Dagrun
import Foundation
import Testing

@testable import Clash

/// Seeded worlds around a real `Job`. `DAGRUN_SIMULATION_SEED` runs one seed, `DAGRUN_SIMULATION_SEEDS` sets how many.
@Suite struct JobSimulationTests {
  static let environment = ProcessInfo.processInfo.environment
  static let seeds: [UInt64] =
    environment["DAGRUN_SIMULATION_SEED"].flatMap { UInt64($0) }.map { [$0] }
    ?? Array(1...(environment["DAGRUN_SIMULATION_SEEDS"].flatMap { UInt64($0) } ?? 400))

  @discardableResult
  static func simulate(_ seed: UInt64, _ weather: Weather? = nil, _ name: String = "") throws -> JobWorld {
    let world = JobWorld(seed: seed, weather: weather)
    do {
      try world.run()
    } catch {
      let last = world.transcript.suffix(40).joined(separator: "\n")
      Issue.record("DAGRUN_SIMULATION_SEED=\(seed) \(name): \(error)\n\(world.weather)\n\(last)")
      throw error
    }
    return world
  }

  @Test func `every invariant holds in every weather`() throws {
    var endings: [String: Int] = [:]
    var steps = 0
    for seed in Self.seeds {
      let world = try Self.simulate(seed)
      steps += world.steps
      endings[world.driver.job!.phaseName, default: 0] += 1
    }
    print("\(Self.seeds.count) worlds, \(steps) steps: \(endings.sorted { $0.key < $1.key })")
    // The worlds are of use only if jobs come to each of their ends in some.
    if Self.seeds.count >= 100 { #expect(endings.count == 5, "\(endings)") }
  }

  @Test func `a seed gives the same world each time`() throws {
    let worlds = try (0..<2).map { _ in try Self.simulate(7) }
    #expect(worlds[0].transcript == worlds[1].transcript)
    #expect(worlds[0].driver.journal == worlds[1].driver.journal)
  }
}
