import Dagrun
import Dispatch
import Foundation
import Model
import Scheduling
import Testing

@testable import Storage

/// Commands read, back up and set variables while a scheduler writes.
struct ConcurrencyTests {
  let folder = Folder()
  let store: Store

  init() throws {
    store = try Store(path: folder.database)
    try store.add(tasks: ["extract", "load"])
  }

  /// One batch makes a run and its output, so that a reader who sees half of it is found out.
  private func batch(_ number: Int64) -> [Change] {
    [
      .runCreated(RunSnapshot(run: run(number), tasks: [task("extract"), task("load")])),
      .outputStored(key("extract", run: number), json: "\(number)"),
    ]
  }

  /// Commits batches in another thread until `body` has returned.
  private func whileCommitting(_ body: () throws -> Void) throws {
    let store = store
    let batches = (1...20_000).map { batch(Int64($0)) }
    let isOver = Flag()
    let writer = DispatchQueue(label: "writer")
    writer.async {
      for batch in batches where !isOver.value { try! store.commit(batch) }
    }
    defer {
      isOver.raise()
      writer.sync {}
    }
    try body()
  }

  @Test func `a reader sees whole batches, and more of them each time`() throws {
    let reader = try StoreReader(path: folder.database)
    var seen = 0
    try whileCommitting {
      while seen < 50 {
        let counts = try reader.info().counts
        #expect(counts.taskInstances == 2 * counts.runs)
        #expect(counts.outputs == counts.runs)
        #expect(counts.runs >= seen)
        seen = counts.runs
      }
    }
    #expect(throws: StoreError.self) { try reader.run("DELETE FROM xcom") }
  }

  @Test func `a backup taken while a scheduler writes is a whole database`() throws {
    let target = folder.file("backup.db")
    try whileCommitting {
      while try store.info().counts.runs < 20 {}
      try StoreReader(path: folder.database).backup(to: target)
    }
    let backup = try Store(path: target)
    let counts = try backup.info().counts
    #expect(counts.runs >= 20)
    #expect(counts.taskInstances == 2 * counts.runs && counts.outputs == counts.runs)
    #expect(try backup.check().isEmpty)
    #expect(try backup.snapshot().runs.count == counts.runs)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.contains("partial") } == [])
  }

  @Test func `a backup does not overwrite a file, and says when it cannot write`() throws {
    let error = #expect(throws: StoreError.self) { try store.backup(to: folder.database) }
    #expect(error?.code == .invalidArgument)
    let nowhere = #expect(throws: StoreError.self) { try store.backup(to: folder.file("none/backup.db")) }
    #expect(nowhere?.problem.contains("none/backup.db") == true)
  }

  @Test func `a variable can be set while a scheduler writes`() throws {
    try whileCommitting {
      for number in 1...5 {
        try Store(path: folder.database).setVariable(Variable(key: "a", value: "\(number)"))
      }
    }
    #expect(try store.variableValues() == ["a": "5"])
  }

  @Test func `a database that several processes make at once is made once`() throws {
    for round in 0..<20 {
      let path = folder.file("new\(round).db")
      DispatchQueue.concurrentPerform(iterations: 4) { number in
        #expect(throws: Never.self) {
          try Store(path: path).setVariable(Variable(key: "\(number)", value: ""))
        }
      }
      #expect(try StoreReader(path: path).variables().count == 4)
    }
  }

  @Test func `the log does not grow without end`() throws {
    for number in 1...400 { try store.commit(batch(Int64(number))) }
    let log = try FileManager.default.attributesOfItem(atPath: folder.database + "-wal")[.size] as? Int
    #expect(try #require(log) < 6 << 20)
    try store.close()
    #expect(!FileManager.default.fileExists(atPath: folder.database + "-wal"))
  }
}

/// Raised by one thread, seen by another.
private final class Flag: @unchecked Sendable {
  private let lock = NSLock()
  private var raised = false

  var value: Bool { lock.withLock { raised } }

  func raise() { lock.withLock { raised = true } }
}
