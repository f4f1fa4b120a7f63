import Dispatch
import Foundation
import Synchronization
import Testing

@testable import Processes

@Suite(.timeLimit(.minutes(1))) struct FolderEventsTests {
  private let folder = FileManager.default.temporaryDirectory.path + "/dagrun-events-\(UUID().uuidString)"

  init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

  /// The names of files that were told of, until the last of them.
  private func names(_ kind: FolderEvents.Kind, until last: String, _ body: () throws -> Void) async throws -> Set<
    String
  > {
    let (told, continuation) = AsyncStream.makeStream(of: Set<String>?.self)
    let events = try FolderEvents(folder, kind, queue: DispatchQueue(label: "test")) { continuation.yield($0) }
    defer { withExtendedLifetime(events) {} }
    try body()
    var all: Set<String> = []
    for await names in told {
      all.formUnion(names ?? [])
      if all.contains(last) { return all }
    }
    return all
  }

  @Test func `files that are there in full are named, whoever writes them`() async throws {
    let unfinished = open(folder + "/unfinished", O_WRONLY | O_CREAT, 0o600)
    defer { close(unfinished) }
    let names = try await names(.completed, until: "last") {
      #expect(write(unfinished, "more", 4) == 4)
      #expect(FileManager.default.createFile(atPath: folder + "/empty", contents: nil))
      try Data("text".utf8).write(to: URL(filePath: folder + "/renamed"), options: .atomic)
      #expect(rename(folder + "/empty", folder + "/last") == 0)
    }
    #expect(names.isSuperset(of: ["empty", "renamed", "last"]) && !names.contains("unfinished"))
    try FileManager.default.removeItem(atPath: folder)
  }

  @Test func `each write is reported where that is asked for`() async throws {
    let file = open(folder + "/log", O_WRONLY | O_CREAT, 0o600)
    defer { close(file) }
    let names = try await names(.modified, until: "log") { #expect(write(file, "more", 4) == 4) }
    #expect(names == ["log"])
    try FileManager.default.removeItem(atPath: folder)
  }

  @Test func `without a watch it calls from time to time, for any file`() async {
    let (told, continuation) = AsyncStream.makeStream(of: Set<String>?.self)
    let events = FolderEvents(lookingEvery: 0.01, queue: DispatchQueue(label: "test")) { continuation.yield($0) }
    var calls = 0
    for await names in told where names == nil {
      calls += 1
      if calls == 2 { break }
    }
    withExtendedLifetime(events) {}
    #expect(calls == 2)
  }

  @Test func `a folder that is not there is an error`() {
    #expect(throws: SystemError.self) {
      try FolderEvents(folder + "/none", .completed, queue: DispatchQueue(label: "test")) { _ in }
    }
  }
}
