import Foundation
import Presentation
import Testing

@testable import CLI

@Suite struct TryLogTailTests {
  @Test func `the logs of a group's jobs are told apart, and nothing is printed twice`() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/try-log-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func write(_ text: String, _ name: String) throws {
      try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    }
    var log = TryLogTail(path: folder + "/attempt=1.log")
    #expect(log.rest(isRunning: true) == "")
    try write("of another try\n", "attempt=10.job=1.log")
    try write("two", "attempt=1.job=2.log")
    #expect(log.rest(isRunning: true) == "[dagrun] job 2:\ntwo")
    try write("one\n", "attempt=1.job=1.log")
    try write("two and\n", "attempt=1.job=2.log")
    #expect(log.rest(isRunning: true) == "\n[dagrun] job 1:\none\n[dagrun] job 2:\n and\n")
    #expect(log.rest(isRunning: false) == "")
    try write("the try's\n", "attempt=1.log")
    #expect(log.rest(isRunning: false) == "the try's\n")
  }

  @Test func `a long log comes in parts of bounded size, and whole`() throws {
    let path = FileManager.default.temporaryDirectory.path + "/growing-log-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    // Characters of three bytes do not end where a part does.
    for text in [String(repeating: "漢字é\n", count: 500_000), String(repeating: "漢", count: 2_000_000)] {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      for isRunning in [true, false] {
        var log = LogTail(path: path)
        var parts: [String] = []
        log.read(isRunning: isRunning) { parts.append($0) }
        #expect(parts.count > 4)
        #expect(parts.allSatisfy { $0.utf8.count <= 1 << 20 })
        // Not `==`: a failure would print megabytes.
        #expect(parts.joined().elementsEqual(text) == true)
      }
    }
  }

  @Test func `a growing log comes up to its last whole character`() throws {
    let path = FileManager.default.temporaryDirectory.path + "/growing-log-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    var log = LogTail(path: path)
    for (bytes, text) in [(Array("né".utf8), "né"), (Array("né漢".utf8.dropLast()), ""), (Array("né漢字".utf8), "漢字")] {
      try Data(bytes).write(to: URL(filePath: path))
      #expect(log.rest(isRunning: true) == text)
    }
  }
}
