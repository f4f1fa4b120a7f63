import Clash
import CloudEmulator
import Dagrun
import Executors
import Foundation
import GoogleCloud
import Logging
import Model
import Storage
import Synchronization
import Testing
import WaitSupport

@testable import Engine

/// Engines whose jobs go to an emulator in this process, with machines that are scripts: they say what a machine would,
/// by what the task's id begins with.
///
///     ok…      prints the task's id, and hands on "done" for those who ask
///     value…   hands on {"rows": 42}
///     echo…    prints its arguments
///     fail…    ends with status 3
///     wait…    runs until it is told to stop
final class JobHarness: Sendable {
  let emulator: CloudEmulator
  let machines: ScriptedMachines
  private let boots: WatchedState<Int>
  private let session: CloudSession
  private let folder: String

  private init(
    _ emulator: CloudEmulator, _ machines: ScriptedMachines, _ boots: WatchedState<Int>, _ session: CloudSession,
    _ folder: String
  ) {
    (self.emulator, self.machines, self.boots, self.session) = (emulator, machines, boots, session)
    self.folder = folder
  }

  static func with(_ body: (JobHarness) async throws -> Void) async throws {
    let folder = NSTemporaryDirectory() + "dagrun-cloud-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let session = Mutex<CloudSession?>(nil)
    let boots = WatchedState(0)
    let machines = ScriptedMachines { machine in
      boots.withLock { $0 += 1 }
      guard let session = session.withLock(\.self) else { return }
      await run(machine, session)
    }
    var options = EmulatorOptions()
    options.machines = .host { _ in machines }
    let emulator = try await CloudEmulator.start(
      options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    do {
      let environment = emulator.environment.merging(["HOME": folder, "NO_GCE_CHECK": "true"]) { $1 }
      let opened = CloudSession(
        try CloudPlaces(environment: environment), HTTPClient(HTTPClientOptions(environment: environment)),
        CloudEnvironment(environment: environment))
      session.withLock { $0 = opened }
      try await body(JobHarness(emulator, machines, boots, opened, folder))
    } catch {
      await emulator.stop()
      throw error
    }
    await emulator.stop()
  }

  /// A home of its own, with one DAG file whose `machine` is a `JobConfig`.
  func home(_ file: String) throws -> EngineHarness {
    let harness = try EngineHarness([
      "jobs.swift": """
      import Dagrun

      let machine = JobConfig(project: "demo", image: "debian").zones("europe-west1-b")
      \(file)
      """
    ])
    let session = session
    harness.jobAccess = {
      var access = try JobAccess(session, environment: [:])
      try access.options.takeTimings(
        """
        {"firstLookSeconds": 0.05, "longestLookSeconds": 0.2, "graceSeconds": 0.2, "firstBackoffSeconds": 0.05,
        "longestBackoffSeconds": 0.1, "longestRetrySeconds": 0.1, "logGraceSeconds": 0.2, "acknowledgeLimitSeconds": 10}
        """)
      return access
    }
    return harness
  }

  /// Waits until so many machines were ever booted.
  func booted(_ count: Int) async -> [ScriptedMachine] {
    await boots.wait { $0 >= count }
    return machines.machines
  }

  // MARK: What runs on a machine

  private static func run(_ machine: ScriptedMachine, _ session: CloudSession) async {
    guard let text = machine.description.metadata["dagrun-job"],
      let job = try? JSONDecoder().decode(JobRequest.self, from: Data(text.utf8)), let task = job.origin.task
    else { preconditionFailure("the template does not have the request of a task") }
    var log = "\(task.key.taskID) of try \(task.key.number)\n"
    var status = 0
    var output: String?
    let word = job.spec.environment["SCRIPT"] ?? String(task.key.taskID.prefix { $0 != "_" })
    await say(machine, job, session, "started", #"{"startedAt":\#(Date().timeIntervalSince1970)}"#)
    switch word {
    case "wait":
      for await signal in machine.signals {
        if case .preempted = signal { await say(machine, job, session, "preempted", "") }
      }
      return
    case "fail": status = 3
    case "value": output = #"{"rows": 42}"#
    case "echo":
      if case .arguments(let words) = job.spec.command { log = words.joined(separator: " ") + "\n" }
    default: output = "done"
    }
    await say(machine, job, session, "log", log, ["offset": "0"])
    let now = Date().timeIntervalSince1970
    let encoded = output.map { "\"\(Data($0.utf8).base64EncodedString())\"" } ?? "null"
    await say(
      machine, job, session, "result",
      """
      {"status":\(status),"infrastructure":null,"startedAt":\(now),"endedAt":\(now),"logBytes":\(log.utf8.count),
      "logTail":"\(Data(log.utf8).base64EncodedString())","output":\(encoded)}
      """)
  }

  private static func say(
    _ machine: ScriptedMachine, _ job: JobRequest, _ session: CloudSession, _ kind: String, _ data: String,
    _ also: [String: String] = [:]
  ) async {
    let attempt = machine.description.name.dropFirst(job.name.count + 1).prefix { $0 != "-" }
    let attributes = [
      "dagrun": "1", "job": job.name, "attempt": String(attempt), "boot": machine.description.name, "kind": kind,
      "word": machine.description.metadata["dagrun-word"] ?? "",
    ].merging(also) { $1 }
    let client = PubSubClient(project: machine.description.project, transport: session)
    while !Task.isCancelled {
      let message = PubSubMessage(data: Data(data.utf8), attributes: attributes)
      if (try? await client.publish([message], to: job.name)) != nil { return }
    }
  }
}
