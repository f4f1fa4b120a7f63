import Dagrun
import Foundation
import Glibc
import Model
import Preparation
import Processes
import Testing
import WaitSupport
import Workers

/// A worker process of a test, spoken to as the engine does, but waiting.
final class TestWorker {
  let folder: String
  let link: WorkerLink
  private var reports: [WorkerReport] = []
  private let root: String
  /// As the last report says: no other task may run in this worker.
  private(set) var isWorn = false

  init() throws {
    root = NSTemporaryDirectory() + "dagrun-worker-\(UUID().uuidString)"
    folder = root + "/workers/1"
    let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("WorkerFixture").path
    link = try WorkerLink(WorkerProgram(executable: executable), folder: folder)
    try #require(nextReport() == .ready)
    let context = RunContext(
      dagID: "dag", runID: "run 1", logicalDate: Timestamp(microseconds: 1_767_225_600_000_000),
      runAfter: Timestamp(microseconds: 1_767_225_600_000_000))
    _ = link.send(
      .run(RunContextMessage(run: 7, context: context, logFolder: root + "/logs/run 1", workingDirectory: root)))
  }

  deinit {
    link.process.signal(SIGKILL)
    _ = waitForChild(link.pid)
    try? FileManager.default.removeItem(atPath: root)
  }

  /// Waits for the next report, but that a DAG file was read. nil: the worker has closed its end.
  func nextReport() -> WorkerReport? {
    let report = nextReportOfAnyKind()
    return report == .loaded ? nextReportOfAnyKind() : report
  }

  func nextReportOfAnyKind() -> WorkerReport? {
    while reports.isEmpty {
      var entry = pollfd(fd: link.socket, events: Int16(POLLIN), revents: 0)
      _ = poll(&entry, 1, -1)
      if !link.receive({ reports.append($0) }), reports.isEmpty { return nil }
    }
    return reports.removeFirst()
  }

  func start(_ id: TryKey, _ work: TaskWorkload.Work, graceSeconds: Double = 20) {
    start(TryAssignment(TaskWorkload(id, work: work), graceSeconds: graceSeconds))
  }

  func start(_ assignment: TryAssignment) {
    var isSent = link.send(.start(assignment))
    while !isSent {
      var entry = pollfd(fd: link.socket, events: Int16(POLLOUT), revents: 0)
      _ = poll(&entry, 1, -1)
      isSent = link.sendRest()
    }
  }

  func finish() throws -> TaskResult {
    guard case .finished(_, let result, let isLast)? = nextReport() else { throw WorkerDied() }
    isWorn = isLast
    return result
  }

  func bash(
    _ script: String, environment: [String: String] = [:], tryNumber: Int = 1, graceSeconds: Double = 20
  ) throws -> TaskResult {
    start(
      TryKey(run: 7, taskID: "shell", number: tryNumber),
      .bash(script: script, environment: environment, workingDirectory: nil), graceSeconds: graceSeconds)
    return try finish()
  }

  /// A script with values, as the engine gives it.
  func hidden(_ script: String, tryNumber: Int = 1) throws -> TaskResult {
    var assignment = TryAssignment(
      TaskWorkload(
        TryKey(run: 7, taskID: "shell", number: tryNumber),
        work: .bash(script: script, environment: [:], workingDirectory: nil)), graceSeconds: 20)
    assignment.workload.hidesScript = true
    start(assignment)
    return try finish()
  }

  func startSwift(_ taskID: String, inputs: [String] = [], tryNumber: Int = 1, graceSeconds: Double = 20) {
    start(
      TryKey(run: 7, taskID: taskID, number: tryNumber), .swift(library: "code", entry: "main", inputs: inputs),
      graceSeconds: graceSeconds)
  }

  func swift(_ taskID: String, inputs: [String] = [], tryNumber: Int = 1) throws -> TaskResult {
    startSwift(taskID, inputs: inputs, tryNumber: tryNumber)
    return try finish()
  }

  /// nil when there is none.
  func log(_ taskID: String, tryNumber: Int = 1) -> String? {
    let path = LogPath.withinRun(TryKey(run: 7, taskID: taskID, number: tryNumber))
    return readWholeFile(root + "/logs/run 1/\(path)").map { String(decoding: $0, as: UTF8.self) }
  }

  /// Waits until the running Swift task has printed something.
  func waitForOutput() { #expect(waitForContents(of: WorkerOutput.path(in: folder))) }

  /// Waits until the worker's process is stopped.
  func waitUntilStopped() {
    var information = siginfo_t()
    #expect(retrying { waitid(P_PID, id_t(link.pid), &information, WSTOPPED | WEXITED | WNOWAIT) } == 0)
    #expect(information.si_code == Int32(CLD_STOPPED))
  }

  func waitForLog(_ taskID: String) {
    #expect(waitForContents(of: root + "/logs/run 1/task_id=\(taskID)/attempt=1.log"))
  }
}

struct WorkerDied: Error {}

/// Waits until the process has ended; true also when it is long gone.
func end(of pid: pid_t) -> Bool {
  guard let process = try? ProcessDescriptor(pid: pid) else { return true }
  return process.hasEnded(within: 20_000)
}

/// A pid that a task printed as its output.
func pid(in result: TaskResult) throws -> pid_t {
  let digits = (result.output ?? "").filter(\.isNumber)
  return try #require(pid_t(digits))
}

func at(_ microseconds: Int64) -> Timestamp { Timestamp(microseconds: microseconds) }
