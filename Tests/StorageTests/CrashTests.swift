import Dagrun
import Foundation
import Model
import Scheduling
import Storage
import Testing

/// The files as a crash leaves them, cut at every length the log can have: what comes back is the batches that were
/// committed, each whole, and none of the one that was being written.
struct CrashTests {
  @Test func `a log cut anywhere holds the batches before the cut, whole`() throws {
    let folder = Folder()
    var store = try Store(path: folder.database)
    try store.add(tasks: ["extract", "load"])
    try store.commit([.runCreated(RunSnapshot(run: run(1), tasks: [task("extract"), task("load")]))])
    // Into the database file, so that the log begins anew.
    try store.close()
    store = try Store(path: folder.database)
    let database = try #require(FileManager.default.contents(atPath: folder.database))

    // Each batch changes several tables. `lengths[n]` is what the log had grown to after n of them.
    let batches: [[Change]] = [
      [.taskChanged(launching(key("extract"))), .taskChanged(launching(key("load")))],
      [.taskChanged(finishing(key("extract"))), .outputStored(key("extract"), json: "1")],
      [
        .taskChanged(finishing(key("load"), as: .upForRetry)),
        .runCreated(RunSnapshot(run: run(2), tasks: (0..<100).map { task("task_\($0)") })),
      ],
      [.taskChanged(launching(key("load"), from: .upForRetry, tryNumber: 2))],
    ]
    var lengths = [0]
    var states: [[RunSnapshot]] = [try store.snapshot().runs]
    for batch in batches {
      try store.commit(batch)
      lengths.append(try frames(of: folder.database + "-wal"))
      states.append(try store.snapshot().runs)
    }
    let log = try #require(FileManager.default.contents(atPath: folder.database + "-wal"))

    let frame = 4096 + 24
    var cuts = Array(stride(from: 0, through: log.count, by: 1500)) + lengths + [log.count]
    cuts += lengths.flatMap { [max(0, $0 - 1), $0 + 1, $0 + frame / 2] }
    for cut in cuts where cut <= log.count {
      let crashed = Folder(inMemory: true)
      try database.write(to: URL(fileURLWithPath: crashed.database))
      try log.prefix(cut).write(to: URL(fileURLWithPath: crashed.database + "-wal"))
      let restored = try Store(path: crashed.database)
      let survivors = lengths.lastIndex { $0 <= cut } ?? 0
      #expect(try restored.snapshot().runs == states[survivors], "cut at \(cut) of \(log.count)")
      if cut.isMultiple(of: 9000) { #expect(try restored.check().isEmpty) }
    }
  }

  /// The bytes of the log that belong to its present generation: the log file is not cut when it starts anew.
  private func frames(of log: String) throws -> Int {
    let bytes = [UInt8](try #require(FileManager.default.contents(atPath: log)))
    let salts = Array(bytes[16..<24])
    var end = 32
    while end + 4120 <= bytes.count, Array(bytes[end + 8..<end + 16]) == salts { end += 4120 }
    return end
  }
}
