import Dagrun
import Dispatch
import Foundation
import Glibc
import Model
import Synchronization
import Testing

@testable import Control

@Suite struct `The control socket` {
  let queue = DispatchQueue(label: "test")

  /// A server that answers pings with its own status and follows with three reports.
  func serve(_ home: Home) throws -> ControlServer {
    try queue.sync {
      try ControlServer(home: home, queue: queue) { request, connection in
        switch request {
        case .ping: connection.reply(.status(status))
        case .follow(let run):
          for number in 1...3 { connection.reply(.progress(progress(run: run, number: number, isFinal: number == 3))) }
        default: connection.reply(.refused(ControlError(.invalid, "no")))
        }
      }
    }
  }

  var status: SchedulerStatus {
    SchedulerStatus(pid: 7, version: "1", startedAt: .init(microseconds: 5), runningTasks: 1, unfinishedRuns: 2)
  }

  func progress(run: Int64, number: Int, isFinal: Bool) -> RunProgress {
    let run = RunSummary(
      .init(
        number: run, dagID: "d", runID: "r", type: .manual, state: .running, logicalDate: nil, dataInterval: nil,
        runAfter: .init(microseconds: 0), queuedAt: .init(microseconds: 0), conf: "{}", version: "v"))
    return RunProgress(run: run, moved: [], counts: ["running": number], isFinal: isFinal)
  }

  @Test(arguments: ["home", "a home with spaces and ümläuts ✓", String(repeating: "long/", count: 60) + "home"])
  func `answers, whatever the path of the home`(name: String) async throws {
    try await withTemporaryHome(name) { home in
      let server = try serve(home)
      defer { queue.sync { server.stop() } }
      let control = try #require(SocketControl(home))
      #expect(try await control.send(.ping) == .status(status))
    }
  }

  @Test func `throws a refusal`() async throws {
    try await withTemporaryHome { home in
      let server = try serve(home)
      defer { queue.sync { server.stop() } }
      let control = try #require(SocketControl(home))
      await #expect(throws: ControlError(.invalid, "no")) { try await control.send(.reload) }
    }
  }

  @Test func `follows a run to its last report`() async throws {
    try await withTemporaryHome { home in
      let server = try serve(home)
      defer { queue.sync { server.stop() } }
      let control = try #require(SocketControl(home))
      var counts: [Int?] = []
      for try await report in control.follow(run: 9) { counts.append(report.counts["running"]) }
      #expect(counts == [1, 2, 3])
    }
  }

  /// What has been asked may have been done: it is not asked for again.
  @Test(arguments: ["{\"status\"", "", "no JSON\n", "{\"unheard of\":{}}\n", "\n", "\u{0}\n", "[1]\n"])
  func `an answer that breaks off or cannot be read is told in words`(answer: String) async throws {
    try await withTemporaryHome { home in
      let listener = try ControlSocket.listen(in: home)
      defer { close(listener) }
      let asked = Mutex(0)
      let server = Thread {
        while true {
          let connection = accept(listener, nil, nil)
          guard connection >= 0 else { return }
          var byte: UInt8 = 0
          var hasAsked = false
          while byte != UInt8(ascii: "\n"), read(connection, &byte, 1) == 1 { hasAsked = true }
          if hasAsked {
            asked.withLock { $0 += 1 }
            _ = Array(answer.utf8).withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
          }
          close(connection)
        }
      }
      server.start()
      defer { shutdown(listener, Int32(SHUT_RDWR)) }
      let control = try #require(SocketControl(home))
      let refusal = await #expect(throws: ControlError.self) { try await control.send(.ping) }
      #expect(refusal?.kind == (answer.isEmpty ? .gone : .unavailable), "\(refusal?.message ?? "")")
      #expect(asked.withLock { $0 } == 1)
    }
  }

