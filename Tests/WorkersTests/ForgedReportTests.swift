import Foundation
import FuzzSupport
import Model
import Preparation
import Processes
import Testing

@testable import Workers

/// User code runs in a worker's process: it can write to the worker's descriptors, and to its journal.
@Suite struct `Forged reports and journals` {
  private let id = TryKey(run: 1, taskID: "a", number: 2)

  private func report(_ result: TaskResult) -> WorkerReport? {
    var writer = ByteWriter()
    WorkerReport.finished(id, result, isLast: false).append(to: &writer)
    return writer.bytes.withUnsafeBytes { bytes in
      try? WorkerReport(UnsafeRawBufferPointer(rebasing: bytes[4...]))
    }
  }

  private func journal(_ result: TaskResult) -> WorkerJournal? {
    var writer = ByteWriter()
    JournalRecord.worker(.current, bootID: "boot").append(to: &writer)
    JournalRecord.started(id).append(to: &writer)
    JournalRecord.finished(result).append(to: &writer)
    return WorkerJournal(writer.bytes)
  }

  private func result(_ change: (inout TaskResult) -> Void) -> TaskResult {
    var result = TaskResult(
      .success, output: "1", usage: Usage(cpuSeconds: 1, peakMemoryBytes: 1), startDate: at(1), endDate: at(2))
    change(&result)
    return result
  }

  @Test func `are taken only with what a worker can say`() {
    #expect(report(result { _ in }) != nil && journal(result { _ in })?.last?.result != nil)
    let forged: [TaskResult] =
      [Double.nan, .infinity, -2, -0.5, 1e300].map { value in result { $0.usage.cpuSeconds = value } }
      + [Int64.min, -2].map { value in result { $0.usage.peakMemoryBytes = value } }
      + ["", "{", "nan", "1 2", "\"\n\"", "[1,]", "{\"a\"}", String(repeating: "[", count: 100_000)].map { text in
        result { $0.output = text }
      } + [
        result { $0.outcome = .failed(reason: String(repeating: "x", count: 1 << 20)) },
        result { $0.outcome = .skipped(reason: String(repeating: "x", count: 1 << 20)) },
      ]
    for forgery in forged {
      #expect(report(forgery) == nil, "\(String("\(forgery)".prefix(200)))")
      #expect(journal(forgery)?.last == .init(id), "\(String("\(forgery)".prefix(200)))")
    }
  }

  @Test func `end as a try can end, and wait for nothing`() throws {
    var message = ByteWriter()
    WorkerReport.finished(id, result { _ in }, isLast: false).append(to: &message)
    // Behind the length, the kind, the run, the task's id, the try, the map index, the member, the role, and `isLast`.
    let place = 4 + 1 + 8 + (4 + 1) + 4 + 4 + 4 + 1 + 1
    #expect(message.bytes[place] == 0)
    for outcome in UInt8(4)...255 {
      var forged = message.bytes
      forged[place] = outcome
      #expect(throws: MalformedBytes.self) { try forged.dropFirst(4).withUnsafeBytes { try WorkerReport($0) } }
    }
  }

