import Dagrun
import Model
import Scheduling
import Storage
import Testing

/// What is kept of the tries of a task.
struct TryTests {
  let folder = Folder()
  let store: Store

  init() throws {
    store = try Store(path: folder.database)
    try store.add()
    try store.commit([.runCreated(RunSnapshot(run: run(1), tasks: [task("extract")]))])
  }

  @Test func `a task that never started has no tries`() throws {
    #expect(try store.tries(key("extract")).isEmpty)
  }

  @Test func `one try that succeeds is one record, and none is kept apart`() throws {
    try store.launch(key("extract"))
    #expect(try store.tries(key("extract")).map(\.state) == [.running])
    try store.finish(key("extract"))
    let tries = try store.tries(key("extract"))
    #expect(tries.map(\.state) == [.success])
    #expect(tries[0].usage.peakMemoryBytes == 1 << 20)
    #expect(try store.info().counts.pastTries == 0)
  }

  @Test func `what was lost of a try stays with it, and is listed for its run`() throws {
    try store.launch(key("extract"))
    var first = finishing(key("extract"), as: .upForRetry)
    first.ended?.loss = "the log lacks 5 bytes: No space left on device"
    try store.commit([.taskChanged(first)])
    #expect(try store.taskInstance(key("extract"))?.loss == first.ended?.loss)
    try store.launch(key("extract"), from: .upForRetry, tryNumber: 2)
    #expect(try store.taskInstance(key("extract"))?.loss == nil)
    var second = finishing(key("extract"), tryNumber: 2)
    second.ended?.loss = "the log lacks 6 bytes"
    try store.commit([.taskChanged(second)])
    let told = ["the log lacks 5 bytes: No space left on device", "the log lacks 6 bytes"]
    #expect(try store.tries(key("extract")).map(\.loss) == told)
    #expect(try store.losses(run: 1).map(\.loss) == told)
    #expect(try store.losses(run: 1).map(\.tryNumber) == [1, 2])
    // Cleared: the record of the last one moves to the others.
    let cleared = TaskTransition(
      key: key("extract"), from: .success, fromTry: 2, to: task("extract", .none, tryNumber: 2))
    try store.commit([.taskChanged(cleared)])
    #expect(try store.losses(run: 1).map(\.loss) == told)
  }

  @Test func `a try that is followed by another keeps its record`() throws {
    try store.launch(key("extract"))
    try store.finish(key("extract"), as: .upForRetry)
    // While it waits, the row shows how the try went.
    #expect(try store.taskInstance(key("extract"))?.exitCode == 7)
    try store.launch(key("extract"), from: .upForRetry, tryNumber: 2)
    #expect(try store.taskInstance(key("extract"))?.exitCode == nil)
    try store.finish(key("extract"), tryNumber: 2)
    let tries = try store.tries(key("extract"))
    #expect(tries.map(\.tryNumber) == [1, 2])
    #expect(tries.map(\.state) == [.failed, .success])
    #expect(tries.map(\.exitCode) == [7, 0])
    #expect(tries.map(\.reason) == ["exit code 7", nil])
    #expect(tries[0].startDate == at(1000) && tries[0].endDate == at(1005))
  }

  @Test func `a task that is cleared keeps the record of the try that had ended`() throws {
    try store.launch(key("extract"))
    try store.finish(key("extract"))
    let cleared = TaskTransition(
      key: key("extract"), from: .success, fromTry: 1, to: task("extract", .none, tryNumber: 1), reason: "cleared")
    try store.commit([.taskChanged(cleared)])
    #expect(try store.tries(key("extract")).map(\.state) == [.success])
    #expect(try store.taskInstance(key("extract"))?.reason == "cleared")
    try store.launch(key("extract"), tryNumber: 2)
    #expect(try store.tries(key("extract")).map(\.state) == [.success, .running])
  }

  @Test func `a state set by hand does not rewrite how the try ended`() throws {
    try store.launch(key("extract"))
    try store.finish(key("extract"), as: .failed)
    var byHand = finishing(key("extract")).to
    byHand.endDate = at(9999)
    try store.commit([
      .taskChanged(
        TaskTransition(key: key("extract"), from: .failed, fromTry: 1, to: byHand, reason: "set by hand"))
    ])
    #expect(try store.taskInstance(key("extract"))?.instance.state == .success)
    let tries = try store.tries(key("extract"))
    #expect(tries.map(\.state) == [.failed])
    #expect(tries[0].endDate == at(1005))
  }

  @Test func `a try that ends and is followed at once is one move`() throws {
    try store.launch(key("extract"))
    let next = TaskTransition(
      key: key("extract"), from: .running, fromTry: 1, to: launching(key("extract"), tryNumber: 2).to,
      ended: ended(1, .failed))
    try store.commit([.taskChanged(next)])
    #expect(try store.tries(key("extract")).map(\.state) == [.failed, .running])
    #expect(try store.taskInstance(key("extract"))?.exitCode == nil)
  }

  @Test func `a task that is cleared and ends again in one move keeps the record of the first time`() throws {
    try store.launch(key("extract"))
    try store.finish(key("extract"))
    var again = finishing(key("extract"), tryNumber: 2)
    (again.from, again.fromTry) = (.success, 1)
    try store.commit([.taskChanged(again)])
    let tries = try store.tries(key("extract"))
    #expect(tries.map(\.tryNumber) == [1, 2])
    #expect(tries.map(\.endDate) == [at(1005), at(2005)])
  }

  @Test func `a try that ends in the move that abandons its task keeps its own record`() throws {
    try store.launch(key("extract"))
    var abandoned = finishing(key("extract")).to
    abandoned.state = .skipped
    let transition = TaskTransition(
      key: key("extract"), from: .running, fromTry: 1, to: abandoned, reason: "the run timed out",
      ended: ended(1, .failed))
    try store.commit([.taskChanged(transition)])
    #expect(try store.taskInstance(key("extract"))?.instance.state == .skipped)
    #expect(try store.tries(key("extract")).map(\.state) == [.failed])
  }

  @Test func `a task that is cleared and comes back to its state in one move keeps the record of the first time`()
    throws
  {
    try store.launch(key("extract"))
    try store.finish(key("extract"), as: .skipped)
    var again = finishing(key("extract")).to
    again.state = .skipped
    again.endDate = at(9999)
    try store.commit([
      .taskChanged(TaskTransition(key: key("extract"), from: .skipped, fromTry: 1, to: again, reason: "by its rule"))
    ])
    #expect(try store.tries(key("extract")).map(\.endDate) == [at(1005)])
  }

  @Test func `a late end of a try changes nothing`() throws {
    try store.launch(key("extract"))
    try store.finish(key("extract"), as: .upForRetry)
    let error = #expect(throws: StoreError.self) { try store.finish(key("extract"), as: .upForRetry) }
    guard case .guardFailed = error?.code else {
      Issue.record("not a guard failure: \(String(describing: error))")
      return
    }
    #expect(try store.tries(key("extract")).count == 1)
  }
}
