import Foundation
import Testing

@testable import Clash

struct JobLockTests {
  let folder = TestFolder()

  @Test func `one at a time drives a job`() throws {
    let path = folder.path + "/jobs"
    #expect(!JobLock.isHeld(job: "train", folder: path))
    var lock: JobLock? = try JobLock(job: "train", folder: path)
    #expect(JobLock.isHeld(job: "train", folder: path))
    #expect(JobLock.holder(job: "train", folder: path) == ProcessInfo.processInfo.processIdentifier)
    let error = #expect(throws: JobLock.Refusal.self) { try JobLock(job: "train", folder: path) }
    #expect(error?.reason == .held)
    #expect(!JobLock.isHeld(job: "other", folder: path))
    _ = lock
    lock = nil
    #expect(!JobLock.isHeld(job: "train", folder: path))
    #expect(JobLock.holder(job: "train", folder: path) == nil)
    #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
    _ = try JobLock(job: "train", folder: path)
  }

  @Test func `a file that a crash has left is not a lock`() throws {
    try Data("99999".utf8).write(to: URL(fileURLWithPath: folder.path + "/train.lock"))
    #expect(!JobLock.isHeld(job: "train", folder: folder.path))
    #expect(JobLock.holder(job: "train", folder: folder.path) == nil)
    _ = try JobLock(job: "train", folder: folder.path)
  }

  @Test func `a folder that cannot be made is named`() throws {
    try Data().write(to: URL(fileURLWithPath: folder.path + "/file"))
    let error = #expect(throws: JobLock.Refusal.self) { try JobLock(job: "train", folder: folder.path + "/file/jobs") }
    #expect(error?.reason == .unavailable)
  }
}
