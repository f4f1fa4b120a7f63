import Dagrun
import Foundation
import Model
import Processes
import Testing
import Workers

@testable import Executors

/// What a restarted scheduler decides about a try that was under way, from what it finds.
@Suite struct AdoptionTests {
  private static let id = TryKey(run: 1, taskID: "a", number: 2)
  private static let result = TaskResult(
    .success, output: "1", startDate: Timestamp(microseconds: 1), endDate: Timestamp(microseconds: 2))

  struct Found: CustomTestStringConvertible {
    var name: String
    var workers: [WorkerOnDisk]
    var schedulerBoot: String? = "now"
    var decision: AdoptionDecision

    var testDescription: String { name }
  }

  private static func worker(
    _ folder: String, _ entry: WorkerJournal.Entry?, alive: Bool, boot: String = "now"
  ) -> WorkerOnDisk {
    WorkerOnDisk(
      folder: folder,
      journal: WorkerJournal(worker: ProcessIdentity(pid: 9, startTime: 9), bootID: boot, last: entry), isAlive: alive)
  }

  private static let started = WorkerJournal.Entry(id)
  private static let abandoned = WorkerJournal.Entry(id, isAbandoned: true)
  private static let finished = WorkerJournal.Entry(id, result: result)
  private static let other = WorkerJournal.Entry(TryKey(run: 1, taskID: "a", number: 1), result: result)

  @Test func `a worker that ends its try while it is looked at has ended it`() throws {
    var journals = [Self.started, Self.finished].map {
      WorkerJournal(worker: ProcessIdentity(pid: 9, startTime: 9), bootID: "now", last: $0)
    }
    let found = try WorkerOnDisk(folder: "w") {
      journals.removeFirst()
    } isAlive: { _ in
      false
    }
    #expect(found?.journal.last?.result == Self.result)
    #expect(journals.isEmpty)
  }

  @Test func `a journal that cannot be read is not one without an entry`() throws {
    let folder = NSTemporaryDirectory() + "dagrun-adoption-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(try WorkerOnDisk(folder: folder, boot: "now") == nil)
    // A folder in its place cannot be read, whoever tries.
    try makeFolders(WorkerJournal.path(in: folder))
    #expect(throws: SystemError.self) { try WorkerOnDisk(folder: folder, boot: "now") }
  }

  @Test(arguments: [
    Found(name: "no worker has it", workers: [], decision: .launch),
    Found(name: "an idle worker", workers: [worker("w", nil, alive: true)], decision: .launch),
    Found(name: "another try's result", workers: [worker("w", other, alive: true)], decision: .launch),
    Found(name: "ended", workers: [worker("w", finished, alive: false)], decision: .finished(result, folder: "w")),
    Found(
      name: "ended, its worker alive", workers: [worker("w", finished, alive: true)],
      decision: .finished(result, folder: "w")),
    Found(name: "runs", workers: [worker("w", started, alive: true)], decision: .adopt(folder: "w")),
    Found(name: "its worker died", workers: [worker("w", started, alive: false)], decision: .died(folder: "w")),
    Found(name: "abandoned", workers: [worker("w", abandoned, alive: false)], decision: .launch),
    Found(
      name: "abandoned, then run elsewhere",
      workers: [worker("v", abandoned, alive: false), worker("w", started, alive: true)],
      decision: .adopt(folder: "w")),
    Found(
      name: "abandoned, then ended elsewhere",
      workers: [worker("v", finished, alive: false), worker("w", abandoned, alive: false)],
      decision: .finished(result, folder: "v")),
    Found(
      name: "ran when the machine went down", workers: [worker("w", started, alive: false, boot: "before")],
      schedulerBoot: "before", decision: .lost),
    Found(
      name: "ended before the machine went down", workers: [worker("w", finished, alive: false, boot: "before")],
      schedulerBoot: "before", decision: .finished(result, folder: "w")),
    Found(name: "no trace after a reboot", workers: [], schedulerBoot: "before", decision: .lost),
    Found(name: "no trace, last scheduler unknown", workers: [], schedulerBoot: nil, decision: .launch),
  ])
  func `a try that was under way`(found: Found) {
    #expect(
      AdoptionDecision(Self.id, found.workers, schedulerBoot: found.schedulerBoot, boot: "now") == found.decision)
  }
}