  @Test func `is its owner's only`() async throws {
    try await withTemporaryHome { home in
      let server = try serve(home)
      defer { queue.sync { server.stop() } }
      let attributes = try FileManager.default.attributesOfItem(atPath: home.socketPath)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
  }

  @Test func `is not there when nobody listens`() async throws {
    try await withTemporaryHome { home in
      #expect(SocketControl(home) == nil)
      // A file that a dead scheduler left.
      let server = try serve(home)
      try FileManager.default.linkItem(atPath: home.socketPath, toPath: home.path + "/kept")
      queue.sync { server.stop() }
      try FileManager.default.moveItem(atPath: home.path + "/kept", toPath: home.socketPath)
      // Dispatch closes what it has listened to when it likes.
      for _ in 0..<1000 where SocketControl(home) != nil { try await Task.sleep(for: .milliseconds(10)) }
      #expect(SocketControl(home) == nil)
      // And the next scheduler takes its place.
      let next = try serve(home)
      defer { queue.sync { next.stop() } }
      #expect(SocketControl(home) != nil)
    }
  }

  @Test(arguments: [1, 7, 4096]) func `lines are found by looking at each byte once`(partBytes: Int) throws {
    var buffer = LineBuffer(limitBytes: 100_000)
    let text = Array((String(repeating: "x", count: 90_000) + "\n\nshort\nrest").utf8)
    var lines: [String] = []
    var looked = 0
    for start in stride(from: 0, to: text.count, by: partBytes) {
      buffer.append(text[start..<min(start + partBytes, text.count)])
      let before = buffer.searched
      while let line = try buffer.next() { lines.append(String(decoding: line, as: UTF8.self)) }
      looked += max(0, buffer.searched - before)
    }
    #expect(lines.map(\.count) == [90_000, 0, 5])
    #expect(looked <= text.count)
    #expect(buffer.isInsideLine)
  }

  @Test func `a line over the limit is refused, whether it ends or not`() throws {
    for ending in ["", "\n"] {
      var buffer = LineBuffer(limitBytes: 10)
      buffer.append(Array((String(repeating: "x", count: 11) + ending).utf8)[...])
      #expect(throws: LineBuffer.TooLong.self) { try buffer.next() }
    }
    var buffer = LineBuffer(limitBytes: 10)
    buffer.append(Array((String(repeating: "x", count: 10) + "\n").utf8)[...])
    #expect(try buffer.next()?.count == 10)
  }

  @Test func `a request that is too long is refused in words, and the next client is answered`() async throws {
    try await withTemporaryHome { home in
      let server = try serve(home)
      defer { queue.sync { server.stop() } }
      let control = try #require(SocketControl(home))
      let conf = String(repeating: "x", count: ControlConnection.requestLimitBytes)
      let refusal = await #expect(throws: ControlError.self) {
        try await control.send(.trigger(dagID: "d", runID: nil, logicalDate: nil, conf: conf))
      }
      #expect(refusal?.kind == .invalid)
      #expect(try await control.send(.ping) == .status(status))
    }
  }

  @Test func `an answer that is too long is refused in its place`() async throws {
    try await withTemporaryHome { home in
      let rows = String(repeating: "x", count: ControlConnection.answerLimitBytes)
      let server = try queue.sync {
        try ControlServer(home: home, queue: queue) { _, connection in connection.reply(.reasons(state: "none", [rows]))
        }
      }
      defer { queue.sync { server.stop() } }
      let control = try #require(SocketControl(home))
      let refusal = await #expect(throws: ControlError.self) { try await control.send(.ping) }
      #expect(refusal?.kind == .invalid)
      #expect(refusal?.message.contains("shorter range") == true)
    }
  }

  @Test func `an answer that breaks off is not asked for again`() async throws {
    try await withTemporaryHome { home in
      let server = try queue.sync {
        try ControlServer(home: home, queue: queue) { _, connection in
          // More than the socket holds, so that only its beginning has gone.
          connection.reply(.reasons(state: "none", [String(repeating: "x", count: 16 << 20)]))
          connection.close()
        }
      }
      defer { queue.sync { server.stop() } }
      let control = try #require(SocketControl(home))
      let refusal = await #expect(throws: ControlError.self) { try await control.send(.ping) }
      #expect(refusal?.kind == .unavailable)
    }
  }
}
