import Testing

/// The same worlds around the real database.
@Suite struct DatabaseSimulationTests {
  @Test(arguments: SimulationTests.seeds.prefix(6))
  func `every invariant holds with the database, and the world is the same as with its model`(seed: UInt64) throws {
    let store = try DatabaseStore()
    let real = try SimulationTests.simulate(seed: seed, store: store)
    try store.verify()
    let model = try SimulationTests.simulate(seed: seed, store: ModelStore())
    let difference = zip(real.transcript, model.transcript).first { $0 != $1 }
    #expect(difference == nil)
    #expect(real.transcript.count == model.transcript.count)
    #expect(real.scheduler == model.scheduler)
  }
}
