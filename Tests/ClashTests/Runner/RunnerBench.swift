import Dagrun
import Foundation
import GoogleCloud
import Logging
import Model
import ModelCloud
import Synchronization
import WaitSupport

@testable import Clash

/// A runner over a model of Google, with a journal in memory and short waits.
final class RunnerBench {
  let cloud: ModelCloud
  let journal: MemoryJournal
  let folder = TestFolder()
  var options = JobRunnerOptions()
  private(set) lazy var runner = makeRunner()

  init(_ cloud: ModelCloud = ModelCloud(), journal: MemoryJournal = MemoryJournal()) {
    self.cloud = cloud
    self.journal = journal
    options.timings = .quick
    // Its machines know no words.
    options.makeSecret = { nil }
    options.firstRetrySeconds = 0.01
    options.longestRetrySeconds = 0.05
  }

  deinit { runner.stop() }

  func makeRunner() -> JobRunner {
    JobRunner(
      transport: cloud, endpoints: Endpoints(), journal: journal, options: options,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  /// As after a kill -9: whatever was under way is forgotten, and another process continues.
  func restart() {
    runner.stop()
    cloud.redeliver()
    runner = makeRunner()
  }

  func start(_ request: JobRequest, log: String? = nil) -> UpdateReader {
    let reader = UpdateReader()
    runner.start(request, logPath: log.map { folder.path + "/" + $0 }, observer: reader.receive)
    return reader
  }

  func adopt(_ name: String, log: String? = nil) -> UpdateReader {
    let reader = UpdateReader()
    runner.adopt(name, logPath: log.map { folder.path + "/" + $0 }, observer: reader.receive)
    return reader
  }

  func text(of log: String) -> String {
    FileManager.default.contents(atPath: folder.path + "/" + log).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}

/// What an observer was told, and a way to wait for it.
final class UpdateReader: Sendable {
  private typealias Waiter = (isMet: @Sendable ([JobUpdate]) -> Bool, gate: Gate)

  private struct State {
    var updates: [JobUpdate] = []
    var waiters: [Waiter] = []
  }

  private let state = Mutex(State())

  @Sendable func receive(_ update: JobUpdate) {
    let met = state.withLock { state in
      state.updates.append(update)
      let met = state.waiters.filter { $0.isMet(state.updates) }
      state.waiters.removeAll { $0.isMet(state.updates) }
      return met
    }
    for waiter in met { waiter.gate.open() }
  }

  /// Ends without it when the test is out of time.
  ///
  /// - Parameter isMet: by all that was received, in order.
  func wait(until isMet: @escaping @Sendable ([JobUpdate]) -> Bool) async {
    let gate = Gate()
    state.withLock { state in
      if isMet(state.updates) { gate.open() } else { state.waiters.append((isMet, gate)) }
    }
    await gate.wait()
  }

  func began(times: Int = 1) async {
    await wait { updates in updates.count { if case .began = $0 { true } else { false } } >= times }
  }

  func noted(_ part: String) async { await wait { $0.notes.contains { $0.contains(part) } } }

  func logged(_ part: String) async { await wait { $0.log.contains(part) } }

  func outcome() async -> JobOutcome {
    await wait { $0.outcome != nil }
    return all.outcome ?? JobOutcome(.infrastructure(InfrastructureFailure(.cloud, "the test is out of time")))
  }

  var all: [JobUpdate] { state.withLock { $0.updates } }
  var log: String { all.log }
  var notes: [String] { all.notes }
}

extension [JobUpdate] {
  var log: String {
    String(decoding: flatMap { if case .log(let bytes) = $0 { bytes } else { [UInt8]() } }, as: UTF8.self)
  }

  var notes: [String] { compactMap { if case .note(let text) = $0 { text } else { nil } } }

  var outcome: JobOutcome? {
    compactMap { if case .ended(let outcome) = $0 { outcome } else { nil } }.first
  }
}

/// A journal that can fail, and counts.
final class MemoryJournal: JobJournal {
  struct Full: Error {}

  private struct State {
    var jobs: [String: JobRecord] = [:]
    var batches: [[String]] = []
    var failsToSave: @Sendable ([JobRecord]) -> Bool = { _ in false }
    var failsToRead = false
    var failures = 0
  }

  private let state = WatchedState(State())

  func save(_ jobs: [JobRecord]) throws {
    try state.withLock { state in
      guard !state.failsToSave(jobs) else {
        state.failures += 1
        throw Full()
      }
      for job in jobs { state.jobs[job.name] = job }
      state.batches.append(jobs.map(\.name))
    }
  }

  func job(named name: String) throws -> JobRecord? {
    try state.withLock { state in
      guard !state.failsToRead else { throw Full() }
      return state.jobs[name]
    }
  }

  func unfinishedJobs() throws -> [JobRecord] {
    state.withLock { $0.jobs.values.filter { !$0.isFinished }.sorted { $0.name < $1.name } }
  }

  func failToSave(_ fails: @escaping @Sendable ([JobRecord]) -> Bool) { state.withLock { $0.failsToSave = fails } }
  func failToRead(_ fails: Bool) { state.withLock { $0.failsToRead = fails } }
  var batches: [[String]] { state.withLock { $0.batches } }
  /// Waits until so many attempts to save have failed.
  func failed(_ count: Int) async { await state.wait { $0.failures >= count } }
}

final class TestFolder {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("dagrun-jobs-\(UUID().uuidString)").path

  init() { try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}
