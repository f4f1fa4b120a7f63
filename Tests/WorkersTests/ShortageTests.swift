import Foundation
import Glibc
import Model
import Preparation
import Processes
import Testing

@testable import Workers

/// What a worker does when the disk is full. A limit on the size of its files stands for the disk.
@Suite struct ShortageTests {
  @Test func `a result that the journal cannot take is kept until it can, when the scheduler is gone`() throws {
    let worker = try TestWorker()
    try limitFileSize(of: worker, 100_000)
    worker.startSwift("big")
    let reported = try worker.finish()
    #expect(WorkerJournal(folder: worker.folder)?.last?.result == nil)

    // A scheduler that is gone may not have read the report. The worker stays until it has left the result.
    worker.link.hangUp()
    try limitFileSize(of: worker, nil)
    #expect(worker.link.process.hasEnded(within: 20_000))
    #expect(WorkerJournal(folder: worker.folder)?.last?.result == reported)
  }

  @Test func `a log that was not written for a while says what it lacks`() throws {
    let worker = try TestWorker()
    try limitFileSize(of: worker, 1_000_000)
    let result = try worker.bash(
      """
      head -c 2000000 /dev/zero | tr '\\0' x
      prlimit --pid $PPID --fsize=unlimited
      echo; echo end
      """)
    #expect(result.outcome == .success)
    #expect(result.output == #""end""#)
    let log = try #require(worker.log("shell"))
    let rest = try #require(log.range(of: "\ndagrun: here are missing ").map { log[$0.upperBound...] })
    #expect(rest.contains(" bytes: File too large\n"))
    #expect(rest.hasSuffix("\nend\n"))
    #expect(result.loss?.hasPrefix("the log lacks ") == true)
    #expect(result.loss?.hasSuffix(" bytes: File too large") == true)
  }

  @Test func `what a Swift task could not print is part of its result`() throws {
    let worker = try TestWorker()
    try limitFileSize(of: worker, 1_000_000)
    let result = try worker.swift("print_much")
    #expect(result.outcome == .success)
    #expect(result.loss?.hasPrefix("the log lacks some of what the task printed") == true, "\(result.loss ?? "nil")")
    try limitFileSize(of: worker, nil)
    #expect(try worker.swift("print").loss == nil)
  }

  @Test func `a journal that did not take the result is part of the result`() throws {
    let worker = try TestWorker()
    try limitFileSize(of: worker, 100_000)
    #expect(try worker.swift("big").loss?.hasPrefix("the worker's journal lacks its end: ") == true)
    try limitFileSize(of: worker, nil)
  }

  @Test(arguments: ["a", "한", "🧪", "\u{65}\u{301}"])
  func `a log has a name that a disk takes, whatever the id`(letter: String) throws {
    let worker = try TestWorker()
    for count in [1, 60, 83, 240, 247, 248, 250] {
      let id = TryKey(run: 7, taskID: String(repeating: letter, count: count), number: 1)
      worker.start(id, .bash(script: "echo the reason; exit 1", environment: [:], workingDirectory: nil))
      let result = try worker.finish()
      #expect(result.loss == nil)
      #expect(worker.log(id.taskID) == "the reason\n", "\(count)")
    }
  }

  @Test func `an output that is too large fails the task for good`() throws {
    let worker = try TestWorker()
    let result = try worker.bash("truncate -s 70000000 $DAGRUN_OUTPUT")
    #expect(
      result.outcome
        == .failed(
          reason: "its output has 70000000 bytes, and an output may have 67108864: "
            + "write it to a file, and hand on the path", isRetryable: false))
    #expect(result.output == nil)
    #expect(try worker.bash("echo fine").output == #""fine""#)
  }

  @Test func `a worker that was given nothing leaves no folder`() throws {
    let worker = try TestWorker()
    worker.link.hangUp()
    #expect(worker.link.process.hasEnded(within: 20_000))
    #expect(access(worker.folder, F_OK) != 0)
  }

  @Test func `what a worker said is added to a log that is there`() throws {
    let folder = NSTemporaryDirectory() + "dagrun-log-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try makeFolders(folder + "/worker")
    let log = folder + "/attempt=1.log"
    try "said by the script\n".write(toFile: log, atomically: false, encoding: .utf8)
    try "said by the worker\n".write(
      toFile: WorkerOutput.path(in: folder + "/worker"), atomically: false, encoding: .utf8)
    try WorkerOutput.move(from: folder + "/worker", to: log)
    #expect(try String(contentsOfFile: log, encoding: .utf8) == "said by the script\nsaid by the worker\n")
    #expect(access(WorkerOutput.path(in: folder + "/worker"), F_OK) != 0)
  }

  private func limitFileSize(of worker: TestWorker, _ bytes: Int?) throws {
    let soft = bytes.map { "\($0)" } ?? "unlimited"
    let ended = try Spawn("prlimit", ["--pid", "\(worker.link.pid)", "--fsize=\(soft):unlimited"]).run(timeout: 20)
    try #require(ended.status.isSuccess, "\(ended.text(2))")
  }
}
