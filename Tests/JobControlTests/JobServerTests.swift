import Clash
import Dispatch
import Foundation
import Model
import ModelCloud
import Testing

@testable import JobControl

@Suite(.timeLimit(.minutes(1))) struct JobServerTests {
  private let world: JobWorld

  init() throws { world = try JobWorld() }

  private func leave(_ server: JobServer) async {
    let gate = Gate()
    server.leave { gate.open() }
    await gate.wait()
  }

  @Test func `a server drives a job when the process that had it dies`() async throws {
    _ = try await world.abandonedJob()
    let holder = ForeignLock("train", in: world)
    let (server, events) = world.server()
    server.handle(line: #"{"attach": "train"}"#)
    // Answered behind the first: it waits by then.
    server.handle(line: "what?")
    await events.first { if case .refused = $0 { true } else { false } }
    #expect(world.repository.driver(of: "train") == 1_234_567)
    holder.die()
    await events.began()
    #expect(world.repository.driver(of: "train") == getpid())
    world.cloud.finish("train", attempt: 1)
    #expect(await events.ending() == .exited(status: 0))
    await leave(server)
  }

  @Test func `a request cancels a served job although nobody reads what the server says`() async throws {
    let job = try await world.abandonedJob()
    let isReading = DispatchSemaphore(value: 0)
    let events = Reports<ServeEvent>()
    let server = JobServer(world.repository, world.runner()) { event in
      events.add(event)
      isReading.wait()
      isReading.signal()
      return true
    }
    defer { isReading.signal() }
    server.handle(line: #"{"attach": "train"}"#)
    await events.began()
    try world.repository.cancelRequest("train").write(for: job)
    #expect(try await JobCanceller(world.repository, job: "train").waitUntilFinished()?.isFinished == true)
    isReading.signal()
    #expect(await events.ending() == .cancelled)
    await leave(server)
  }

  @Test func `a job that ends before its driver leaves is reported`() async throws {
    let job = try await world.abandonedJob()
    let holder = try world.repository.lock("train")
    let (server, events) = world.server()
    server.handle(line: #"{"attach": "train"}"#)
    let outcome = await JobCanceller(world.repository, job: "train").cancel(
      world.runner(), project: nil, holding: holder)
    #expect(outcome?.ending == .cancelled)
    _ = consume holder
    #expect(await events.ending() == .cancelled)
    #expect(job.name == "train")
    await leave(server)
  }

  @Test func `a cancel that comes while it waits is done as soon as it drives the job`() async throws {
    _ = try await world.abandonedJob()
    let holder = ForeignLock("train", in: world)
    let (server, events) = world.server()
    server.handle(line: #"{"attach": "train"}"#)
    server.handle(line: #"{"cancel": "train"}"#)
    // It leaves when that is done.
    let left = Gate()
    server.leave { left.open() }
    holder.die()
    #expect(await events.ending() == .cancelled)
    await left.wait()
    #expect(world.cloud.inventory == [])
  }

  @Test func `what it waits for no more it does not take`() async throws {
    _ = try await world.abandonedJob()
    let holder = ForeignLock("train", in: world)
    let (server, events) = world.server()
    server.handle(line: #"{"attach": "train"}"#)
    server.handle(line: #"{"leave": "train"}"#)
    await events.first { if case .left = $0 { true } else { false } }
    holder.die()
    await leave(server)
    #expect(events.all.count == 1)
    #expect(world.repository.driver(of: "train") == nil)
  }

  @Test func `a process that does not leave in time is named`() async throws {
    _ = try await world.abandonedJob()
    let holder = ForeignLock("train", in: world)
    defer { holder.die() }
    let (server, events) = world.server(lockLimitSeconds: 0)
    server.handle(line: #"{"attach": "train"}"#)
    #expect(await events.failure() == .drivenElsewhere(job: "train", process: 1_234_567, waitedSeconds: nil))
    await leave(server)
  }

  @Test(arguments: [true, false])
  func `a request cancels a served job, whether it comes before or while it is driven`(isBefore: Bool) async throws {
    let job = try await world.abandonedJob()
    let (server, events) = world.server()
    if isBefore { try world.repository.cancelRequest("train").write(for: job) }
    server.handle(line: #"{"attach": "train"}"#)
    if !isBefore {
      await events.began()
      try world.repository.cancelRequest("train").write(for: job)
    }
    #expect(await events.ending() == .cancelled)
    await leave(server)
    #expect(!world.exists("train.cancel") && world.cloud.inventory == [])
  }

  @Test(
    arguments: [
      (#"{"attach": "no-such-job"}"#, .unknown(job: "no-such-job")),
      (#"{"attach": "No Name"}"#, .invalidName(problem: JobName.problem("No Name") ?? "")),
    ] as [(String, JobControlError)])
  func `what cannot be attached to is said`(line: String, error: JobControlError) async throws {
    let (server, events) = world.server()
    server.handle(line: line)
    #expect(await events.failure() == error)
    await leave(server)
  }

  @Test func `the end of a server leaves its jobs to others`() async throws {
    _ = try await world.abandonedJob()
    let (server, events) = world.server()
    server.handle(line: #"{"attach": "train"}"#)
    await events.began()
    await leave(server)
    #expect(world.repository.driver(of: "train") == nil)
    #expect(try !world.stored().isFinished)
  }
}
