import Dagrun
import Foundation
import Testing

@testable import Scheduling

/// Seeded worlds around the real scheduler. `DAGRUN_SIMULATION_SEED` runs one seed, `DAGRUN_SIMULATION_STEPS` sets how
/// much happens in each world.
@Suite struct SimulationTests {
  static let stepsEach = ProcessInfo.processInfo.environment["DAGRUN_SIMULATION_STEPS"].flatMap { Int($0) } ?? 300
  static let seeds: [UInt64] =
    ProcessInfo.processInfo.environment["DAGRUN_SIMULATION_SEED"].flatMap { UInt64($0) }.map { [$0] }
    ?? Array(1...(ProcessInfo.processInfo.environment["DAGRUN_SIMULATION_SEEDS"].flatMap { UInt64($0) } ?? 16))

  @Test(arguments: seeds)
  func `every invariant holds after every step`(seed: UInt64) throws {
    try Self.simulate(seed: seed, store: ModelStore())
  }

  @Test func `a seed gives the same world each time`() throws {
    let worlds = try (0..<2).map { _ in try Self.simulate(seed: 7, store: ModelStore()) }
    #expect(worlds[0].transcript == worlds[1].transcript)
    #expect(worlds[0].scheduler == worlds[1].scheduler)
  }

  @discardableResult
  static func simulate(seed: UInt64, store: any SimulatedStore) throws -> World {
    var made: World?
    do {
      let world = try World(seed: seed, store: store)
      made = world
      for _ in 0..<stepsEach { try world.step() }
      try world.drain()
      return world
    } catch {
      let last = made?.transcript.suffix(12).joined(separator: "\n") ?? ""
      Issue.record("DAGRUN_SIMULATION_SEED=\(seed) DAGRUN_SIMULATION_STEPS=\(stepsEach): \(error)\n\(last)")
      throw error
    }
  }
}
