import Dagrun
import Foundation
import Model
import Preparation
import Processes
import Testing

@testable import Workers

@Suite struct JournalTests {
  private let folder = NSTemporaryDirectory() + "dagrun-journal-\(UUID().uuidString)"
  private let result = TaskResult(
    .failed(reason: "grün", exitCode: 3, signal: nil, isRetryable: false), output: #"{"a":1}"#,
    usage: Usage(cpuSeconds: 0.25, peakMemoryBytes: 4096), startDate: at(1), endDate: at(2))

  init() throws { try makeFolders(folder) }

  private func id(_ taskID: String) -> TryKey { TryKey(run: 1, taskID: taskID, number: 2) }

  @Test func `a journal tells the last try only`() throws {
    let writer = try JournalWriter(folder: folder)
    #expect(WorkerJournal(folder: folder) == WorkerJournal(worker: .current, bootID: bootID))
    try writer.start(id("first_with_a_long_name"))
    try writer.append(.process(ProcessIdentity(pid: 5, startTime: 6)))
    try writer.append(.finished(result))
    #expect(
      WorkerJournal(folder: folder)?.last
        == .init(id("first_with_a_long_name"), process: ProcessIdentity(pid: 5, startTime: 6), result: result))
    try writer.start(id("second"))
    #expect(WorkerJournal(folder: folder)?.last == .init(id("second")))
    try writer.append(.abandoned)
    #expect(WorkerJournal(folder: folder)?.last == .init(id("second"), isAbandoned: true))
  }

  @Test func `a torn record is as if it were not there`() throws {
    let writer = try JournalWriter(folder: folder)
    try writer.start(id("first"))
    let whole = try #require(readWholeFile(WorkerJournal.path(in: folder)))
    try writer.append(.finished(result))
    let longer = try #require(readWholeFile(WorkerJournal.path(in: folder)))
    for length in whole.count..<(longer.count - 4) {
      #expect(WorkerJournal(Array(longer[..<length]))?.last == .init(id("first")))
    }
    var flipped = longer
    flipped[whole.count + 10] ^= 1
    #expect(WorkerJournal(flipped)?.last == .init(id("first")))
    #expect(WorkerJournal(longer)?.last?.result == result)
    for length in 0..<20 { #expect(WorkerJournal(Array(longer[..<length])) == nil) }
  }

  @Test func `the journal of an earlier version is read`() {
    var writer = ByteWriter()
    JournalRecord.worker(.current, bootID: "boot").append(to: &writer)
    func append(_ kind: UInt8, _ fields: (inout ByteWriter) -> Void) {
      var record = ByteWriter()
      record.write(kind)
      fields(&record)
      writer.write(UInt32(record.bytes.count))
      writer.write(record.bytes.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 })
      for byte in record.bytes { writer.write(byte) }
    }
    append(2) {
      $0.write(Int64(1))
      $0.write("first")
      $0.write(UInt32(2))
    }
    // Success, no output, its usage and its dates; what was lost was not yet said.
    append(5) {
      $0.write(UInt8(0))
      $0.write(false)
      $0.write(0.25)
      $0.write(Int64(4096))
      $0.write(Int64(1))
      $0.write(Int64(2))
    }
    let result = TaskResult(
      .success, usage: Usage(cpuSeconds: 0.25, peakMemoryBytes: 4096), startDate: at(1), endDate: at(2))
    #expect(WorkerJournal(writer.bytes)?.last == .init(id("first"), result: result))
  }

  @Test func `messages survive the wire`() throws {
    let requests: [WorkerRequest] = [
      .stop(id("a")),
      .start(
        TryAssignment(
          TaskWorkload(
            id("b"), work: .bash(script: "echo 'ü'", environment: ["A": "1", "B": ""], workingDirectory: "/x")),
          graceSeconds: 1.5)),
      .start(
        TryAssignment(
          TaskWorkload(id("c"), work: .swift(library: "/l.so", entry: "e", inputs: ["1", "\"x\""])), graceSeconds: 10)),
      .start(
        TryAssignment(
          TaskWorkload(
            id("d"),
            work: .madeScript(
              library: "/l.so", entry: "e", inputs: ["1"], environment: ["A": "1"], workingDirectory: "/x")),
          graceSeconds: 10)),
      .run(
        RunContextMessage(
          run: 3,
          context: .init(dagID: "d", runID: "r", runAfter: .init(microseconds: 9), parameters: ["p": .int(1)]),
          logFolder: "/logs", workingDirectory: "/dags")),
    ]
    var writer = ByteWriter()
    for request in requests { request.append(to: &writer) }
    let outcomes: [TaskResult.Outcome] = [
      .success, .skipped(reason: "r"), .stopped(exitCode: 1), .stopped(signal: 9),
      .failed(reason: "r", exitCode: 3, isRetryable: false), .failed(reason: "r", cause: .errorRule(2, typeName: "Ü")),
    ]
    for outcome in outcomes {
      var key = id("t")
      key.instance.mapIndex = 3
      key.member = 2
      let report = WorkerReport.finished(key, TaskResult(outcome, startDate: at(1), endDate: nil), isLast: true)
      var single = ByteWriter()
      report.append(to: &single)
      #expect(try single.bytes.dropFirst(4).withUnsafeBytes { try WorkerReport($0) } == report)
    }
    // Whatever pieces the bytes arrive in.
    var ends: [Int32] = [-1, -1]
    #expect(pipe(&ends) == 0)
    var buffer = MessageBuffer()
    var seen: [WorkerRequest] = []
    for byte in writer.bytes {
      _ = withUnsafeBytes(of: byte) { write(ends[1], $0.baseAddress, 1) }
      #expect(buffer.fill(from: ends[0]) == .some)
      while let next = try buffer.next({ (bytes) throws(MalformedBytes) in try WorkerRequest(bytes) }) {
        seen.append(next)
      }
    }
    close(ends[1])
    #expect(buffer.fill(from: ends[0]) == .end)
    close(ends[0])
    #expect(seen == requests)
  }
}
