import Dispatch
import Foundation
import Testing

@testable import Engine

@Suite struct `Watching the DAG files` {
  @Test(arguments: ["new.swift", "folder/main.swift"])
  func `reports a file that was written`(file: String) async throws {
    let folder = NSTemporaryDirectory() + "dagrun-watch-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let queue = DispatchQueue(label: "test")
    let path = folder + "/" + file
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    let (changes, report) = AsyncStream.makeStream(of: Void.self)
    let watcher = try queue.sync { try FolderWatcher(folder, queue: queue) { report.yield() } }
    try Data("x".utf8).write(to: URL(fileURLWithPath: path))
    var iterator = changes.makeAsyncIterator()
    #expect(await iterator.next() != nil)
    _ = consume watcher
  }
}
