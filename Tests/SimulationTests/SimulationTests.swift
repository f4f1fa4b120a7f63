import Dagrun
import Engine
import Foundation
import Processes
import Testing

@testable import Scheduling

/// Seeded worlds around the real engine. `DAGRUN_SIMULATION_SEED` runs one seed, `DAGRUN_SIMULATION_SEEDS` says how
/// many, `DAGRUN_SIMULATION_STEPS` how much happens in each world.
@Suite struct SimulationTests {
  static let stepsEach = number("STEPS") ?? 300
  static let seeds: [UInt64] = number("SEED").map { [UInt64($0)] } ?? Array(1...UInt64(number("SEEDS") ?? 24))

  private static func number(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment["DAGRUN_SIMULATION_\(name)"].flatMap { Int($0) }
  }

  @Test func `every invariant holds after every step`() throws {
    let start = monotonicSeconds()
    var steps = 0
    for seed in Self.seeds { steps += try Self.simulate(seed: seed).steps }
    let seconds = monotonicSeconds() - start
    print(
      "simulation: DAGRUN_SIMULATION_SEED=\(Self.seeds.first!)...\(Self.seeds.last!)",
      "\(steps) steps, \(Int(Double(steps) / seconds)) a second,",
      String(format: "%.1f seeds a second", Double(Self.seeds.count) / seconds))
  }

  @Test func `a seed gives the same world each time`() throws {
    let worlds = try (0..<2).map { _ in try Self.simulate(seed: 7) }
    let difference = zip(worlds[0].transcript, worlds[1].transcript).first { $0 != $1 }
    #expect(difference == nil)
    #expect(worlds[0].transcript.count == worlds[1].transcript.count)
  }

  struct End {
    var transcript: [String]
    var steps: Int
  }

  @discardableResult
  static func simulate(seed: UInt64) throws -> End {
    let queue = Engine.makeQueue()
    return try queue.sync {
      let database = try SimulatedDatabase()
      let world = try World(seed: seed, queue: queue, database: database)
      do {
        for _ in 0..<stepsEach { try world.step() }
        try world.drain()
        try database.verify()
        return End(transcript: world.transcript, steps: world.transcript.count)
      } catch {
        let last = world.transcript.suffix(14).joined(separator: "\n")
        Issue.record("DAGRUN_SIMULATION_SEED=\(seed) DAGRUN_SIMULATION_STEPS=\(stepsEach): \(error)\n\(last)")
        throw error
      }
    }
  }
}
