import Foundation
import Glibc
import Model
import Preparation
import Processes
import Testing

@testable import Workers

/// What a task did to its process is not there for the next task: it is put back, or the worker says that it has run
/// its last task.
@Suite struct ProcessStateTests {
  private static let fixture = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("WorkerFixture").path

  private static func names(_ kind: String) -> [String] {
    let listed = try? Spawn(fixture, ["changes", kind]).run(timeout: 20)
    return (listed?.text(1) ?? "").split(separator: "\n").map(String.init)
  }

  @Test func `there is something to change`() {
    #expect(Self.names("all").count > 30)
    #expect(Self.names("root").count > 3)
  }

  @Test(arguments: names("all"))
  func `a task that changes its process is the last one of it`(change: String) throws {
    let worker = try TestWorker()
    #expect(try worker.swift("noop").outcome == .success)
    #expect(!worker.isWorn)
    #expect(try worker.swift(change).outcome == .success)
    #expect(worker.isWorn)
  }

  @Test(.enabled(if: geteuid() == 0), arguments: names("root"))
  func `so is one that changes what only root can, and its log is where it belongs`(change: String) throws {
    let worker = try TestWorker()
    #expect(try worker.swift(change).outcome == .success)
    #expect(worker.isWorn)
    _ = try worker.swift("print")
    #expect(worker.log("print") == "a line of the task\n")
  }

  @Test(arguments: [
    "noop", "greet", "print", "big", "throw", "skip", "fail", "mask", "working_folder",
  ])
  func `a task that leaves its process as it was leaves it to others`(task: String) throws {
    let worker = try TestWorker()
    for tryNumber in 1...3 {
      _ = try worker.swift(task, tryNumber: tryNumber)
      #expect(!worker.isWorn)
    }
  }

  @Test func `the mask of new files and the working folder are put back, for Swift and shell`() throws {
    let worker = try TestWorker()
    let mask = try worker.swift("see_mask").output
    let folder = try worker.swift("see_folder").output
    let shell = try worker.bash("umask; pwd > $DAGRUN_OUTPUT").output
    _ = try worker.swift("mask")
    #expect(try worker.swift("see_mask", tryNumber: 2).output == mask)
    _ = try worker.swift("mask", tryNumber: 2)
    _ = try worker.swift("working_folder")
    #expect(try worker.swift("see_folder", tryNumber: 2).output == folder)
    #expect(try worker.bash("umask; pwd > $DAGRUN_OUTPUT", tryNumber: 2).output == shell)
  }

  @Test(arguments: ["prlimit --pid $PPID --nofile=100:", "echo 300 > /proc/$PPID/oom_score_adj"])
  func `a shell task that changes its worker from outside is its last one`(script: String) throws {
    let worker = try TestWorker()
    #expect(try worker.bash("true").outcome == .success)
    #expect(!worker.isWorn)
    #expect(try worker.bash(script, tryNumber: 2).outcome == .success)
    #expect(worker.isWorn)
  }

  @Test(arguments: ["close_all", "close_socket", "close_control"])
  func `a task that closes what its worker works with fails with words, and its process ends`(task: String) throws {
    let worker = try TestWorker()
    let result = try worker.swift(task)
    guard case .failed(let failure, isRetryable: true) = result.outcome else { throw WorkerDied() }
    #expect(failure.reason.hasPrefix("closed descriptor "))
    #expect(failure.reason.hasSuffix("close only what the task has opened"))
    #expect(worker.log(task)?.contains("the task closed descriptor ") == true)
    #expect(worker.link.process.hasEnded(within: 20_000))
    #expect(WorkerJournal(folder: worker.folder)?.last?.result == result)
  }

  @Test func `a shell task starts with no signal ignored or blocked`() throws {
    let worker = try TestWorker()
    let state = try worker.bash("grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\n'").output ?? ""
    // But for the two of the C library's own, which nobody can send.
    let ownBits = state.replacingOccurrences(of: "0000000180000000", with: "0")
    #expect(ownBits.contains("SigIgn"))
    #expect(ownBits.filter { $0.isNumber && $0 != "0" }.isEmpty, "\(state)")
  }

  @Test func `a task that stopped itself hears the order to end`() throws {
    for (task, graceSeconds) in [("stop_itself", 1000.0)] {
      let worker = try TestWorker()
      worker.startSwift(task, graceSeconds: graceSeconds)
      worker.waitUntilStopped()
      worker.link.stop(TryKey(run: 7, taskID: task, number: 1))
      #expect(try worker.finish().outcome == .stopped())
    }
    let worker = try TestWorker()
    let id = TryKey(run: 7, taskID: "shell", number: 1)
    worker.start(
      id, .bash(script: "echo ready; kill -STOP $$; sleep 1000", environment: [:], workingDirectory: nil),
      graceSeconds: 1000)
    worker.waitForLog("shell")
    worker.link.stop(id)
    #expect(try worker.finish().outcome == .stopped(signal: Int(SIGTERM)))
  }
}
