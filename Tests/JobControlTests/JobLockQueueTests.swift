import Clash
import Foundation
import ModelCloud
import Testing

@testable import JobControl

@Suite(.timeLimit(.minutes(1))) struct JobLockQueueTests {
  private let world: JobWorld
  private let queue = JobLockQueue()

  init() throws { world = try JobWorld() }

  private func wait(_ name: String = "train") -> (JobLockQueue.Ticket, Reports<Result<JobLock, JobLock.Refusal>>) {
    let reports = Reports<Result<JobLock, JobLock.Refusal>>()
    return (queue.wait(forJob: name, folder: world.repository.folder) { reports.add($0) }, reports)
  }

  @Test func `a lock is had when its holder releases it`() async throws {
    var lock: JobLock? = try world.repository.lock("train")
    let (_, reports) = wait()
    #expect(reports.all.isEmpty)
    withExtendedLifetime(lock) {}
    lock = nil
    let result = await reports.first { _ in true }
    #expect(throws: Never.self) { try result?.get() }
    #expect(result != nil && world.repository.driver(of: "train") == getpid())
  }

  @Test func `a lock is had when its holder dies`() async throws {
    let holder = ForeignLock("train", in: world)
    let (_, reports) = wait()
    #expect(reports.all.isEmpty)
    holder.die()
    await reports.first { _ in true }
    #expect(world.repository.driver(of: "train") == getpid())
  }

  @Test func `who waits first has it first, and the next when that releases it`() async throws {
    let holder = ForeignLock("train", in: world)
    let order = Reports<String>()
    let first = Gate()
    let folder = world.repository.folder
    let locks = Reports<JobLock?>()
    _ = queue.wait(forJob: "train", folder: folder) { result in
      order.add("first")
      locks.add(try? result.get())
      first.open()
    }
    _ = queue.wait(forJob: "train", folder: folder) { _ in order.add("second") }
    holder.die()
    await first.wait()
    #expect(order.all == ["first"])
    locks.removeAll()
    await order.first { $0 == "second" }
    #expect(order.all == ["first", "second"])
  }

  @Test func `what was withdrawn is not served, and leaves the lock to others`() async throws {
    let holder = ForeignLock("train", in: world)
    let (ticket, withdrawn) = wait()
    queue.withdraw(ticket)
    let (_, reports) = wait()
    holder.die()
    await reports.first { _ in true }
    #expect(withdrawn.all.isEmpty)
  }

  @Test func `a folder that is none is an error`() async throws {
    try Data().write(to: URL(fileURLWithPath: world.home + "/file"))
    let reports = Reports<Result<JobLock, JobLock.Refusal>>()
    _ = queue.wait(forJob: "train", folder: world.home + "/file/jobs") { reports.add($0) }
    let result = await reports.first { _ in true }
    #expect(throws: JobLock.Refusal.self) { try result?.get() }
  }
}
