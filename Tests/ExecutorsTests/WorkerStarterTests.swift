import Testing

@testable import Executors

@Suite("When a worker process is started")
struct WorkerStarterTests {
  typealias Load = WorkerStarter.Load

  private func load(
    waiting: Int = 1, since: Double = 100, busy: Int = 0, starting: Int = 0, loading: Int = 0, workers: Int = 0
  ) -> Load {
    Load(waiting: waiting, waitsSince: since, busy: busy, starting: starting, loading: loading, workers: workers)
  }

  @Test("at once where there is none")
  func first() {
    #expect(WorkerStarter(maximumStarting: 4).decide(load(), at: 100) == .start(1))
  }

  @Test("none when nothing waits")
  func nothingWaits() {
    #expect(WorkerStarter(maximumStarting: 4).decide(load(waiting: 0), at: 100) == .startNone)
  }

  @Test("where others are busy, only once a try has waited for a moment")
  func waitsForAMoment() {
    let starter = WorkerStarter(maximumStarting: 4)
    let busy = load(busy: 1, workers: 1)
    guard case .decideAgain(let seconds) = starter.decide(busy, at: 100.001) else {
      Issue.record("it did not wait")
      return
    }
    #expect(abs(seconds - (WorkerStarter.patienceSeconds - 0.001)) < 1e-9)
    #expect(starter.decide(busy, at: 100 + WorkerStarter.patienceSeconds * 1.01) == .start(1))
  }

  @Test(
    "no more at once than there are cores, those that load a file counted, and no more than tries wait",
    arguments: [
      (waiting: 9, starting: 0, loading: 0, count: 4), (9, 1, 0, 3), (9, 1, 2, 1), (9, 0, 4, 0), (9, 4, 0, 0),
      (2, 0, 0, 2), (2, 1, 0, 1), (2, 2, 0, 0),
    ])
  func count(waiting: Int, starting: Int, loading: Int, count: Int) {
    let load = load(waiting: waiting, since: 0, busy: 1, starting: starting, loading: loading, workers: 9)
    #expect(WorkerStarter(maximumStarting: 4).decide(load, at: 100) == (count > 0 ? .start(count) : .startNone))
  }

  /// A starter of a machine of two cores that has seen small tasks end just now, and its moment.
  private func whileTasksEndFast(lastStart: Double) -> WorkerStarter {
    var starter = WorkerStarter(maximumStarting: 2)
    starter.workerStarted(at: lastStart)
    starter.tryEnded(ranSeconds: 0.0001, at: 100)
    return starter
  }

  @Test("while tasks end fast, more processes than cores are added one after the other")
  func growsSlowly() {
    let load = load(waiting: 50, since: 99, busy: 3, workers: 3)
    #expect(whileTasksEndFast(lastStart: 99).decide(load, at: 100.001) == .start(1))
    guard case .decideAgain(let seconds) = whileTasksEndFast(lastStart: 100).decide(load, at: 100.001) else {
      Issue.record("it did not wait")
      return
    }
    #expect(abs(seconds - (WorkerStarter.growthSeconds - 0.001)) < 1e-9)
  }

  @Test("the slower the commits, the more processes are worth having")
  func growsWithCommits() {
    var starter = whileTasksEndFast(lastStart: 99)
    let load = load(waiting: 50, since: 99, busy: 8, workers: 8)
    #expect(starter.decide(load, at: 100.001) == .decideAgain(afterSeconds: WorkerStarter.patienceSeconds))
    starter.committed(inSeconds: 0.01)
    #expect(starter.decide(load, at: 100.001) == .start(1))
  }

  @Test("while tasks are long, as many as there are cores at once, however many there are")
  func longTasks() {
    var starter = WorkerStarter(maximumStarting: 2)
    starter.tryEnded(ranSeconds: 60, at: 100)
    #expect(starter.decide(load(waiting: 50, since: 99, busy: 30, workers: 30), at: 100.001) == .start(2))
  }

  @Test("pauses grow while starts fail, and end with the first that succeeds")
  func pauses() {
    var starter = WorkerStarter(maximumStarting: 2)
    #expect(starter.pause(at: 100) == 0.1)
    #expect(starter.isPaused(at: 100.09))
    #expect(!starter.isPaused(at: 100.1))
    guard case .decideAgain(let seconds) = starter.decide(load(), at: 100.05) else {
      Issue.record("it did not wait")
      return
    }
    #expect(abs(seconds - 0.05) < 1e-9)
    #expect(starter.pause(at: 101) == 0.2)
    for _ in 0..<20 { #expect(starter.pause(at: 102) <= 5) }
    starter.workerBecameReady()
    #expect(starter.pause(at: 200) == 0.1)
  }

  @Test("tries that wait fail when three processes in a row end as soon as they start")
  func failedStarts() {
    var starter = WorkerStarter(maximumStarting: 2)
    #expect([starter.startFailed(), starter.startFailed()] == [false, false])
    starter.workerBecameReady()
    let ends = (1...6).map { _ in starter.startFailed() }
    #expect(ends == [false, false, true, false, false, true])
  }
}
