import ArgumentParser
import Clash
import Dagrun
import Engine
import Executors
import Foundation
import GRDB
import Model
import Presentation
import Storage
import Testing

@testable import CLI

/// What commands make of specs and homes, without a cloud.
@Suite struct JobContextTests {
  private func spec(_ text: String, _ options: [String]) async throws -> JobSpec {
    let folder = try TestFolder()
    let path = folder.path + "/spec.yaml"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return try await JobOptions.parse(["--spec", path] + options).jobSpec(in: TestSession().session) { "gcloud's" }
  }

  @Test func `options complete a spec`() async throws {
    let text = "job: {zones: [europe-west1-c]}\ncommand: [echo, hello]\n"
    let whole = try await spec(text, ["--project", "p", "--image", "i"])
    #expect(whole.config.project == "p" && whole.config.image == "i" && whole.config.zones == ["europe-west1-c"])
    #expect(whole.command == .arguments(["echo", "hello"]))
    #expect(try await spec(text, ["--image", "i"]).config.project == "gcloud's")
    #expect(try await spec("command: [echo]", ["--image", "i", "--project", "p"]).config.image == "i")
    #expect(try await spec("{\"job\": {\"project\": \"own\"}}", ["--image", "i"]).config.project == "own")
  }

  @Test func `a spec without an image is refused where no option names one`() async throws {
    let folder = try TestFolder()
    let session = TestSession()
    session.workingDirectory = folder.path
    let path = folder.path + "/spec.json"
    try #"{"job": {"project": "demo"}}"#.write(toFile: path, atomically: true, encoding: .utf8)
    let status = await session.run("job", "run", "--spec", path)
    #expect(status == .wrongUsage)
    #expect(session.errors.contains("spec.json names no image") && session.errors.contains("--image"))
  }

  @Test func `a job of another version hides no other one, and is named`() async throws {
    let folder = try TestFolder()
    let home = Home(path: folder.path + "/home")
    try home.make()
    let journal = try JobStore(path: home.databasePath)
    for name in ["first", "second"] {
      let spec = JobSpec(config: JobConfig(project: "demo", image: "debian"), command: .image)
      let request = JobRequest(name: name, spec: spec, origin: JobOrigin(homeID: try journal.homeID()))
      try journal.save([Job(request, at: Timestamp(Date())).record()])
    }
    try await DatabaseQueue(path: home.databasePath).write {
      try $0.execute(sql: "UPDATE job SET request = '{\"future\": true}' WHERE name = 'second'")
    }
    let session = TestSession()
    session.workingDirectory = folder.path
    #expect(await session.run("job", "list", "--home", home.path, "-o", "plain") == .success)
    #expect(session.output.contains("first") && session.output.contains("second"), "\(session.output)")
    #expect(session.errors.contains("kept state of job second") && session.errors.contains("dagrun job gc"))
    #expect(try journal.unfinishedJobs().filter { (try? $0.decodedRequest()) != nil }.map(\.name) == ["first"])

    let asked = TestSession()
    asked.workingDirectory = folder.path
    #expect(await asked.run("job", "cancel", "second", "--home", home.path) == .unavailable)
    #expect(asked.errors.contains("kept state of job second"), "\(asked.errors)")
  }

  @Test(arguments: [(nil, 90.0), ("", 90), ("7", 7), ("0.5", 0.5), ("0", nil)] as [(String?, Double?)])
  func `jobs are remembered as long as the environment says`(text: String?, days: Double?) throws {
    #expect(try JobContext.retention(text.map { ["DAGRUN_JOB_RETENTION_DAYS": $0] } ?? [:]).days == days)
  }

  @Test func `a time to remember that is none is refused`() {
    #expect(throws: UserError.self) { try JobContext.retention(["DAGRUN_JOB_RETENTION_DAYS": "soon"]) }
  }

  @Test func `forgotten jobs take their logs along`() throws {
    let folder = try TestFolder()
    let home = Home(path: folder.path + "/home")
    try home.make()
    let store = try JobStore(path: home.databasePath)
    let old = Timestamp(Date()).adding(seconds: -100 * 86_400)
    for (name, isFinished) in [("old", true), ("alive", false)] {
      try store.save([
        JobRecord(
          name: name, project: "p", task: nil, isDetached: false, phase: "x", isFinished: isFinished,
          submittedAt: old, finishedAt: isFinished ? old : nil, request: "{}", state: "{}")
      ])
      try FileManager.default.createDirectory(atPath: home.jobsPath, withIntermediateDirectories: true)
      _ = FileManager.default.createFile(atPath: home.logPath(ofJob: name), contents: Data("log".utf8))
    }
    #expect(try JobRetention().forgetJobs(of: home, in: store) == 1)
    #expect(try store.listJobs().map(\.name) == ["alive"])
    #expect(!FileManager.default.fileExists(atPath: home.logPath(ofJob: "old")))
    #expect(FileManager.default.fileExists(atPath: home.logPath(ofJob: "alive")))
    #expect(try JobRetention(days: nil).forgetJobs(of: home, in: store) == 0)
  }
}
