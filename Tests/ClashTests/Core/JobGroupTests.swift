import Dagrun
import Testing

@testable import Clash

@Suite final class JobGroupTests {
  private var group = JobGroup(names: ["a", "b", "c"])
  private let success = JobOutcome(.exited(status: 0))

  // `#expect` cannot change a value by itself.
  private func ended(_ index: Int, _ outcome: JobOutcome) -> Bool { group.ended(index, outcome) }
  private func cancel(_ index: Int) -> [Int] { group.cancel(index) }
  private func cancelAll() -> [Int] { group.cancelAll() }

  @Test func `a group has ended when each of its jobs has`() {
    #expect(!ended(1, success))
    #expect(!ended(0, success))
    #expect(!group.isFinished)
    #expect(ended(2, success))
    #expect(group.isFinished)
  }

  @Test func `each job keeps its own first result`() {
    _ = ended(0, JobOutcome(.exited(status: 3)))
    _ = ended(0, JobOutcome(.cancelled))
    #expect(group.outcomes[0]?.ending == .exited(status: 3))
    #expect(group.outcomes[1] == nil)
  }

  @Test func `one job is cancelled by itself, and nobody is told twice`() {
    #expect(cancel(1) == [1])
    #expect(cancel(1) == [])
    _ = ended(0, success)
    #expect(cancelAll() == [2])
    #expect(cancelAll() == [])
  }
}
