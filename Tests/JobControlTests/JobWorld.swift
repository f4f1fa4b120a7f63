import Clash
import Dagrun
import Foundation
import GoogleCloud
import Logging
import Model
import ModelCloud
import Storage
import Synchronization

@testable import JobControl

/// A home's jobs in this process, over a model of Google, whose machines boot and then wait for the test.
final class JobWorld: Sendable {
  let cloud: ModelCloud
  let home = FileManager.default.temporaryDirectory.path + "/dagrun-control-\(UUID().uuidString)"
  let repository: JobRepository
  private let runners = Mutex<[JobRunner]>([])

  init(_ cloud: ModelCloud = ModelCloud(boots: { cloud, job, attempt in cloud.start(job, attempt: attempt) })) throws {
    self.cloud = cloud
    let home = home
    try FileManager.default.createDirectory(atPath: home + "/jobs", withIntermediateDirectories: true)
    repository = JobRepository(
      store: try JobStore(path: home + "/dagrun.db"), folder: home + "/jobs",
      logOfJob: { "\(home)/jobs/\($0).log" }, logOfTask: { "\(home)/\($0.key.taskID).log" })
  }

  deinit {
    for runner in runners.withLock(\.self) { runner.stop() }
    try? FileManager.default.removeItem(atPath: home)
  }

  func runner() -> JobRunner {
    var options = JobRunnerOptions()
    options.timings = .quick
    options.makeSecret = { nil }
    (options.firstRetrySeconds, options.longestRetrySeconds) = (0.01, 0.05)
    let runner = JobRunner(
      transport: cloud, endpoints: Endpoints(), journal: repository.store, options: options,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    runners.withLock { $0.append(runner) }
    return runner
  }

  func driver(lifeline: ParentLifeline? = nil, handsOver: Bool = false) -> (JobDriver, Reports<JobProgress>) {
    let reports = Reports<JobProgress>()
    return (
      JobDriver(repository, runner(), lifeline: lifeline, handsOver: handsOver) { reports.add($0) }, reports
    )
  }

  func server(lockLimitSeconds: Double = 3600) -> (JobServer, Reports<ServeEvent>) {
    let reports = Reports<ServeEvent>()
    let server = JobServer(repository, runner(), lockLimitSeconds: lockLimitSeconds) { event in
      reports.add(event)
      return true
    }
    return (server, reports)
  }

  /// A job whose driver was killed while its program ran.
  func abandonedJob(_ name: String = "train") async throws -> JobRecord {
    let runner = runner()
    let reports = Reports<JobUpdate>()
    runner.start(jobRequest(name), logPath: nil) { reports.add($0) }
    await reports.first { if case .began = $0 { true } else { false } }
    runner.stop()
    cloud.redeliver()
    return try stored(name)
  }

  func stored(_ name: String = "train") throws -> JobRecord {
    guard let job = try repository.find(name) else { throw CocoaError(.fileNoSuchFile) }
    return job
  }

  func exists(_ file: String) -> Bool { FileManager.default.fileExists(atPath: "\(home)/jobs/\(file)") }
}

/// What was said, and a way to wait for it.
final class Reports<Item: Sendable>: Sendable {
  private typealias Waiter = (isMet: @Sendable (Item) -> Bool, gate: Gate)
  private let state = Mutex<(items: [Item], waiters: [Waiter])>(([], []))

  func add(_ item: Item) {
    let met = state.withLock { state in
      state.items.append(item)
      let met = state.waiters.filter { $0.isMet(item) }
      state.waiters.removeAll { $0.isMet(item) }
      return met
    }
    for waiter in met { waiter.gate.open() }
  }

  /// Also releases what it holds.
  func removeAll() { state.withLock { $0.items = [] } }

  var all: [Item] { state.withLock { $0.items } }

  /// Waits until one was said. Ends without it when the test is out of time.
  @discardableResult
  func first(where isMet: @escaping @Sendable (Item) -> Bool) async -> Item? {
    let gate = Gate()
    state.withLock { state in
      if state.items.contains(where: isMet) { gate.open() } else { state.waiters.append((isMet, gate)) }
    }
    await gate.wait()
    return all.first(where: isMet)
  }
}

extension Reports where Item == JobProgress {
  func began() async { await first { if case .began = $0 { true } else { false } } }
  func isWaiting() async { await first { if case .waiting = $0 { true } else { false } } }
}

extension Reports where Item == ServeEvent {
  func began() async { await first { if case .began = $0 { true } else { false } } }

  func ending() async -> JobOutcome.Ending? {
    guard case .ended(_, _, let outcome)? = await first(where: { if case .ended = $0 { true } else { false } })
    else { return nil }
    return outcome.ending
  }

  func failure() async -> JobControlError? {
    guard case .failed(_, let error)? = await first(where: { if case .failed = $0 { true } else { false } })
    else { return nil }
    return error as? JobControlError
  }
}

/// The lock of a job as another process holds it: when that dies, its file stays.
final class ForeignLock: Sendable {
  private let descriptor: Mutex<Int32?>

  init(_ name: String, in world: JobWorld) {
    let descriptor = open("\(world.repository.folder)/\(name).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    precondition(flock(descriptor, LOCK_EX | LOCK_NB) == 0, "somebody has the lock")
    precondition(write(descriptor, "1234567\n", 8) == 8)
    self.descriptor = Mutex(descriptor)
  }

  deinit { die() }

  func die() {
    descriptor.withLock { descriptor in
      if let number = descriptor { close(number) }
      descriptor = nil
    }
  }
}

/// The pipe that whoever began a process holds.
final class Pipe: Sendable {
  let reading: Int32
  private let writing: Mutex<Int32?>

  init() {
    var ends: [Int32] = [0, 0]
    precondition(pipe(&ends) == 0, "there are no more descriptors")
    // Programs that other tests start must not hold it.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    reading = ends[0]
    writing = Mutex(ends[1])
  }

  deinit { close() }

  func write(_ text: String) { writing.withLock { _ = Foundation.write($0 ?? -1, text, text.utf8.count) } }

  func close() {
    writing.withLock { writing in
      if let descriptor = writing { Foundation.close(descriptor) }
      writing = nil
    }
  }
}

extension JobWorld {
  /// As another process has it.
  static func anotherStore(of world: JobWorld) throws -> JobStore { try JobStore(path: world.home + "/dagrun.db") }
}
