import Dagrun
import Foundation
import Model
import Testing

@testable import Clash
@testable import JobControl

@Suite struct CancelRequestFileTests {
  private let world: JobWorld
  private let file: CancelRequestFile

  init() throws {
    world = try JobWorld()
    file = CancelRequestFile(job: "train", folder: world.repository.folder)
  }

  private func job(submittedAt microseconds: Int64) -> JobRecord {
    JobRecord(
      name: "train", project: "p", task: nil, isDetached: false, phase: "running", isFinished: false,
      submittedAt: Timestamp(microseconds: microseconds), finishedAt: nil, request: "{}", state: "{}")
  }

  private func writeAsBefore() {
    _ = FileManager.default.createFile(atPath: world.home + "/jobs/train.cancel", contents: nil)
  }

  @Test func `a request is for one job of the name, until it is removed`() throws {
    #expect(!file.isFor(job(submittedAt: 1)))
    try file.write(for: job(submittedAt: 1))
    try file.write(for: job(submittedAt: 1))
    #expect(file.isFor(job(submittedAt: 1)))
    #expect(!file.isFor(job(submittedAt: 2)) && !file.isFor(nil))
    #expect(try FileManager.default.contentsOfDirectory(atPath: world.home + "/jobs") == ["train.cancel"])
    file.removeUnlessFor(job(submittedAt: 1))
    #expect(world.exists("train.cancel"))
    file.remove()
    #expect(!file.isFor(job(submittedAt: 1)))
  }

  @Test func `a request for an earlier job of the name goes before the next one is driven`() throws {
    try file.write(for: job(submittedAt: 1))
    file.removeUnlessFor(job(submittedAt: 2))
    #expect(!world.exists("train.cancel"))
    try file.write(for: job(submittedAt: 1))
    file.removeUnlessFor(nil)
    #expect(!world.exists("train.cancel"))
  }

  @Test func `an empty request, of an older dagrun, is for whatever is driven when it comes`() throws {
    writeAsBefore()
    #expect(file.isFor(job(submittedAt: 1)) && file.isFor(nil))
    file.removeUnlessFor(job(submittedAt: 1))
    #expect(!world.exists("train.cancel"))
  }

  @Test(arguments: [("train.cancel", "train"), ("train.lock", nil), ("train.cancel.77", nil)] as [(String, String?)])
  func `the name of a request's file says for which job it is`(name: String, job: String?) {
    #expect(CancelRequestFile.job(ofFile: name) == job)
  }

  @Test func `what cannot be written is an error`() throws {
    let file = CancelRequestFile(job: "train", folder: world.home + "/nowhere")
    #expect(throws: (any Error).self) { try file.write(for: job(submittedAt: 1)) }
  }
}