  @Test func `have no larger output than an output may be`() {
    #expect(
      report(result { $0.output = "\"" + String(repeating: "x", count: TaskResult.outputLimitBytes) + "\"" }) == nil)
  }

  @Test func `have dates near those of their try`() {
    let day: Int64 = 86_400_000_000
    for start in FuzzSource.integers.map(Int64.init) {
      for end in FuzzSource.integers.map(Int64.init) {
        let forged = result {
          $0.startDate = at(start)
          $0.endDate = at(end)
        }
        let taken = forged.clampingDates(from: at(5 * day), to: at(6 * day))
        let near = at(4 * day)...at(7 * day)
        #expect(taken.startDate.map(near.contains) == true && taken.endDate.map(near.contains) == true)
        _ = forged.clampingDates(from: at(start), to: at(end))
      }
    }
    let honest = result {
      $0.startDate = at(5 * day + 1)
      $0.endDate = at(5 * day + 2)
    }
    #expect(honest.clampingDates(from: at(5 * day), to: at(6 * day)) == honest)
  }

  @Test func `name no process that is none`() {
    for pid in [Int32.min, -1, 0] {
      var writer = ByteWriter()
      JournalRecord.worker(.current, bootID: "boot").append(to: &writer)
      JournalRecord.started(id).append(to: &writer)
      JournalRecord.process(ProcessIdentity(pid: pid, startTime: 1)).append(to: &writer)
      #expect(WorkerJournal(writer.bytes)?.last == .init(id))
    }
  }

  @Test func `are JSON exactly where Foundation says so`() {
    var fuzz = FuzzSource("JSON texts")
    let seeds = [
      #"{"a":[1,-2.5e+3,"ü\u00e9\n",true,false,null,{}],"b":{"c":[]}}"#, "0", "-0", "1e5", "[]", "{}", #""x""#,
      " [ 1 , 2 ] ",
      "01", "1.", ".5", "+1", "[1,]", "{,}", #"{"a":1,}"#, #"{"a" 1}"#, "nul", "truex", "[", "]", "[}", #"{"a":}"#,
      "--1",
      #""\x""#, #""\u12g4""#, "",
    ]
    for seed in seeds { compare(seed) }
    for _ in 0..<FuzzSource.rounds(usual: 3_000) {
      compare(String(decoding: fuzz.mutate(Array(seeds.randomElement(using: &fuzz)!.utf8)), as: UTF8.self))
    }
  }

  private func compare(_ text: String) {
    // What Foundation takes beyond the standard, or refuses though JSON has it: escapes of half a character.
    if text.contains("\\u") || text.contains("\u{feff}") || text.contains("\0") { return }
    let theirs = (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) != nil
    // Foundation takes a comma too many.
    if theirs, text.contains(try! Regex(#",\s*[}\]]"#)) { return }
    // A number that no Double holds is JSON, but not for Foundation.
    if !theirs, text.utf8.contains(where: { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }) { return }
    #expect(JSONText.isValid(text) == theirs, "\(text.debugDescription)")
  }

  @Test func `of random bytes stop nobody`() throws {
    var fuzz = FuzzSource("reports and journals")
    var message = ByteWriter()
    WorkerReport.finished(id, result { $0.output = #"{"a":[1,2]}"# }, isLast: false).append(to: &message)
    var runContext = ByteWriter()
    WorkerRequest.start(
      TryAssignment(
        TaskWorkload(id, work: .bash(script: "x", environment: ["A": "1"], workingDirectory: "/")), graceSeconds: 1)
    ).append(to: &runContext)
    var journal = ByteWriter()
    JournalRecord.worker(.current, bootID: "boot").append(to: &journal)
    JournalRecord.started(id).append(to: &journal)
    JournalRecord.finished(result { _ in }).append(to: &journal)
    for _ in 0..<FuzzSource.rounds(usual: 1_500) {
      fuzz.mutate(Array(message.bytes[4...])).withUnsafeBytes { bytes in
        if case .finished(_, let taken, _)? = try? WorkerReport(bytes) {
          #expect(taken.usage.cpuSeconds ?? 0 >= 0 && taken.usage.peakMemoryBytes ?? 0 >= 0)
        }
      }
      fuzz.mutate(Array(runContext.bytes[4...])).withUnsafeBytes { _ = try? WorkerRequest($0) }
      _ = WorkerJournal(fuzz.mutate(journal.bytes))
      let body = fuzz.mutate(Array(message.bytes[5...]))
      body.withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        _ = try? reader.tryKey()
        _ = try? reader.taskResult()
        _ = try? reader.tryAssignment()
      }
    }
  }

  @Test func `of a length that makes no sense are not waited for`() throws {
    var ends: [Int32] = [-1, -1]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    defer { for end in ends { close(end) } }
    #expect(write(ends[1], [UInt8](repeating: 0xff, count: 8), 8) == 8)
    var buffer = MessageBuffer(limitBytes: 1_000)
    #expect(buffer.fill(from: ends[0]) == .some)
    #expect(throws: MalformedBytes.self) { try buffer.next { _ in } }
  }
}
