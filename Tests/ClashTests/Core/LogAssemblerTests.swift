import Foundation
import Testing

@testable import Clash

@Suite final class LogAssemblerTests {
  private var log = LogAssembler()
  private var file = ""

  private func add(_ text: String, at offset: Int, boot: String = "A", attempt: Int = 1) -> [String] {
    write(log.add(Array(text.utf8), offset: offset, attempt: attempt, boot: boot, ackID: "\(boot)\(offset)"))
  }

  private func write(_ progress: LogAssembler.Progress) -> [String] {
    #expect(progress.at == file.utf8.count)
    file += String(decoding: progress.bytes, as: UTF8.self)
    return progress.settled
  }

  @Test func `parts in any order make one log, each byte once`() {
    #expect(add("cd", at: 2) == [])
    #expect(add("ef", at: 4) == [])
    #expect(add("ab", at: 0) == ["A0", "A2", "A4"])
    #expect(add("cd", at: 2) == ["A2"])
    #expect(add("efgh", at: 4) == ["A4"])
    #expect(file == "abcdefgh")
    #expect(!log.isIncomplete)
  }

  @Test func `the tail of a result closes the gap that it covers`() {
    #expect(add("ab", at: 0) == ["A0"])
    _ = write(log.end(attempt: 1, boot: "A", total: 6, tail: Array("bcdef".utf8)))
    #expect(file == "abcdef")
    #expect(!log.isIncomplete)
  }

  @Test func `a gap does not hold more in memory than there is room for`() {
    log.mostHeldBytes = 4
    #expect(add("cd", at: 2) == [])
    #expect(add("ef", at: 4) == [])
    #expect(add("gh\n", at: 6) == ["A2", "A4", "A6"])
    #expect(file == "[dagrun: 2 bytes of the log missing here]\ncdefgh\n")
    #expect(add("ij\n", at: 9) == ["A9"])
    #expect(add("ab", at: 0) == ["A0"], "too late")
    #expect(file.hasSuffix("cdefgh\nij\n"))
  }

  @Test func `what is missing is marked with its length`() {
    _ = add("ab", at: 0)
    _ = add("ef\n", at: 4)
    _ = write(log.end(attempt: 1, boot: "A", total: 12, tail: Array("z\n".utf8)))
    #expect(log.isIncomplete)
    #expect(file == "ab")
    #expect(write(log.close()) == ["A4"])
    #expect(
      file == "ab\n[dagrun: 2 bytes of the log missing here]\nef\n[dagrun: 3 bytes of the log missing here]\nz\n")
    #expect(!log.isIncomplete)
  }

  @Test func `a log that is all missing is said to be`() {
    _ = write(log.end(attempt: 1, boot: "A", total: 1, tail: []))
    _ = write(log.close())
    #expect(file == "[dagrun: 1 byte of the log missing here]\n")
  }

  @Test func `each boot has its own offsets`() {
    _ = add("first\n", at: 0)
    _ = add("second\n", at: 0, boot: "B")
    _ = add("other\n", at: 0, boot: "A", attempt: 2)
    #expect(file == "first\nsecond\nother\n")
    #expect(log.boots(ofAttempt: 1) == 2)
  }

  @Test func `the journal keeps what is written and the tail, not parts that wait`() throws {
    _ = add("ab", at: 0)
    _ = add("ef", at: 4)
    _ = write(log.end(attempt: 1, boot: "A", total: 8, tail: Array("gh".utf8)))
    let kept = try JSONDecoder().decode(LogAssembler.self, from: JSONEncoder().encode(log))
    #expect(kept == log)
    log = kept
    #expect(add("cd", at: 2) == ["A2"])
    #expect(add("ef", at: 4) == ["A4"])
    #expect(file == "abcdefgh")
  }
}
